"""Ways from a network's maps to instances that were tried beside `somaseg.segmentation.votes`, and lost to it."""

import cv2
import numpy as np

from somaseg.segmentation.instances import label_components, number_instances
from somaseg.segmentation.votes import label_by_votes


def by_components(maps, *, threshold, minimum_area_px):
    """Connected components of the mask: what the paper's network gives."""
    return label_components(maps["mask"], threshold=threshold, minimum_area_px=minimum_area_px)


def by_border(maps, *, threshold, minimum_area_px):
    """Seeds where mask minus border is high, flooded over the mask (Data Science Bowl 2018, 1st place, in outline)."""
    height = maps["mask"] - maps["border"]
    return _flooded(height > 0.4, maps["mask"] > threshold, height, minimum_area_px)


def by_distance(maps, *, threshold, minimum_area_px, least=0.4):
    """Seeds where the relative distance to the outline is high, flooded over the mask."""
    mask = maps["mask"] > threshold
    return _flooded((maps["distance"] - maps["border"] > least) & mask, mask, maps["distance"], minimum_area_px)


def by_votes(maps, *, threshold, minimum_area_px, vote_spread_px=2.5):
    """`somaseg.segmentation.votes.label_by_votes`, as the segmenter has it."""
    offsets = maps["offset_y"], maps["offset_x"]
    labels = label_by_votes(maps["mask"], *offsets, threshold=threshold, spread_px=vote_spread_px)
    return number_instances(labels, minimum_area_px=minimum_area_px)


DECODERS = {"components": by_components, "border": by_border, "distance": by_distance, "votes": by_votes}


def _flooded(seeds, mask, height, minimum_area_px):
    """Watershed of `height` from the pieces of `seeds`; a piece of the mask without a seed is one too."""
    markers = cv2.connectedComponents(seeds.astype(np.uint8), connectivity=4, ltype=cv2.CV_32S)[1]
    pieces = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S)[1]
    seeded = np.zeros(pieces.max() + 1, bool)
    seeded[np.unique(pieces[markers > 0])] = True
    alone = np.where(mask & ~seeded[pieces], pieces + markers.max(), 0)
    markers = np.where(alone > 0, alone, markers)
    ground = int(markers.max()) + 1
    flooded = np.pad(np.where(mask, markers, ground), 1, constant_values=ground).astype(np.int32)
    relief = np.pad((255 * (1 - np.clip(height, 0, 1))).astype(np.uint8), 1, constant_values=255)
    cv2.watershed(cv2.merge([relief] * 3), flooded)
    flooded = flooded[1:-1, 1:-1]
    labels = np.where((flooded > 0) & (flooded < ground), flooded, 0).astype(np.float32)
    for _ in range(2):  # the lines between the floods go to a neighbour
        labels = np.where(mask & (labels == 0), cv2.dilate(labels, np.ones((3, 3), np.uint8)), labels)
    return number_instances(np.where(mask, labels, 0).astype(np.int32), minimum_area_px=minimum_area_px)
