"""Pictures of where a segmentation is wrong: each soma coloured by what became of it, the worst images first.

The colours are from the palette of Okabe and Ito, which people with any of the common colour blindnesses can tell
apart; what is right has a thin outline, what is wrong a thick one and a tint.
"""

import re

import cv2
import numpy as np

from somaseg.data.intensity import as_rgb, contrast_limits, stretch
from somaseg.files import replace_when_whole
from somaseg.segmentation.instance_matching import Outcome, find_merges, tell_outcomes
from somaseg.segmentation.instance_overlaps import overlap_instances
from somaseg.segmentation.overlay import png_bytes

COLOURS = {
    "found": (86, 180, 233),
    "missed": (213, 94, 0),
    "false": (240, 228, 66),
    "merged": (204, 121, 167),
    "split": (0, 158, 115),
}
_SMALL_PX, _LARGE_PX, _MOST_ENLARGED = 384, 1024, 4
_GAP_PX, _LINE_PX, _LEAST_WIDTH_PX = 8, 26, 860
_BRIGHTEST = 170  # of the image under the outlines, so that light outlines show on it
_TINT = 0.35


def draw_error_panel(truth, prediction, image=None, *, title=""):
    """Draw one image, its truth and its prediction side by side, coloured by what became of each instance.

    A true soma is found (matched at an IoU of 0.5), missed, merged with others into one prediction, or split into
    several. A prediction is found, false, one that merges, or a piece of a split. What is merged or split is shown as
    that even where it is matched too.

    Args:
        truth: integer (H, W), 0 = background.
        prediction: the same.
        image: None, or (H, W[, C]) of any real dtype.
        title: str, written on top, before the counts.

    Returns:
        uint8 (height, width, 3) RGB. A small image is enlarged by a whole factor, at most 4; a large one is shrunk to
        1024 pixels on its longer side.

    Raises:
        ValueError: the shapes differ.
    """
    if image is not None and np.shape(image)[:2] != np.shape(truth):
        raise ValueError(f"the image is {np.shape(image)}, its labels are {np.shape(truth)}.")
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    overlaps = overlap_instances(truth, prediction)
    of_truth, of_prediction = tell_outcomes(overlaps)
    size = _shown_size(*truth.shape)
    views, ground = [], np.zeros((*size, 3), np.uint8)
    if image is not None:
        picture = as_rgb(image)
        picture = _resize(stretch(picture, contrast_limits(picture)), size, smooth=True)
        views.append(_captioned(picture, "image"))
        gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
        ground = np.repeat((gray * (_BRIGHTEST / 255)).astype(np.uint8)[..., None], 3, axis=2)
    for labels, known, outcome, unmatched, caption in (
        (truth, overlaps.true_labels, of_truth, "missed", "truth"),
        (prediction, overlaps.predicted_labels, of_prediction, "false", "prediction"),
    ):
        numbers = _resize(np.searchsorted(known, labels, side="right").astype(np.int32), size)
        names = {Outcome.FOUND: "found", Outcome.UNMATCHED: unmatched, Outcome.SPLIT: "split", Outcome.MERGED: "merged"}
        colour = np.array([(0, 0, 0), *(COLOURS[names[kind]] for kind in outcome)], np.uint8)
        wrong = np.array([False, *(outcome != Outcome.FOUND)])
        views.append(_captioned(_paint(ground, numbers, colour, wrong), caption))
    return _assemble(views, title, _counts(overlaps, of_truth, of_prediction))


def save_error_panels(scores, load, folder, *, count, heading=""):
    """Save the pictures of the images with the lowest AP at 0.5, of equal ones the lowest IoU.

    An image in which nothing is missed, false, merged or split has no picture.

    Args:
        scores: `somaseg.segmentation.evaluation.Scores`.
        load: function that gives (truth, prediction, image or None) of the image in row `index` of the scores.
        folder: `pathlib.Path`, made if need be. Files are named by rank, AP and image.
        count: int, at most so many pictures.
        heading: str, put before the name of each image, such as what was simulated.

    Returns:
        list of paths.
    """
    table = scores.images
    wrong = (table["ap_0.50"] < 1) | (table["merges"] > 0) | (table["splits"] > 0)
    paths = []
    for rank, index in enumerate(table[wrong].sort_values(["ap_0.50", "iou"], kind="stable").index[:count], start=1):
        name, ap = str(table["image"][index]), table["ap_0.50"][index]
        title = f"{heading}{name}: AP {ap:.2f} at IoU 0.5"
        safe = re.sub(r"[^\w.-]", "_", name)[:40]
        path = folder / f"{rank:02d}_ap_{ap:.2f}_{safe}.png"
        with replace_when_whole(path) as partial:
            partial.write_bytes(png_bytes(draw_error_panel(*load(index), title=title)))
        paths.append(path)
    return paths


def _counts(overlaps, of_truth, of_prediction):
    """What the legend says: name of the colour and text."""
    merged, split = find_merges(overlaps)
    into = len(np.unique(overlaps.predicted[merged])), int(split.sum())
    return {
        "found": f"{int(np.sum(of_truth == Outcome.FOUND))} found",
        "missed": f"{int(np.sum(of_truth == Outcome.UNMATCHED))} missed",
        "false": f"{int(np.sum(of_prediction == Outcome.UNMATCHED))} false",
        "merged": f"{int(merged.sum())} merged" + f" into {into[0]}" * bool(into[0]),
        "split": f"{len(np.unique(overlaps.true[split]))} split" + f" into {into[1]}" * bool(into[1]),
    }


def _shown_size(height, width):
    factor = _LARGE_PX / max(height, width)
    if factor >= 1:
        factor = min(int(factor), _MOST_ENLARGED, -(-_SMALL_PX // min(height, width)))
    return max(1, round(height * factor)), max(1, round(width * factor))


def _resize(array, size, *, smooth=False):
    shrinks = size[0] < array.shape[0]
    return cv2.resize(array, size[::-1], interpolation=cv2.INTER_AREA if smooth and shrinks else cv2.INTER_NEAREST)


def _paint(ground, numbers, colour, wrong):
    """Outlines inside each instance over the ground: 1 pixel wide, of those that are wrong 2, and a tint."""
    picture = ground.copy()
    tinted = wrong[numbers]
    picture[tinted] = ((1 - _TINT) * picture[tinted] + _TINT * colour[numbers[tinted]]).astype(np.uint8)
    edge = _edge(numbers, 1) | (_edge(numbers, 2) & tinted)
    picture[edge] = colour[numbers[edge]]
    return picture


def _edge(numbers, width):
    """Pixels of instances from which another number is at most `width` pixels away, in a row or column."""
    edge = np.zeros(numbers.shape, bool)
    for shift in range(1, width + 1):
        down, right = numbers[shift:] != numbers[:-shift], numbers[:, shift:] != numbers[:, :-shift]
        edge[shift:] |= down
        edge[:-shift] |= down
        edge[:, shift:] |= right
        edge[:, :-shift] |= right
    return edge & (numbers > 0)


def _captioned(picture, caption):
    line = np.full((_LINE_PX, picture.shape[1], 3), 255, np.uint8)
    _write(line, caption, 4)
    return np.concatenate([line, picture])


def _assemble(views, title, counts):
    gap = np.full((views[0].shape[0], _GAP_PX, 3), 255, np.uint8)
    row = np.concatenate([part for view in views for part in (view, gap)][:-1], axis=1)
    width = max(row.shape[1], _LEAST_WIDTH_PX)
    row = np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255)
    head, foot = np.full((2, _LINE_PX, width, 3), 255, np.uint8)
    _write(head, title, 4)
    for number, (name, text) in enumerate(counts.items()):
        x = 4 + number * (width - 8) // len(counts)
        foot[7:19, x : x + 12] = COLOURS[name]
        _write(foot, text, x + 18)
    return np.concatenate([head, row, foot])


def _write(line, text, x):
    cv2.putText(line, text, (x, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
