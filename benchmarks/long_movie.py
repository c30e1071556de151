"""A movie of 2,000 frames of 1024 x 1024 (4.2 GB), to find out whether memory grows with length.

    somaseg simulate --preset typical --seed 1 -o truth
    python benchmarks/long_movie.py truth/movie.tif long.tif
    ( ulimit -d 3000000; somaseg analyze long.tif -o long --um-per-px 0.1625 --minutes-per-frame 5 )

The upper left 256 x 256 of a simulated movie, enlarged fourfold, played to and fro, each frame with noise of its own.
The limit is on all memory that is no page of a file, in kB. What is found in such a movie means nothing.
"""

import argparse

import cv2
import numpy as np
import tifffile
from tqdm import tqdm


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", help="TIFF stack of at least 256 x 256 pixels")
    parser.add_argument("target", help="TIFF to write")
    parser.add_argument("--frames", type=int, default=2000, help="(default: %(default)s)")
    options = parser.parse_args()
    movie = tifffile.imread(options.source)[:, :256, :256]
    to_and_fro = [*range(len(movie)), *range(len(movie) - 2, 0, -1)]
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 20, (1100, 1100)).astype(np.float32)
    with tifffile.TiffWriter(options.target, bigtiff=True) as writer:
        for t in tqdm(range(options.frames), unit="frame"):
            frame = cv2.resize(movie[to_and_fro[t % len(to_and_fro)]], (1024, 1024), interpolation=cv2.INTER_CUBIC)
            y, x = rng.integers(0, 76, 2)
            writer.write(cv2.add(frame, noise[y : y + 1024, x : x + 1024], dtype=cv2.CV_16U), contiguous=True)


if __name__ == "__main__":
    main()
