"""What a server costs: images per second through REST and gRPC, one by one, several under way, in batches; and locally.

    python benchmarks/serving.py [--preset nuclei] [--rounds 5] [--server HOST:REST_PORT HOST:GRPC_PORT]

Without --server the preset is exported and served by the server of the tests (tests/serving/model_server.py: TensorFlow
Serving's protos over TensorFlow's session, in Python) in a process of its own on this machine, so that client and
server share the processor. All ways are asked in turn; what counts is the ratio to local Keras of the same run. Images
are simulated stills. Needs the extra [serving].
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

SMALL_PX, LARGE_PX, COUNT, IN_FLIGHT = 256, 1024, 16, 4


def main():
    options = _options()
    if options.serve:
        _serve(Path(options.serve), options.preset)
        return
    with tempfile.TemporaryDirectory() as folder:
        process, addresses = _start(Path(folder), options)
        try:
            measured = _measure(addresses, options)
        finally:
            if process is not None:
                process.terminate()
                process.wait()
    _print(measured, options)


def _start(folder, options):
    """The process of the server, None where it runs elsewhere, and its addresses."""
    if options.server:
        return None, dict(zip(("rest", "grpc"), options.server))
    from somaseg.export import export_preset

    export_preset(options.preset, folder, formats=["saved_model"])
    command = [sys.executable, __file__, "--serve", str(folder), "--preset", options.preset]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    )
    return process, json.loads(process.stdout.readline())


def _serve(folder, preset):
    path = Path(__file__).parents[1] / "tests" / "serving" / "model_server.py"
    spec = importlib.util.spec_from_file_location("model_server", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    server = module.ModelServer({preset: {1: module.Servable(folder / preset / "1")}})
    print(json.dumps(server.addresses), flush=True)
    while True:
        time.sleep(3600)


def _measure(addresses, options):
    """{(way, task): seconds of each round}; the maps of every way are checked against the first's."""
    small, large = _images(SMALL_PX, COUNT), _images(LARGE_PX, 1)
    ways = _ways(addresses, options)
    tasks = {f"{COUNT} of {SMALL_PX} x {SMALL_PX}": small, f"1 of {LARGE_PX} x {LARGE_PX}": large}
    seconds = {(way, task): [] for task in tasks for way in ways}
    for task, images in tasks.items():
        expected = None
        for round_number in range(options.rounds + 1):
            for way, (run, at_a_time, under_way) in ways.items():
                began = time.perf_counter()
                maps = _ask(run, images, at_a_time, under_way)
                spent = time.perf_counter() - began
                expected = maps if expected is None else expected
                off = np.abs(maps - expected).max()
                if off > 1e-4:
                    raise SystemExit(f"{way}: probabilities are off by {off:.2g}.")
                if round_number:  # the first one warms up
                    seconds[way, task].append(spent)
            print(f"{task}: round {round_number} of {options.rounds}", file=sys.stderr, flush=True)
    return seconds


def _ask(run, images, at_a_time, under_way):
    batches = [images[first : first + at_a_time] for first in range(0, len(images), at_a_time)]
    with ThreadPoolExecutor(under_way) as pool:
        return np.concatenate([maps["mask"] for maps in pool.map(run, batches)])


def _ways(addresses, options):
    """{name: (function from a batch to its maps, images in a batch, batches under way)}."""
    from somaseg.runtimes import open_runtime
    from somaseg.serving import Client

    ways = {}
    for runtime in ("keras", "auto"):
        run = open_runtime(options.preset, runtime)
        ways[f"local, {run.name}, one by one"] = run, 1, 1
        ways[f"local, {run.name}, batches of {COUNT}"] = run, COUNT, 1
    for protocol, address in addresses.items():
        client = Client(address, model=options.preset, protocol=protocol)
        ways[f"{protocol}, one by one"] = client, 1, 1
        ways[f"{protocol}, {IN_FLIGHT} under way"] = client, 1, IN_FLIGHT
        ways[f"{protocol}, batches of {COUNT}"] = client, COUNT, 1
    return ways


def _images(side, count):
    """Prepared simulated stills, tiled from 256 x 256."""
    from somaseg.export.calibration import simulated_images

    tiles = side // SMALL_PX
    stills = simulated_images(count * tiles**2)
    rows = np.reshape(stills, (count, tiles, tiles, SMALL_PX, SMALL_PX, 3))
    return rows.transpose(0, 1, 3, 2, 4, 5).reshape(count, side, side, 3).astype(np.float32)


def _print(seconds, options):
    tasks = list(dict.fromkeys(task for _, task in seconds))
    ways = list(dict.fromkeys(way for way, _ in seconds))
    print(f"{options.preset}, simulated stills, {options.rounds} rounds, medians; load {os.getloadavg()[0]:.1f}")
    print("| way | " + " | ".join(f"{task}, images/s | x" for task in tasks) + " |")
    print("|---" * (1 + 2 * len(tasks)) + "|")
    for way in ways:
        cells = []
        for task in tasks:
            own, reference = np.median(seconds[way, task]), np.median(seconds[ways[0], task])
            cells.append(f"{int(task.split()[0]) / own:.2f} | {reference / own:.2f}")
        print(f"| {way} | " + " | ".join(cells) + " |")


def _options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="nuclei", help="name of a preset (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--server", nargs=2, metavar=("REST", "GRPC"), help="HOST:PORT of a server that serves the preset"
    )
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
