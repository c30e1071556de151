"""Memory and time of `somaseg segment` on large images, and the share of it that is not the network.

    python benchmarks/large_images.py                       # 1024 and 10,000 pixels a side
    python benchmarks/large_images.py --sides 4096 --preset soma

The images are mosaics of simulated stills, so they are simulated and have seams of their own; there are about 300 somas
in 1024 x 1024 pixels. Peak memory is that of the whole command, as the system counted it.
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import tifffile

_STILL_PX = 256
_SOMAS_PER_STILL = 24.0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sides", type=int, nargs="+", default=[1024, 10_000], help="pixels (default: 1024 10000)")
    parser.add_argument("--preset", default="nuclei", help="name or folder (default: %(default)s)")
    parser.add_argument("--runtime", default="auto", help="as of somaseg segment (default: %(default)s)")
    options = parser.parse_args()
    print("| simulated image | objects | seconds | in the network | peak memory, GB |")
    print("|---|---|---|---|---|")
    stills = simulated_stills(40)
    for side in sorted(options.sides):  # the peak that the system tells is that of the largest so far
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "mosaic.tif"
            tifffile.imwrite(path, mosaic(stills, side), compression="zlib")
            told = segment(path, Path(folder) / "result", options)
        objects, seconds, share = re.search(r"(\d+) objects, ([\d.]+) s \((\d+)% in the network\)", told).groups()
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
        print(f"| {side} x {side} | {objects} | {seconds} | {share} % | {peak:.2f} |", flush=True)


def simulated_stills(count):
    """Gray stills (256, 256), uint8, of different settings."""
    from dataclasses import replace

    from somaseg.simulation import draw_parameters, simulate_still

    stills = []
    for number in range(count):
        parameters = draw_parameters("gray_fluorescence", rng=np.random.default_rng(number))
        still = simulate_still(replace(parameters, cell_count=_SOMAS_PER_STILL), seed=number)
        stills.append(still.image if still.image.ndim == 2 else still.image.max(axis=-1))
    return stills


def mosaic(stills, side):
    """(side, side), uint8, of stills in random order."""
    rng, whole = np.random.default_rng(0), np.zeros((side, side), np.uint8)
    for y in range(0, side, _STILL_PX):
        for x in range(0, side, _STILL_PX):
            still = stills[rng.integers(len(stills))]
            whole[y : y + _STILL_PX, x : x + _STILL_PX] = still[: side - y, : side - x]
    return whole


def segment(path, output, options):
    """What the command said at its end."""
    command = [sys.executable, "-m", "somaseg", "segment", str(path), "-o", str(output)]
    ran = subprocess.run(
        [*command, "--preset", options.preset, "--runtime", options.runtime],
        capture_output=True,
        text=True,
        env=dict(os.environ),
    )
    if ran.returncode:
        sys.exit(f"{' '.join(command)} ended with {ran.returncode}: {ran.stderr[-2000:]}")
    return ran.stdout + ran.stderr


if __name__ == "__main__":
    main()
