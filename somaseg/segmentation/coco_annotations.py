"""From label images to annotations in COCO's format (instances), as pycocotools, FiftyOne, CVAT and Detectron2 read it.

Outlines are run-length codes, not polygons: they hold exactly the pixels of each instance, with holes and loose parts.
Source of the format: https://cocodataset.org/#format-data.
"""

import json

import numpy as np

from somaseg.files import replace_when_whole
from somaseg.segmentation.run_lengths import instance_runs


def coco_annotations(images, *, category="soma", description=""):
    """The annotations of label images as a dict in COCO's format.

    Args:
        images: iterable of (file name, labels (H, W)).
        category: str, what each instance is; the only category.
        description: str, what the data are, such as "simulated stills".

    Returns:
        dict info, images, annotations, categories. Ids count from 1, annotations in the order of images and labels.
        Each annotation has area (pixels), bbox [x, y, width, height] (pixels, whole numbers), iscrowd 0, and as its
        segmentation {"size": [H, W], "counts": [...]}: lengths of runs down the columns, background first.

    >>> made = coco_annotations([("a.png", np.array([[0, 1], [2, 1]]))])
    >>> made["annotations"][0]["bbox"], made["annotations"][0]["segmentation"]["counts"]
    ([1, 0, 1, 2], [2, 2])
    """
    entries, annotations = [], []
    for image_id, (name, labels) in enumerate(images, start=1):
        height, width = np.shape(labels)
        entries.append({"id": image_id, "file_name": str(name), "height": height, "width": width})
        for starts, lengths in instance_runs(labels):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": 1,
                    "segmentation": {"size": [height, width], "counts": _counts(starts, lengths, height * width)},
                    "area": int(lengths.sum()),
                    "bbox": _bounding_box(starts, lengths, height),
                    "iscrowd": 0,
                }
            )
    return {
        "info": {"description": description, "version": "1.0"},
        "images": entries,
        "annotations": annotations,
        "categories": [{"id": 1, "name": category, "supercategory": "cell"}],
    }


def write_coco(images, path, *, category="soma", description=""):
    """Write `coco_annotations` as JSON, whole or not at all; returns the number of instances."""
    content = coco_annotations(images, category=category, description=description)
    with replace_when_whole(path) as partial:
        partial.write_text(json.dumps(content) + "\n")
    return len(content["annotations"])


def _counts(starts, lengths, size):
    """Lengths of the runs of background and instance in turn; a run that goes on from another is one with it."""
    ends = starts + lengths
    gaps = np.diff(np.concatenate([[0], np.stack([starts, ends], axis=1).ravel(), [size]]))
    return gaps.tolist() if gaps[-1] else gaps[:-1].tolist()


def _bounding_box(starts, lengths, height):
    ends = starts + lengths - 1
    left, right = starts[0] // height, ends[-1] // height
    if (starts // height != ends // height).any():  # a run over the foot of a column touches both edges
        top, bottom = 0, height - 1
    else:
        top, bottom = (starts % height).min(), (ends % height).max()
    return [int(left), int(top), int(right - left + 1), int(bottom - top + 1)]
