"""Simulated stills: processes, light and noise are what the parameters say, each by itself."""

import dataclasses

import cv2
import numpy as np
import pytest

from somaseg.simulation import simulate_still


def test_somas_are_brighter_than_their_processes(quiet):
    p = quiet(
        cell_count=(1, 1),
        height_px=256,
        width_px=256,
        leading_probability=1.0,
        swelling_probability=0.0,
        white_at_soma_peaks=6.0,
        bit_depth=16,
    )
    checked = 0
    for seed in range(8):
        still = simulate_still(p, seed=seed)
        (cell,) = still.cells
        points = np.rint(cell.processes[0].points_px[8:]).astype(int)
        points = points[np.all((points >= 0) & (points < 256), axis=1)]
        if not cell.label or len(points) < 5:
            continue
        ground = p.background_photons / p.photons_at_soma_peak / 6.0 * 65535
        soma = np.median(still.image[still.instances == 1][:, 1]) - ground
        process = np.median(still.image[points[:, 0], points[:, 1], 1]) - ground
        assert 0.02 * soma < process < 0.65 * soma
        assert not np.any(still.instances[points[:, 0], points[:, 1]])
        checked += 1
    assert checked >= 4


def test_leading_process_leaves_in_the_direction_of_the_cell(quiet):
    p = quiet(leading_probability=1.0, process_turn_deg=0.0, cell_count=(6, 6))
    for cell in simulate_still(p, seed=4).cells:
        dy, dx = cell.processes[0].points_px[-1] - cell.centre_px
        # Counter-clockwise as seen on screen: up is +90 degrees while y grows downwards.
        difference = np.rad2deg(np.arctan2(-dy, dx)) - cell.direction_deg
        assert abs((difference + 180.0) % 360.0 - 180.0) < 30.0


def test_with_everything_off_the_image_is_one_constant(quiet):
    still = simulate_still(quiet(cell_count=0), seed=0)
    assert not still.instances.any() and still.cells == ()
    # 10 background photons of a white level of 1.1 x 150 photons, in green; bleed 2 % elsewhere.
    assert np.unique(still.image.reshape(-1, 3), axis=0).tolist() == [[0, 15, 0]]


def test_without_processes_the_ground_beside_the_somas_is_exactly_constant(quiet):
    still = simulate_still(quiet(), seed=7)
    away = cv2.distanceTransform((still.instances == 0).astype(np.uint8), cv2.DIST_L2, 5) > 4
    unlabelled = [cell for cell in still.cells if not cell.label]
    for cell in unlabelled:
        away &= cell.outline_level(*np.mgrid[:128, :128], um_per_px=0.65) > 2.5
    assert still.instances.max() >= 3
    assert len(np.unique(still.image[away][:, 1])) == 1


@pytest.mark.parametrize(
    "element",
    [
        {"leading_probability": 1.0},
        {"trailing_probability": 1.0},
        {"neurite_count": 5.0},
        {"debris_count": 20.0},
        {"hot_pixel_count": 10.0},
        {"glow_fraction": 0.2},
        {"haze_fraction": 0.3},
        {"texture_fraction": 0.1},
        {"vignetting_fraction": 0.3},
        {"marker_fraction": 0.3},
        {"shot_noise": True},
        {"read_noise_sd": 3.0},
        {"jpeg_quality": 60},
    ],
    ids=lambda element: next(iter(element)),
)
def test_an_element_changes_the_image_and_leaves_the_somas_where_they_are(element, quiet):
    without, with_it = simulate_still(quiet(), seed=9), simulate_still(quiet(**element), seed=9)
    assert np.any(without.image != with_it.image)
    assert [c.centre_px for c in without.cells] == [c.centre_px for c in with_it.cells]
    assert [c.peak_photons for c in without.cells] == [c.peak_photons for c in with_it.cells]


@pytest.fixture
def camera(quiet):
    """Parameters of nothing but the camera: grey, 16 bit, one photon is 65535 / 400 levels."""
    return quiet(
        height_px=256,
        width_px=256,
        cell_count=0,
        look="gray_fluorescence",
        bit_depth=16,
        photons_at_soma_peak=400.0,
        white_at_soma_peaks=1.0,
        background_photons=100.0,
    )


def test_photon_noise_has_the_variance_of_its_mean(camera):
    image = simulate_still(dataclasses.replace(camera, shot_noise=True), seed=1).image
    photons = image[..., 0] * (400.0 / 65535.0)
    assert photons.mean() == pytest.approx(100.0, abs=0.3)
    assert photons.var() == pytest.approx(100.0, rel=0.03)


def test_read_noise_has_the_sd_asked_for(camera):
    image = simulate_still(dataclasses.replace(camera, read_noise_sd=5.0), seed=1).image
    assert (image[..., 0] * (400.0 / 65535.0)).std() == pytest.approx(5.0, rel=0.02)
