"""Simulated stills: the instances are the somas that can be seen, where they can be seen."""

import dataclasses

import cv2
import numpy as np
import pytest

from somaseg.simulation import LOOKS, simulate_still


@pytest.mark.parametrize("seed", range(4))
def test_every_label_is_one_piece_and_ids_are_contiguous(seed):
    still = simulate_still(LOOKS["dense_hazy"], seed=seed)
    labels = np.unique(still.instances)
    np.testing.assert_array_equal(labels, np.arange(len(labels)))
    assert len(labels) > 2
    for label in labels[1:]:
        piece = (still.instances == label).astype(np.uint8)
        assert cv2.connectedComponents(piece, connectivity=4)[0] == 2
    assert sorted(c.label for c in still.cells if c.label) == labels[1:].tolist()


@pytest.mark.parametrize("irregularity", [0.0, 0.1])
def test_truth_has_the_area_of_the_drawn_ellipse(irregularity, quiet):
    checked = 0
    for seed in range(4):
        p = quiet(height_px=256, width_px=256, touching_fraction=0.0, soma_irregularity=irregularity)
        still = simulate_still(p, seed=seed)
        edge = np.ones_like(still.instances, bool)
        edge[1:-1, 1:-1] = False
        for cell in still.cells:
            cut = cell.label in still.instances[edge]
            if not cell.label or cut:
                continue
            area_um2 = np.pi / 4 * cell.length_um * cell.width_um
            counted_um2 = np.count_nonzero(still.instances == cell.label) * p.um_per_px**2
            # Pixels on the outline are counted whole or not: 4 % of about 180 pixels.
            assert counted_um2 == pytest.approx(area_um2, rel=0.04)
            checked += 1
    assert checked > 10


def test_truth_lies_where_the_light_is(quiet):
    still = simulate_still(quiet(touching_fraction=0.0, brightness_cv=0.2), seed=3)
    green = still.image[..., 1].astype(int)
    ground = green.min()
    half = ground + (np.median(green[still.instances > 0]) - ground) / 2
    lit, true = green > half, still.instances > 0
    assert still.instances.max() >= 3
    assert np.count_nonzero(lit & true) / np.count_nonzero(lit | true) > 0.8


def test_cells_far_out_of_focus_are_in_the_image_but_not_in_the_truth(quiet):
    p = quiet(
        cell_count=(4, 4),
        depth_sd_um=4.0,
        out_of_focus_fraction=1.0,
        out_of_focus_um=(50.0, 70.0),
        brightness_cv=0.0,
    )
    still = simulate_still(p, seed=0)
    assert len(still.cells) == 4 and not still.instances.any()
    assert still.image[..., 1].max() > still.image[..., 1].min() + 10
    sharp = simulate_still(dataclasses.replace(p, out_of_focus_fraction=0.0), seed=0)
    assert sharp.instances.max() >= 3


def test_a_soma_lost_in_the_light_of_its_ground_is_not_in_the_truth(quiet):
    p = quiet(cell_count=(4, 4), brightness_cv=0.0, touching_fraction=0.0)
    # 600 photons of ground under somas of 150: a contrast of a quarter.
    drowned = dataclasses.replace(p, background_photons=600.0, white_at_soma_peaks=6.0)
    assert simulate_still(p, seed=3).instances.max() >= 3
    assert simulate_still(drowned, seed=3).instances.max() == 0
