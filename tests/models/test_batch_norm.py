"""The fused batch norm gives what Keras' own gives."""

import keras
import numpy as np
import pytest

from somaseg.models.batch_norm import BatchNormalization

tf = pytest.importorskip("tensorflow")
TOLERANCE = {"float32": 1e-5, "mixed_bfloat16": 0.02}


def _pair(policy="float32"):
    """A fused norm and Keras' own, with equal weights."""
    rng = np.random.default_rng(3)
    pair = [
        kind(momentum=0.8, epsilon=1e-3, dtype=policy) for kind in (BatchNormalization, keras.layers.BatchNormalization)
    ]
    weights = [rng.uniform(0.5, 2, 5).astype(np.float32) for _ in range(4)]
    for norm in pair:
        norm.build((None, None, None, 5))
        norm.set_weights(weights)
    return pair


def _images():
    return np.random.default_rng(0).normal(3, 2, (4, 6, 7, 5)).astype(np.float32)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_output_gradients_and_statistics_are_those_of_keras(policy):
    results = []
    slope = np.random.default_rng(1).normal(size=(4, 6, 7, 5)).astype(np.float32)
    for norm in _pair(policy):
        x = tf.constant(_images())
        with tf.GradientTape() as tape:
            tape.watch(x)
            output = tf.cast(norm(x, training=True), tf.float32)
            score = tf.reduce_sum(output * slope)
        gradients = tape.gradient(score, [x, norm.gamma.value, norm.beta.value])
        results.append([output, *gradients, norm.moving_mean, norm.moving_variance])
    for fused, plain in zip(*results):
        np.testing.assert_allclose(fused, plain, rtol=TOLERANCE[policy], atol=10 * TOLERANCE[policy])


@pytest.mark.parametrize("jit_compile", [False, True])
def test_the_kernel_runs_while_training_and_then_alone(jit_compile):
    norm, _ = _pair()

    def kernels(training):
        def run(x):
            return norm(x, training=training)

        graph = tf.function(run).get_concrete_function(tf.constant(_images())).graph
        tf.function(run, jit_compile=jit_compile)(tf.constant(_images()))
        return [node.type for node in graph.get_operations() if node.type == "FusedBatchNormV3"]

    assert kernels(True) == ["FusedBatchNormV3"]
    assert kernels(False) == []


def test_frozen_it_uses_its_running_statistics_and_leaves_them():
    fused, plain = _pair()
    before = [np.array(value) for value in fused.get_weights()]
    for norm in (fused, plain):
        norm.trainable = False
    np.testing.assert_allclose(fused(_images(), training=True), plain(_images(), training=False), rtol=1e-6)
    for old, new in zip(before, fused.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_what_the_kernel_does_not_know_is_left_to_keras():
    rows = np.random.default_rng(0).normal(size=(8, 5)).astype(np.float32)
    norm = BatchNormalization(momentum=0.0)
    norm(rows, training=True)
    np.testing.assert_allclose(norm.moving_mean, rows.mean(axis=0), rtol=1e-5)
    double = BatchNormalization(dtype="float64")
    assert keras.backend.standardize_dtype(double(_images().astype(np.float64), training=True).dtype) == "float64"
