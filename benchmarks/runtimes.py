"""How fast a preset's network runs on each runtime, how much memory it takes, and whether it finds the same somas.

python benchmarks/runtimes.py --preset nuclei --validation FOLDER_OF_NPZ

One process per runtime (its peak memory is its own), all asked in turn, so that what else the machine does hits all
alike; what counts is the ratio to tf.function. Models are exported into --models once for each state of the weights and
used again.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

RUNTIMES = (
    *("tf.function", "keras", "litert fp32", "litert fp16", "litert int8", "onnx", "onnx int8"),
    *("openvino f32", "openvino bf16", "openvino int8"),
)
SIDES = (256, 1024)


def main():
    options = _options()
    models = _models(options)
    models.mkdir(parents=True, exist_ok=True)
    if not _path("onnx int8", options).exists():  # the last that is written
        subprocess.run([sys.executable, __file__, "--export", *sys.argv[1:]], check=True)
    names = options.only or [*RUNTIMES, *([f"server {options.server}"] if options.server else [])]
    workers = {name: _Worker(name, options) for name in names}
    times = {(name, side): [] for name in [*names, "matmul"] for side in options.sides}
    for side in options.sides:
        for round_number in range(options.rounds + 1):
            for name, worker in workers.items():
                seconds = worker.ask("time", side)
                if round_number:  # the first one warms up
                    times[name, side].append(seconds)
            times["matmul", side].append(_matmul_gflops())
            print(f"{side} x {side}: round {round_number} of {options.rounds}", file=sys.stderr, flush=True)
    peak = max(max(times["matmul", side]) for side in options.sides)
    memory = {name: worker.ask("memory") for name, worker in workers.items()}
    scores = _scores(workers, options) if options.validation else ""
    for worker in workers.values():
        worker.end()
    print(f"{options.preset}, {options.threads} threads of {_processor()}, {options.rounds} rounds, medians")
    print(f"float32 matmul of 2048 x 2048, the fastest of this run: {peak:.0f} GFLOP/s; load {os.getloadavg()[0]:.1f}")
    print(_table(names, times, memory, peak, options), scores, sep="\n\n")


class _Worker:
    def __init__(self, name, options):
        environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads), "TF_CPP_MIN_LOG_LEVEL": "3"}
        command = [sys.executable, __file__, "--worker", name, *sys.argv[1:]]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, env=environment, text=True, **pipes)

    def ask(self, *question):
        print(json.dumps(question), file=self.process.stdin, flush=True)
        for line in self.process.stdout:
            if line.startswith("answer "):
                return json.loads(line.removeprefix("answer "))
        raise SystemExit(f"A worker ended: {self.process.args}")

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def _work(name, options):
    """Answer what the main process asks: a time, the memory taken so far, the labels of the validation images."""
    run = _open(name, options)
    for line in sys.stdin:
        verb, *arguments = json.loads(line)
        if verb == "time":
            answer = _timed(run, *arguments)
        elif verb == "segment":
            answer = _segment(run, options, *arguments)
        else:
            import resource

            answer = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print("answer " + json.dumps(answer), flush=True)


def _timed(run, side):
    image = np.random.default_rng(0).integers(0, 256, (1, side, side, 3)).astype(np.float32)
    start = time.perf_counter()
    run(image)
    return time.perf_counter() - start


def _open(name, options):
    """The runtime of a row, as a function from a batch to its maps."""
    from somaseg.runtimes.litert_runtime import LiteRtRuntime
    from somaseg.runtimes.onnx_runtime import OnnxRuntime
    from somaseg.runtimes.openvino_runtime import OpenVinoRuntime

    kind, _, precision = name.partition(" ")
    if kind == "server":
        from somaseg.serving import Client

        return Client(precision, model=options.preset)
    path, settings = _path(name, options), {"depth": 5, "threads": options.threads}
    if kind == "litert":
        return LiteRtRuntime(path.read_bytes(), **settings)
    if kind == "onnx":
        return OnnxRuntime(path.read_bytes(), **settings)
    if kind == "openvino":
        return OpenVinoRuntime(path.read_bytes(), precision="bf16" if precision == "bf16" else "f32", **settings)
    from somaseg.startup import prepare_framework

    prepare_framework()
    from somaseg.models import UNet
    from somaseg.runtimes.keras_runtime import KerasRuntime

    network = UNet.from_preset(options.preset)
    return KerasRuntime(network) if kind == "keras" else _as_function(network)


def _as_function(network):
    import tensorflow as tf

    from somaseg.models.heads import read_maps

    spec = tf.TensorSpec((None, None, None, 3), tf.float32)
    function = tf.function(
        lambda image: read_maps(network(image, training=False), network.heads), input_signature=[spec]
    )
    return lambda batch: {name: values.numpy() for name, values in function(tf.constant(batch)).items()}


def _models(options):
    """The folder of the models that were made from the preset as it is now."""
    from somaseg.models.presets import find_preset, read_metadata

    return Path(options.models) / read_metadata(find_preset(options.preset))["weights_sha256"][:12]


def _path(name, options):
    kind, _, precision = name.partition(" ")
    stem = _models(options) / options.preset
    if kind == "litert":
        return stem.with_name(f"{stem.name}_{precision}.tflite")
    return stem.with_name(f"{stem.name}_int8.onnx" if precision == "int8" else f"{stem.name}.onnx")


def _segment(run, options, path):
    """Write the labels of the validation images, in their order, as a .npz."""
    from somaseg.data.datasets import load_samples
    from somaseg.segmentation import Segmenter

    segmenter = Segmenter(predict=run, depth=5, **Segmenter.preset_settings(options.preset))
    images = load_samples(options.validation, "validation").images
    np.savez_compressed(path, *(segmenter(image).labels for image in images))


def _scores(workers, options):
    """A table: each runtime against the truth, and against the labels that Keras found."""
    from somaseg.data.datasets import load_samples
    from somaseg.segmentation.evaluation import score_images

    samples, found = load_samples(options.validation, "validation"), {}
    with tempfile.TemporaryDirectory() as folder:
        for name, worker in workers.items():
            worker.ask("segment", f"{folder}/labels.npz")
            with np.load(f"{folder}/labels.npz") as arrays:
                found[name] = [arrays[f"arr_{i}"] for i in range(len(samples.ids))]
            print(f"segmented {len(samples.ids)} images: {name}", file=sys.stderr, flush=True)

    def score(truth, labels):
        return score_images(zip(samples.ids, truth, labels)).summary()

    lines = ["| runtime | AP.50 | AP.50:.95 | IoU | to Keras: AP.50 | AP.50:.95 |", "|---" * 6 + "|"]
    for name, labels in found.items():
        true = score(samples.instances, labels)
        row = [f"{true[key]:.4f}" for key in ("ap_0.50_pooled", "ap_0.50_to_0.95_pooled", "iou_per_image")]
        if "keras" in found:
            same = score(found["keras"], labels)
            row += [f"{same[key]:.4f}" for key in ("ap_0.50_pooled", "ap_0.50_to_0.95_pooled")]
        lines.append(f"| {name} | {' | '.join(row)} |")
    return "\n".join(lines)


def _export(options):
    from somaseg.export import export_preset

    formats = ["fp32", "fp16", "int8", "onnx"]
    export_preset(options.preset, _models(options), formats=formats, overwrite=True)
    _quantise_onnx(options)


def _quantise_onnx(options):
    """ONNX Runtime's own 8 bits, calibrated on the images that LiteRT's are."""
    from onnxruntime import quantization

    from somaseg.export.calibration import calibration_batches, simulated_images

    batches = iter(list(calibration_batches(simulated_images())))

    class Reader(quantization.CalibrationDataReader):
        def get_next(self):
            batch = next(batches, None)
            return None if batch is None else {"image": batch}

    quantization.quantize_static(
        _path("onnx", options),
        _path("onnx int8", options),
        Reader(),
        per_channel=True,
        extra_options={"ActivationSymmetric": False},
    )


def _matmul_gflops(n=2048):
    a = np.ones((n, n), np.float32)
    start = time.perf_counter()
    a @ a
    return 2 * n**3 / (time.perf_counter() - start) / 1e9


def _network_gflop(side, options):
    """Multiplications and additions of the convolutions, from the shapes in the preset's config."""
    from somaseg.models.heads import HEADS
    from somaseg.models.presets import find_preset, read_config

    network = read_config(find_preset(options.preset))["network"]
    filters, depth, total, before = network["filters"], network["depth"], 0, 3
    for stage in range(depth):
        pixels, channels = (side / 2**stage) ** 2, filters * 2**stage
        total += 2 * 9 * pixels * (before * channels + channels**2)
        if stage < depth - 1:
            total += 2 * pixels * (2 * channels * channels + 9 * (2 * channels * channels + channels**2))
        before = channels
    return (total + 2 * side**2 * filters * len(HEADS[network["heads"]])) / 1e9


def _table(names, times, memory, peak, options):
    sides = "".join(f" {side} ms | x | of peak |" for side in options.sides)
    lines = [f"| runtime |{sides} peak MB | file MB |", "|---" * (3 + 3 * len(options.sides)) + "|"]
    for name in names:
        row = f"| {name} |"
        for side in options.sides:
            median, reference = np.median(times[name, side]), np.median(times[names[0], side])
            share = _network_gflop(side, options) / median / peak
            row += f" {1000 * median:.0f} | {reference / median:.2f} | {share:.0%} |"
        path = _path(name, options) if name.split(" ")[0] in ("litert", "onnx", "openvino") else None
        size = f"{path.stat().st_size / 1e6:.2f}" if path else ""
        lines.append(f"{row} {memory[name]:.0f} | {size} |")
    return "\n".join(lines)


def _processor():
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), "an unknown processor")


def _options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="nuclei", help="name of a preset (default: %(default)s)")
    parser.add_argument("--models", default="/tmp/somaseg_runtimes", help="folder for the exported models")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sides", type=int, nargs="+", default=SIDES, metavar="PX", help="(default: %(default)s)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--validation", metavar="FOLDER", help="folder with validation.npz, to score the runtimes on")
    parser.add_argument("--server", metavar="HOST:PORT", help="one more row: a server that serves the preset")
    parser.add_argument("--only", nargs="+", metavar="RUNTIME", help=f"of {', '.join(RUNTIMES)}; the first is x 1")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--export", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    given = _options()
    if given.export:
        _export(given)
    elif given.worker:
        _work(given.worker, given)
    else:
        main()
