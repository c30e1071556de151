"""Simulated stills: somas touch when they are to, and of two the nearer is on top."""

import cv2
import numpy as np

from somaseg.simulation import simulate_still, stills


def test_touching_fraction_makes_somas_touch_and_zero_keeps_them_apart(quiet):
    together = [simulate_still(quiet(cell_count=10, touching_fraction=0.7), seed=s) for s in (1, 2)]
    apart = [simulate_still(quiet(cell_count=10, touching_fraction=0.0), seed=s) for s in range(6)]
    assert all(len(touching_pairs(still.instances)) >= 2 for still in together)
    assert all(still.instances.max() >= 3 for still in apart)
    assert not any(touching_pairs(still.instances) for still in apart)


def test_of_two_overlapping_somas_the_nearer_is_on_top(quiet):
    p = quiet(cell_count=(2, 2), touching_fraction=1.0, depth_sd_um=2.0, brightness_cv=0.0)
    overlaps = 0
    for seed in range(8):
        still = simulate_still(p, seed=seed)
        if still.instances.max() < 2:
            continue
        near, far = sorted(still.cells, key=lambda cell: cell.depth_um)
        both = outline_mask(near, p) & outline_mask(far, p)
        overlaps += np.count_nonzero(both)
        assert np.all(still.instances[both] == near.label)
    assert overlaps > 20


def test_a_soma_cut_in_two_by_a_nearer_one_keeps_its_larger_piece(monkeypatch, quiet):
    def across(p, rng):
        drawn = {"dents": (), "blur_um": 0.35, "in_focal_slab": True, "peak_photons": 150.0}
        under = stills.Cell((64.0, 64.0), 39.0, 6.5, 30.0, depth_um=2.0, **drawn)
        over = stills.Cell((57.0, 76.0), 26.0, 6.5, 90.0, depth_um=0.0, **drawn)
        return [under, over]

    monkeypatch.setattr(stills, "place_cells", across)
    instances = simulate_still(quiet(), seed=0).instances
    # The tilted soma rises to the right, where the upright one cuts its upper end off.
    lower_end, crossing, upper_end = (74, 47), (57, 76), (51, 86)
    assert [instances[point] for point in (lower_end, crossing, upper_end)] == [1, 2, 0]
    assert cv2.connectedComponents((instances == 1).astype(np.uint8), connectivity=4)[0] == 2


def touching_pairs(instances: np.ndarray) -> set[tuple[int, int]]:
    pairs = set()
    for one, other in ((instances[:, 1:], instances[:, :-1]), (instances[1:], instances[:-1])):
        meet = (one != other) & (one > 0) & (other > 0)
        pairs |= {tuple(sorted(pair)) for pair in zip(one[meet], other[meet], strict=True)}
    return pairs


def outline_mask(cell, parameters) -> np.ndarray:
    y, x = np.mgrid[: parameters.height_px, : parameters.width_px]
    return cell.outline_level(y, x, um_per_px=parameters.um_per_px) <= 1.0
