"""Images that an 8-bit model is calibrated on: those given, or simulated stills."""

import numpy as np

from somaseg.data.intensity import normalize_contrast

SIDE_PX = 256
SIMULATED = 24
_SEED = 930_000  # far from the seeds of the training stills and of examples/


def calibration_batches(images, *, size_px=None):
    """Centre crops of one size, a multiple of 16, as float32 (1, side, side, 3) each.

    Args:
        images: uint8 (H, W, 3), contrast-stretched, at least 16 x 16.
        size_px: None, or the side that the model takes: smaller images are continued by their mirror image.

    Raises:
        ValueError: there is no image, or one is too small.
    """
    if not images:
        raise ValueError("int8 needs representative images to calibrate on: pass --representative FOLDER.")
    least = min(min(image.shape[:2]) for image in images)
    if least < 16:
        raise ValueError("A representative image must be at least 16 x 16 pixels.")
    side = size_px or min(SIDE_PX, least) // 16 * 16
    for image in images:
        short = [(0, max(0, side - length)) for length in image.shape[:2]]
        whole = np.pad(image, (*short, (0, 0)), mode="symmetric")
        y, x = (whole.shape[0] - side) // 2, (whole.shape[1] - side) // 2
        yield whole[None, y : y + side, x : x + side].astype(np.float32)


def simulated_images(count=SIMULATED):
    """Simulated stills of all looks, contrast-stretched: a list of uint8 (256, 256, 3)."""
    import dataclasses

    from somaseg.simulation import LOOKS, draw_parameters, simulate_still

    images = []
    for i in range(count):
        random = np.random.default_rng(np.random.SeedSequence([_SEED, i]))
        drawn = draw_parameters(list(LOOKS)[i % len(LOOKS)], rng=random)
        parameters = dataclasses.replace(drawn, height_px=SIDE_PX, width_px=SIDE_PX)
        images.append(normalize_contrast(simulate_still(parameters, seed=_SEED + i).image))
    return images
