"""How long a training step takes, and what share of this machine's arithmetic peak it reaches.

    python benchmarks/training_step.py

A time in seconds tells little between machines, so each stands beside the largest rate that a float32 matrix product
reaches in the same run. The network's arithmetic is counted from its layers: two operations per multiply-add, forward
once and backward twice. Run it with nothing else running.
"""

import argparse
import os
import platform
import time

from somaseg.startup import prepare_framework

DESIGN = {"seconds": 1.22, "peak": 487.0}  # batch 16, 256 px, float32, on the machine that the design was made on


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--crop-sizes", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--steps", type=int, default=5, help="steps timed, after two to warm up (default: %(default)s)")
    options = parser.parse_args()
    prepare_framework()
    peak = matrix_product_rate()
    print(f"{platform.machine()}, {os.cpu_count()} cores; float32 matrix product: {peak:.0f} GFLOP/s at best")
    print("| crop | augmentation | precision | step, s | GFLOP/s | share of that peak |")
    print("|---|---|---|---|---|---|")
    for size in options.crop_sizes:
        for augmented in (True, False):
            for policy in ("float32", "mixed_bfloat16"):
                seconds = step_seconds(options.batch_size, size, augmented, options.steps, policy)
                rate = 3 * forward_operations(size) * options.batch_size / seconds / 1e9
                cells = (
                    size,
                    "on" if augmented else "off",
                    policy,
                    f"{seconds:.2f}",
                    f"{rate:.0f}",
                    f"{rate / peak:.2f}",
                )
                print("| " + " | ".join(map(str, cells)) + " |", flush=True)
    rate = 3 * forward_operations(256) * 16 / DESIGN["seconds"] / 1e9
    print(
        f"the design's figure: {DESIGN['seconds']} s, {rate:.0f} of {DESIGN['peak']:.0f} GFLOP/s = "
        f"{rate / DESIGN['peak']:.2f} of that machine's peak"
    )


def matrix_product_rate(size=2048, repeats=8):
    """The largest rate of float32 products of `size` x `size` matrices, GFLOP/s."""
    import tensorflow as tf

    a = tf.random.normal((size, size), seed=1)
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        tf.linalg.matmul(a, a).numpy()
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best / 1e9


def step_seconds(batch_size, crop_size, augmented, steps, policy):
    """Median seconds of a compiled training step of the 16-filter network, batches in memory."""
    import numpy as np

    from somaseg.models.unet import UNet
    from somaseg.training.recipes import PRETRAINING
    from somaseg.training.trainer import SegmentationTrainer

    trainer = SegmentationTrainer(UNet(dtype=policy), PRETRAINING.augmentation() if augmented else ())
    trainer.compile(optimizer=PRETRAINING.optimizer(), jit_compile=False)
    rng = np.random.default_rng(1)
    shape = (batch_size, crop_size, crop_size)
    batch = {
        "image": rng.uniform(0, 255, (*shape, 3)).astype(np.float32),
        "instances": (rng.random((*shape, 1)) < 0.2).astype(np.int32),
    }
    taken = []
    for _ in range(2 + steps):
        start = time.perf_counter()
        trainer.train_on_batch(batch)
        taken.append(time.perf_counter() - start)
    return float(np.median(taken[2:]))


def forward_operations(crop_size):
    """Arithmetic operations of one forward pass over a crop, from the shapes of the convolutions."""
    import keras

    from somaseg.models.unet import UNet

    network = UNet()
    shapes = keras.Model(network.inputs, [layer.output for layer in network.layers])
    outputs = shapes.compute_output_shape((1, crop_size, crop_size, 3))
    total = 0
    for layer, output in zip(network.layers, outputs):
        if isinstance(layer, keras.layers.Conv2DTranspose):  # stride 2: each input pixel meets the whole kernel
            total += 2 * layer.kernel.shape.num_elements() * (output[1] // 2) * (output[2] // 2)
        elif isinstance(layer, keras.layers.Conv2D):
            total += 2 * layer.kernel.shape.num_elements() * output[1] * output[2]
    return total


if __name__ == "__main__":
    main()
