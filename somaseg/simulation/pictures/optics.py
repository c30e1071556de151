"""What tissue, microscope, camera and display do to the light of a simulated still."""

import cv2
import numpy as np

from somaseg.simulation.pictures.parameters import StillParameters


def tissue_haze(parameters: StillParameters, rng: np.random.Generator) -> np.ndarray:
    """Smooth light from out of focus, (H, W) float32 in typical soma peaks: clouds and one side.

    Its largest value is about `haze_fraction`; half of it is a slope towards the bright side of
    the tissue, half are clouds of the size `haze_sigma_um`. A fine grain rides on it.
    """
    p = parameters
    shape, scale = (p.height_px, p.width_px), p.haze_sigma_um / p.um_per_px
    clouds = smooth_noise(shape, scale, rng)
    y, x = (np.arange(n, dtype=np.float32) - n * rng.uniform(0.2, 0.8) for n in shape)
    angle = rng.uniform(0.0, 2.0 * np.pi)
    slope = np.tanh((np.sin(angle) * y[:, None] + np.cos(angle) * x[None]) / (1.2 * scale))
    haze = np.float32(p.haze_fraction) * np.clip(0.4 + 0.25 * slope + 0.17 * clouds, 0.0, 1.0)
    if p.texture_fraction:
        fine = p.texture_sigma_um / p.um_per_px
        grain = 0.8 * smooth_noise(shape, fine, rng) + 0.6 * smooth_noise(shape, 4 * fine, rng)
        haze = np.maximum(haze + np.float32(p.texture_fraction) * grain, 0.0)
    return haze.astype(np.float32)


def add_glow(light: np.ndarray, parameters: StillParameters) -> np.ndarray:
    """Move a share of the light into the wide foot of the PSF."""
    p = parameters
    if not p.glow_fraction:
        return light
    fraction = np.float32(p.glow_fraction)
    return light * (1 - fraction) + fraction * blur(light, p.glow_sigma_um / p.um_per_px)


def blur(light: np.ndarray, sigma_px: float) -> np.ndarray:
    """Gaussian blur with darkness outside, on a coarser grid where that makes no difference."""
    shrink = int(np.clip(sigma_px / 2.0, 1, max(1, min(light.shape) // 4)))
    if shrink == 1:
        return cv2.GaussianBlur(light, (0, 0), sigma_px, borderType=cv2.BORDER_CONSTANT)
    small = [max(1, n // shrink) for n in light.shape]
    coarse = cv2.resize(light, small[::-1], interpolation=cv2.INTER_AREA)
    coarse = cv2.GaussianBlur(coarse, (0, 0), sigma_px / shrink, borderType=cv2.BORDER_CONSTANT)
    return cv2.resize(coarse, light.shape[::-1], interpolation=cv2.INTER_LINEAR)


def marker_light(parameters: StillParameters, rng: np.random.Generator) -> np.ndarray | None:
    """Blurred nuclei of the tissue in another stain, (H, W) float32; None without a marker."""
    p = parameters
    if not p.marker_fraction:
        return None
    scale = 1.0 / p.um_per_px
    light = np.zeros((p.height_px, p.width_px), np.float32)
    for _ in range(rng.poisson(p.marker_count)):
        centre = rng.uniform(0.0, light.shape)
        axes = rng.uniform((3.0, 2.4), (4.6, 3.6)) * scale
        cv2.ellipse(
            light,
            (int(centre[1] * 16), int(centre[0] * 16)),
            tuple(int(a) for a in np.maximum(axes * 16, 8)),
            float(rng.uniform(0.0, 180.0)),
            0.0,
            360.0,
            float(rng.uniform(0.25, 1.0)),
            -1,
            cv2.LINE_8,
            4,
        )
    sharp = cv2.GaussianBlur(light, (0, 0), 0.7 * scale)
    return np.float32(p.marker_fraction) * (0.7 * sharp + 0.3 * blur(light, 4.0 * scale))


def vignette(parameters: StillParameters) -> np.ndarray | np.float32:
    """Share of the light that reaches each pixel, (H, W): 1 in the centre, least in the corners."""
    p = parameters
    if not p.vignetting_fraction:
        return np.float32(1.0)
    y, x = (np.linspace(-1.0, 1.0, n, dtype=np.float32) for n in (p.height_px, p.width_px))
    return 1.0 - np.float32(p.vignetting_fraction / 2) * (y[:, None] ** 2 + x[None] ** 2)


def expose(light: np.ndarray, parameters: StillParameters, rng: np.random.Generator) -> np.ndarray:
    """Electrons that the camera counts, with its noise, from light in typical soma peaks."""
    p = parameters
    electrons = light * np.float32(p.photons_at_soma_peak) + np.float32(p.background_photons)
    if p.shot_noise:
        electrons = rng.poisson(electrons).astype(np.float32)
    if p.read_noise_sd:
        noise = rng.standard_normal(electrons.shape, dtype=np.float32)
        electrons += np.float32(p.read_noise_sd) * noise
    return electrons


def add_hot_pixels(electrons: np.ndarray, parameters: StillParameters, rng: np.random.Generator) -> None:
    """Raise single pixels of each channel towards a soma's brightness, in place."""
    p = parameters
    for channel in electrons:
        count = rng.poisson(p.hot_pixel_count)
        y, x = (rng.integers(0, n, count) for n in channel.shape)
        channel[y, x] += (rng.uniform(0.3, 1.5, count) * p.photons_at_soma_peak).astype(np.float32)


def display_levels(electrons: np.ndarray, parameters: StillParameters) -> np.ndarray:
    """Levels in 0..1 from electrons: the black level, white level and gamma of the display."""
    p = parameters
    black = p.black_at_background * p.background_photons
    white = black + p.white_at_soma_peaks * p.photons_at_soma_peak
    levels = np.clip((electrons - np.float32(black)) / np.float32(white - black), 0.0, 1.0)
    return levels if p.gamma == 1.0 else levels ** np.float32(p.gamma)


def quantise(rgb: np.ndarray, parameters: StillParameters) -> np.ndarray:
    """Whole levels from levels in 0..1: uint8 at 8 bits, else uint16 up to 2**bit_depth - 1."""
    p = parameters
    if p.bit_depth != 8:
        return np.rint(rgb * np.float32(2**p.bit_depth - 1)).astype(np.uint16)
    image = np.rint(rgb * np.float32(255)).astype(np.uint8)
    return compress_jpeg(image, p.jpeg_quality) if p.jpeg_quality else image


def compress_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """A uint8 RGB image as it is after having been a JPEG file of this quality, 1 to 100."""
    coded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.ascontiguousarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1])


def smooth_noise(shape, sigma_px, rng):
    """Gaussian random field, float32 of `shape`, of about unit variance and correlation length `sigma_px`."""
    # Three grid steps per sigma: coarse enough to be quick, fine enough to show no grid.
    step = max(1.0, sigma_px / 3.0)
    sigma = sigma_px / step
    coarse = rng.standard_normal([int(np.ceil(n / step)) + 2 for n in shape], dtype=np.float32)
    coarse = cv2.GaussianBlur(coarse, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    coarse *= np.float32(max(1.0, 2.0 * np.sqrt(np.pi) * sigma))
    return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_LINEAR)
