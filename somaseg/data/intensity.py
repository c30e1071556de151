"""Bring any microscope's images to what the network knows: three channels, false colour as gray, stretched to 0..255.

The stretch is one for all channels, and computed once per image and never per tile, so that tiles of one image agree.
"""

import numpy as np

LOW_PERCENTILE = 1.0
HIGH_PERCENTILE = 99.8
NOISE_RANGE = 16.0
FAINT = 0.5
SAME_SIGNAL = 0.9
_MOST_PIXELS = 1 << 20
_ROWS = 1024  # stretched at a time
_COUNTED = (np.uint8, np.uint16)


def as_rgb(image):
    """An image of shape (H, W), (H, W, 1), (H, W, 2), (H, W, 3) or (H, W, 4) as (H, W, 3), same dtype.

    Gray is repeated; of two channels the third is zero; the fourth of four is taken for opacity and dropped.

    Raises:
        ValueError: any other shape.
    """
    image = np.asarray(image)
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or not 1 <= image.shape[-1] <= 4:
        raise ValueError(
            f"An image must have shape (H, W) or (H, W, 1 to 4), got {image.shape}. "
            "Of a stack or movie pass one plane at a time."
        )
    if image.shape[-1] == 1:
        return np.repeat(image, 3, axis=-1)
    if image.shape[-1] == 2:
        return np.concatenate([image, np.zeros_like(image[..., :1])], axis=-1)
    return image[..., :3]


def merge_false_colour(rgb):
    """An image that shows one signal in a false colour, such as GFP in green, as gray; any other as it is.

    The channel that reaches highest is the signal. A channel that reaches less than half as high is faint: bleed
    or a dim second marker. If there is a faint channel, and each one that is not follows the signal (correlation above
    0.9, as both channels of magenta do), the image shows one signal, and the result repeats it three times. Stained
    tissue has no faint channel, and two bright markers do not follow each other: these stay in colour.

    Args:
        rgb: (H, W, 3).

    Returns:
        (H, W, 3), same dtype.
    """
    values = _thin(rgb).reshape(-1, 3).astype(np.float64)
    height = np.percentile(values, HIGH_PERCENTILE, axis=0)
    signal = int(np.argmax(height))
    faint = height < FAINT * height[signal]
    if not faint.any():
        return rgb
    for channel in np.flatnonzero(~faint):
        if not _correlation(values[:, channel], values[:, signal]) > SAME_SIGNAL:
            return rgb
    return np.repeat(rgb[..., signal : signal + 1], 3, axis=-1)


def contrast_limits(image):
    """The intensities (low, high) that are stretched to 0 and 255, over all channels of (H, W, C) together.

    low is the 1st and high the 99.8th percentile of all values of the brightest channel and the channels like it, so
    that colour is kept. A range of less than 16 standard deviations of the pixel noise is widened to that, so that
    a blank frame stays dark instead of having its noise stretched.

    Returns:
        (low, high), floats with high > low.
    """
    if all(np.array_equal(image[..., 0], image[..., channel]) for channel in range(1, image.shape[-1])):
        image = image[..., :1]  # gray: the same percentiles from a third of the values
    sample = _thin(image)
    low = percentile(sample, LOW_PERCENTILE)
    high = percentile(sample.max(axis=-1), HIGH_PERCENTILE)
    noise = noise_level(image)
    if np.issubdtype(image.dtype, np.integer):
        noise = max(noise, 12**-0.5)  # of rounding: the median is blind to noise of less than a level
    high = max(high, low + NOISE_RANGE * noise)
    if not high > low:  # less than the upper percentile differs from the background
        high = sample.max()
    if not high > low:
        high = low + 1.0
    return float(low), float(high)


def stretch(image, limits):
    """`image` as uint8 with limits[0] at 0 and limits[1] at 255; values beyond are cut off."""
    low, high = limits
    image = np.asarray(image)
    stretched = np.empty(image.shape, np.uint8)
    for top in range(0, len(image), _ROWS):  # of a large image every copy counts
        scaled = (np.asarray(image[top : top + _ROWS], np.float32) - np.float32(low)) * np.float32(255.0 / (high - low))
        stretched[top : top + _ROWS] = np.clip(np.rint(scaled, out=scaled), 0, 255, out=scaled)
    return stretched


def normalize_contrast(image):
    """Any image (H, W[, 1..4]) of any real dtype as the network's input: uint8 (H, W, 3), stretched to 0..255."""
    image = np.asarray(image)
    if image.ndim == 2 or (image.ndim == 3 and image.shape[-1] == 1):  # gray: once for all three channels
        gray = image.reshape(*image.shape[:2], 1)
        return as_rgb(stretch(gray, contrast_limits(gray)))
    rgb = merge_false_colour(as_rgb(image))
    return stretch(rgb, contrast_limits(rgb))


def noise_level(image):
    """Standard deviation of the pixel noise, robust to content: the median absolute second difference along x.

    The second difference of white noise has sqrt(6) times its deviation; a normal variable's median absolute value is
    0.6745 of its deviation. Quantisation to whole numbers is not counted as noise.

    Returns:
        float, 0.0 for an image narrower than 3 pixels.
    """
    plane = np.asarray(image)
    plane = plane if plane.ndim == 2 else plane[..., int(np.argmax(plane.reshape(-1, plane.shape[-1]).mean(0)))]
    if plane.shape[1] < 3:
        return 0.0
    plane = plane[:: max(1, plane.size // _MOST_PIXELS)]
    counted = plane.dtype in _COUNTED
    plane = plane.astype(np.int32 if counted else np.float32)
    second = np.abs(plane[:, 2:] - 2 * plane[:, 1:-1] + plane[:, :-2])
    if counted:
        median = sum(_values_at(second, [(second.size - 1) // 2, second.size // 2])) / 2
    else:
        median = np.median(second)
    return float(median / (0.6745 * np.sqrt(6.0)))


def percentile(values, percent):
    """As `numpy.percentile` in 64 bits (in 32 it depends on NumPy's version); 8 and 16 bits are counted, not sorted."""
    if values.dtype not in _COUNTED:
        return np.percentile(values.astype(np.float64), percent)
    place = (values.size - 1) * (percent / 100)
    below, above = _values_at(values, [int(place), min(int(place) + 1, values.size - 1)])
    share = place - int(place)
    # NumPy's own way to round.
    return above - (above - below) * (1 - share) if share >= 0.5 else below + (above - below) * share


def _values_at(values, ranks):
    """The values at these places of the sorted values, which are small whole numbers: counted and not sorted."""
    return np.searchsorted(np.cumsum(np.bincount(values.ravel())), ranks, side="right").tolist()


def _correlation(x, y):
    """Pearson's correlation; 1 of a channel with itself, NaN where a channel is constant."""
    if np.array_equal(x, y):
        return 1.0
    x, y = x - x.mean(), y - y.mean()
    scale = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / scale) if scale > 0 else np.nan


def _thin(image):
    step = max(1, int(np.sqrt(image.shape[0] * image.shape[1] / _MOST_PIXELS)))
    return image[::step, ::step]
