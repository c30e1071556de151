import cv2
import numpy as np
import pytest

from somaseg.simulation import simulate_still
from somaseg.simulation.handling import _STEPS, handle_picture


def disc_picture():
    """A disc of 200 on a ground of 40 with some noise, and where it is."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:96, :80]
    inside = (y - 50) ** 2 + (x - 30) ** 2 < 9**2
    gray = np.where(inside, 200, 40) + rng.normal(0, 4, inside.shape)
    return np.repeat(gray.round().astype(np.uint8)[..., None], 3, axis=2), inside


@pytest.mark.parametrize("step", _STEPS, ids=lambda step: step.__name__)
def test_each_step_changes_the_picture_and_moves_nothing(step):
    image, inside = disc_picture()
    for seed in range(5):
        handled = step(image.astype(np.float32), np.random.default_rng(seed)).clip(0, 255)
        assert handled.shape == image.shape
        assert np.abs(handled - image).mean() > 0.2
        bright = (handled.max(axis=2) > (handled[inside].mean() + handled[~inside].mean()) / 2).astype(np.uint8)
        found = cv2.connectedComponentsWithStats(bright)
        largest = 1 + np.argmax(found[2][1:, cv2.CC_STAT_AREA])
        assert np.abs(found[3][largest] - (30, 50)).max() < 1
        overlap = inside & (found[1] == largest)
        assert overlap.sum() > 0.8 * (inside | (found[1] == largest)).sum()


def test_a_picture_stays_a_picture_and_follows_the_generator():
    image = simulate_still(seed=1).image
    first, again, other = (handle_picture(image, rng=np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert first.dtype == np.uint8 and first.shape == image.shape
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert not np.array_equal(first, image)


def test_a_bright_ground_is_not_subtracted():
    image = np.full((32, 32, 3), 200, np.uint8)
    image[10:20, 10:20] = 60
    step = next(step for step in _STEPS if step.__name__ == "_subtract_ground")
    assert np.array_equal(step(image.astype(np.float32), np.random.default_rng(0)), image)
