"""From label images to a submission in the format of the 2018 Data Science Bowl, and back.

A CSV with the columns ImageId and EncodedPixels, one row per instance: "start length start length ...", pixels numbered
from 1 at the upper left, down the first column, then down the second. An image without instances has one row without
pixels, so that the file names every image.
"""

import csv

import numpy as np

from somaseg.files import replace_when_whole
from somaseg.segmentation.run_lengths import instance_runs

COLUMNS = ("ImageId", "EncodedPixels")


def encode_instances(labels):
    """Run-length codes of all instances of a label image (H, W): a list of str, in the order of the labels.

    >>> encode_instances(np.array([[1, 0], [1, 2]]))
    ['1 2', '4 1']
    """
    return [
        " ".join(map(str, np.stack([starts + 1, lengths], axis=1).ravel().tolist()))
        for starts, lengths in instance_runs(labels)
    ]


def decode_instances(codes, shape):
    """The label image of run-length codes: int32 (H, W), instance i of `codes` has the label i + 1.

    Args:
        codes: list of str, as `encode_instances` gives.
        shape: (H, W).

    Raises:
        ValueError: a code (named) is not pairs of positive numbers, leaves the image, or shares pixels with an earlier
            one.

    >>> decode_instances(["1 2", "4 1"], (2, 2)).tolist()
    [[1, 0], [1, 2]]
    """
    height, width = shape
    pixels = np.zeros(height * width, np.int32)
    for label, code in enumerate(codes, start=1):
        numbers = code.split()
        if not numbers or len(numbers) % 2 or not all(number.isdecimal() and int(number) > 0 for number in numbers):
            raise ValueError(f"instance {label}: a code is pairs of positive whole numbers, got {code[:60]!r}.")
        for start, length in zip(map(int, numbers[::2]), map(int, numbers[1::2])):
            run = pixels[start - 1 : start - 1 + length]
            if len(run) != length:
                raise ValueError(
                    f"instance {label}: the run {start} {length} leaves an image of {height} x {width} pixels."
                )
            if run.any():
                raise ValueError(f"instance {label} shares pixels with instance {run.max()}: the run {start} {length}.")
            run[:] = label
    return pixels.reshape(width, height).T


def write_submission(images, path):
    """Write a submission, whole or not at all; returns the number of instances.

    Args:
        images: iterable of (image id, labels (H, W)).
        path: of the CSV.
    """
    count = 0
    with replace_when_whole(path) as partial, open(partial, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for image_id, labels in images:
            codes = encode_instances(labels)
            writer.writerows((image_id, code) for code in codes or [""])
            count += len(codes)
    return count


def read_submission(path):
    """Read a submission: {image id: list of run-length codes}, an empty list for an image without instances.

    Raises:
        ValueError: the file has not the two columns.
    """
    with open(path, newline="") as file:
        rows = csv.DictReader(file)
        if not set(COLUMNS) <= set(rows.fieldnames or ()):
            raise ValueError(f"{path}: expected the columns {', '.join(COLUMNS)}, got {rows.fieldnames}.")
        codes = {}
        for row in rows:
            of_image = codes.setdefault(row["ImageId"], [])
            if (row["EncodedPixels"] or "").strip():
                of_image.append(row["EncodedPixels"])
    return codes
