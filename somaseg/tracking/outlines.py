"""From label images to the polygons that other programs draw: along the edges of pixels, so that nothing is lost."""

import cv2
import numpy as np
from scipy import ndimage

from somaseg.tracking.compact_labels import compact_labels


def outline_polygons(labels):
    """The outline of each label of one frame.

    It runs along the edges of the pixels: the pixel (y, x) covers y to y + 1 and x to x + 1, as ImageJ counts, and the
    polygon of a single pixel has its four corners. The area inside is the number of pixels, with holes filled. Of a
    label in several pieces (8-connected) the largest is outlined.

    Args:
        labels: integer (Y, X), 0 = background.

    Returns:
        list of (label, polygon) by increasing label; polygon is int (n, 2), the corners as (y, x), without a repeated
        end.

    Example:

    >>> outline_polygons(np.array([[0, 0, 0], [0, 7, 7]]))[0][1].tolist()
    [[1, 1], [2, 1], [2, 3], [1, 3]]
    """
    ids, positions = compact_labels(labels)
    boxes = enumerate(ndimage.find_objects(positions), start=1)
    return [(int(ids[n - 1]), _polygon(positions[box] == n) + _corner(box)) for n, box in boxes]


def polygon_area(polygon):
    """Area of a polygon (n, 2), in the square of its unit (shoelace formula).

    >>> float(polygon_area(np.array([[0, 0], [2, 0], [2, 3], [0, 3]])))
    6.0
    """
    y, x = np.asarray(polygon, float).T
    return abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def _corner(box):
    return [side.start for side in box]


def _polygon(mask):
    # In the mask at twice the size a contour runs through the pixels 2x and 2x + 1 of pixel x: half of that, rounded
    # up, is the edge that lies outside.
    double = mask.repeat(2, axis=0).repeat(2, axis=1).astype(np.uint8)
    contours = cv2.findContours(double, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
    corners = [(contour[:, 0, ::-1] + 1) // 2 for contour in contours]
    return _without_needless(corners[0] if len(corners) == 1 else max(corners, key=polygon_area))


def _without_needless(points):
    """The polygon without points that repeat the one before or lie on a straight line between their neighbours."""
    step = np.diff(points, axis=0, append=points[:1])
    moved = step.any(axis=1)
    points, step = points[moved], step[moved]
    before = np.concatenate([step[-1:], step[:-1]])
    return points[before[:, 0] * step[:, 1] != before[:, 1] * step[:, 0]]
