"""Images with a known number of somas, a network that finds them, and what is in an output folder."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import tifffile

from somaseg.segmentation import Segmenter


@pytest.fixture(scope="module")
def segmenter(bright_network):
    """Segments by brightness, drops less than 4 pixels, and counts the images."""
    return _CountingSegmenter(bright_network, minimum_area_px=4)


@pytest.fixture
def picture():
    """Function: an image of so many somas."""
    return _picture


@pytest.fixture
def make_images():
    """Function: write an image of so many somas under each name, the kind by its suffix."""
    return _make_images


@pytest.fixture
def contents():
    """Function: {name: bytes} of all files of a folder but run.json, which holds times."""
    return _contents


@pytest.fixture
def objects():
    """Function: the table of an output folder."""
    return _objects


@pytest.fixture
def names_in():
    """Function: names of what is in a folder."""
    return _names_in


class _CountingSegmenter(Segmenter):
    """Counts the images it has segmented."""

    count = 0

    def __call__(self, image, **arguments):
        self.count += 1
        return super().__call__(image, **arguments)


def _picture(somas=1):
    image = np.full((24, 24), 10, np.uint8)
    for i in range(somas):
        image[4:8, 1 + 7 * i : 6 + 7 * i] = 150 + 10 * i
    return image


def _make_images(folder, *names, somas=1):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if name.endswith((".tif", ".tiff")):
            tifffile.imwrite(folder / name, _picture(somas))
        else:
            coded, content = cv2.imencode(Path(name).suffix, _picture(somas))
            (folder / name).write_bytes(content.tobytes())
    return [folder / name for name in names]


def _contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "run.json"}


def _objects(output):
    return pd.read_csv(output / "objects.csv")


def _names_in(folder):
    return {path.name for path in folder.iterdir()}
