"""The launch scripts: help, bad flags, and the whole way from labelled images to an exported model."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from absl import app
from absl.flags import FLAGS
from absl.testing import flagsaver

from somaseg.data.datasets import Samples
from somaseg.models import UNet

LAUNCH = Path(__file__).parents[2] / "launch"
SCRIPTS = {
    "pretrain": ["--dataset", "--run", "--epochs", "--learning_rate", "--filters", "--save_preset"],
    "finetune": ["--dataset", "--run", "--recipe", "--heads", "--preset", "--save_preset", "--unlabelled_dir"],
    "sweep": ["--grid", "--vary", "--seeds", "--plan", "--output", "--dataset"],
    "single_image": ["--images", "--dataset", "--output", "--epochs"],
    "simulate_training_set": ["--output", "--movies", "--stills", "--handled_share", "--seed"],
    "evaluate": ["--preset", "--dataset", "--split", "--output", "--threshold", "--worst", "--flips", "--diameter"],
    "export": ["--preset", "--output", "--formats", "--version", "--representative", "--overwrite"],
    "dataset_to_npz": ["--dataset", "--manual_dir", "--diameter_px", "--output"],
}
# absl knows modules whose flags are not their own by id(), which another module takes over once they are gone.
_KEPT = []


@pytest.fixture
def launch(capsys, monkeypatch):
    """Function: run a script in this process as an interpreter of its own would: (exit code, output, errors)."""
    monkeypatch.syspath_prepend(str(LAUNCH))
    app.define_help_flags()  # absl does this once a process, so they must be there before flags are saved

    def launch(script, *flags):
        path, parsed = str(LAUNCH / f"{script}.py"), FLAGS.is_parsed()
        monkeypatch.delitem(sys.modules, "_flags", raising=False)
        monkeypatch.setattr(sys, "argv", [path, *flags])
        with flagsaver.flagsaver(), pytest.raises(SystemExit) as ended:
            runpy.run_path(path, run_name="__main__")
        _KEPT.append(sys.modules.get("_flags"))
        if not parsed:
            FLAGS.unparse_flags()
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err

    return launch


def in_an_interpreter_of_its_own(script, *flags):
    return subprocess.run(
        [sys.executable, LAUNCH / f"{script}.py", *flags],
        capture_output=True,
        text=True,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )


def test_the_scripts_are_those_tested():
    assert {path.stem for path in LAUNCH.glob("[!_]*.py")} == set(SCRIPTS)


def assert_helpful(script, text):
    assert (LAUNCH / f"{script}.py").read_text()[3:].partition("\n")[0] in text
    assert [flag for flag in SCRIPTS[script] if f"  {flag}:" not in text.replace("--[no]", "--")] == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_tells_what_a_script_does_and_its_flags(launch, script):
    assert_helpful(script, launch(script, "--help")[1])


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS)
def test_help_is_told_by_an_interpreter_of_its_own_too(script):
    assert_helpful(script, in_an_interpreter_of_its_own(script, "--help").stdout)


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--output=out", "--presett=soma"], "Unknown command line flag 'presett'"),
        (["--output=out", "soma"], "Not a flag: soma"),
        (["--output=out", "--preset=gamma"], "error: No preset named 'gamma'"),
    ],
)
def test_a_wrong_flag_is_an_error_that_names_it(launch, flags, message):
    code, printed, errors = launch("export", *flags)
    assert code != 0
    assert message in printed + errors
    assert "Traceback" not in errors


def test_an_interpreter_of_its_own_says_an_error_in_one_line():
    finished = in_an_interpreter_of_its_own("export", "--output=out", "--preset=gamma")
    assert finished.returncode == 1
    assert "error: No preset named 'gamma'" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_from_labelled_images_to_an_exported_model(launch, tmp_path):
    """Two epochs on three images: nothing is learned, everything is written."""

    def done(script, *flags):
        code, printed, errors = launch(script, *flags)
        assert code == 0, errors[-3000:]
        return printed

    y, x = np.mgrid[:48, :40]
    for split in ("train", "validation"):
        discs = [((y - 20) ** 2 + (x - 10 - 5 * i) ** 2 < 36).astype(np.uint16) for i in range(3)]
        samples = Samples.from_arrays((f"disc {i}", 20 + 200 * disc, disc) for i, disc in enumerate(discs))
        samples.save(tmp_path / "data" / f"{split}.npz")
    data, small = f"--dataset={tmp_path / 'data'}", ["--batch_size=2", "--crop_size=32"]

    printed = done(
        *("pretrain", data, *small, "--filters=2", "--epochs=2"),
        *(f"--run={tmp_path / 'first'}", f"--save_preset={tmp_path / 'base'}"),
    )
    assert f"wrote the preset {tmp_path / 'base'}" in printed
    assert len(pd.read_csv(tmp_path / "first" / "history.csv")) == 2
    base = UNet.from_preset(tmp_path / "base")
    assert (base.filters, base.depth) == (2, 5)

    printed = done("dataset_to_npz", data, "--diameter_px=6", f"--output={tmp_path / 'smaller'}")
    assert f"wrote {tmp_path / 'smaller' / 'train.npz'}: 3 images" in printed
    assert Samples.load(tmp_path / "smaller" / "train.npz").images[0].shape[0] < 48 * 0.6
    sizes, both = f"--dataset={tmp_path / 'data'},{tmp_path / 'smaller'}", f"--dataset={tmp_path / 'both'}"
    assert "train.npz: 6 images" in done("dataset_to_npz", sizes, f"--output={tmp_path / 'both'}")
    printed = done(
        *("finetune", both, *small, f"--preset={tmp_path / 'base'}", "--epochs=1", "--elastic_alpha=5", "--last_epoch"),
        *(f"--run={tmp_path / 'second'}", f"--save_preset={tmp_path / 'tuned'}"),
    )
    assert "last epoch, 1 of 1" in printed
    tuned = UNet.from_preset(tmp_path / "tuned")
    changed = [a.path for a, b in zip(tuned.weights, base.weights) if np.any(a.numpy() != b.numpy())]
    assert changed
    assert {path.split("/")[0].rpartition("_")[0].split("_conv")[0].split("_norm")[0] for path in changed} <= {
        *("up_9", "decoder_9", "head")
    }

    printed = done(
        *("evaluate", data, f"--preset={tmp_path / 'tuned'}", "--split=validation", "--threshold=0.25"),
        *(f"--output={tmp_path / 'scores'}", "--worst=2", "--flips"),
    )
    scores = json.loads((tmp_path / "scores" / "scores.json").read_text())
    assert (scores["images"], scores["true_somas"], scores["threshold"]) == (3, 3, 0.25)
    assert (scores["flips"], scores["diameter"]) == (True, None)
    assert f"{scores['iou_per_image']:.4f}" in printed
    assert pd.read_csv(tmp_path / "scores" / "images.csv").image.tolist() == ["disc 0", "disc 1", "disc 2"]
    assert len(list((tmp_path / "scores" / "worst").glob("0[12]_iou_*.png"))) == 2

    printed = done(
        "export", f"--preset={tmp_path / 'tuned'}", f"--output={tmp_path / 'served'}", "--formats=saved_model"
    )
    assert printed == f"wrote {tmp_path / 'served' / 'tuned' / '1'}\n"
    assert (tmp_path / "served" / "tuned" / "1" / "saved_model.pb").is_file()


def test_a_share_of_a_training_set_is_handled_and_its_labels_stay(launch, tmp_path):
    made = {}
    for share in ("0", "1"):
        flags = [f"--output={tmp_path / share}", "--movies=1", "--stills=3", "--validation_share=0.3"]
        assert launch("simulate_training_set", *flags, f"--handled_share={share}")[0] == 0
        made[share] = Samples.load(tmp_path / share / "train.npz")
    for plain, handled in zip(made["0"].instances, made["1"].instances):
        assert np.array_equal(plain, handled)
    for index in range(5):
        assert (made["0"].stretched(index) != made["1"].stretched(index)).any()
