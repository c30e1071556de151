"""prepare_framework: what it sets is what this process computes with."""

import os
import sys

import tensorflow

from somaseg.startup import prepare_framework

SETTINGS = ("TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS")


def test_settings_that_come_too_late_for_this_process_are_not_left_to_those_it_starts(monkeypatch):
    assert sys.modules["tensorflow"] is tensorflow
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    prepare_framework()
    assert [name for name in SETTINGS if name in os.environ] == []


def test_what_the_user_has_set_stays(monkeypatch):
    monkeypatch.delitem(sys.modules, "tensorflow")
    monkeypatch.setenv("KERAS_BACKEND", "jax")  # else TensorFlow would be imported a second time
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
    prepare_framework()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "0"
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "2"
