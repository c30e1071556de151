"""Any decoded image as the network's input, inside a TensorFlow graph: the twin of `somaseg.data.intensity`.

A server that is sent a PNG or JPEG file stretches it as the program does at home. Pixels are whole numbers, so that
percentiles and medians are read from histograms: no sorting, and the same number to the last bit.
"""

import numpy as np
import tensorflow as tf

from somaseg.data import intensity

LEVELS = 1 << 16


def normalize_contrast(image):
    """What `somaseg.data.intensity.normalize_contrast` makes of an image whose values are whole numbers.

    Args:
        image: int32 tensor (H, W, 3), values in 0..65535.

    Returns:
        float32 tensor (H, W, 3), whole numbers in 0..255.
    """
    rgb = _merge_false_colour(image)
    low, high = _contrast_limits(rgb)
    scale = tf.cast(255.0 / (high - low), tf.float32)
    return tf.clip_by_value(tf.round((tf.cast(rgb, tf.float32) - tf.cast(low, tf.float32)) * scale), 0.0, 255.0)


def _merge_false_colour(rgb):
    values = tf.reshape(_thin(rgb), (-1, 3))
    height = tf.stack([_percentile(values[:, channel], intensity.HIGH_PERCENTILE) for channel in range(3)])
    signal = tf.argmax(height, output_type=tf.int32)
    faint = height < intensity.FAINT * tf.gather(height, signal)
    brightest = tf.gather(values, signal, axis=1)
    follows = tf.stack([_follows(values[:, channel], brightest) for channel in range(3)])
    one_signal = tf.reduce_any(faint) & tf.reduce_all(faint | follows)
    gray = tf.repeat(tf.gather(rgb, signal, axis=2)[..., None], 3, axis=2)
    return tf.where(one_signal, gray, rgb)


def _follows(x, y):
    """Whether two channels are alike: Pearson's correlation above the limit; a constant channel follows none."""
    same = tf.reduce_all(x == y)
    x, y = tf.cast(x, tf.float64), tf.cast(y, tf.float64)
    x, y = x - tf.reduce_mean(x), y - tf.reduce_mean(y)
    scale = tf.sqrt(tf.reduce_sum(x * x) * tf.reduce_sum(y * y))
    return same | (tf.math.divide_no_nan(tf.reduce_sum(x * y), scale) > intensity.SAME_SIGNAL)


def _contrast_limits(rgb):
    sample = _thin(rgb)
    gray = tf.reduce_all(rgb == rgb[..., :1])
    of_one = tf.cond(gray, lambda: sample[..., :1], lambda: sample)
    low = _percentile(of_one, intensity.LOW_PERCENTILE)
    high = _percentile(tf.reduce_max(sample, axis=-1), intensity.HIGH_PERCENTILE)
    noise = tf.maximum(_noise_level(rgb), tf.constant(12**-0.5, tf.float64))
    high = tf.maximum(high, low + intensity.NOISE_RANGE * noise)
    return low, high  # of whole numbers the noise is never 0, so that high > low


def _noise_level(rgb):
    """`somaseg.data.intensity.noise_level`, float64: half the sum of the two middle values is their median."""
    means = tf.reduce_mean(tf.reshape(tf.cast(rgb, tf.float64), (-1, 3)), axis=0)
    plane = tf.gather(rgb, tf.argmax(means, output_type=tf.int32), axis=2)
    plane = plane[:: tf.maximum(1, tf.size(plane) // intensity._MOST_PIXELS)]
    second = tf.reshape(tf.abs(plane[:, 2:] - 2 * plane[:, 1:-1] + plane[:, :-2]), (-1,))
    count = tf.size(second)
    middle = _values_at(second, tf.stack([(count - 1) // 2, count // 2]), 4 * LEVELS)
    return tf.reduce_sum(tf.cast(middle, tf.float64)) / 2 / (0.6745 * np.sqrt(6.0))


def _percentile(values, percentile):
    """NumPy's linear percentile of a float64 array, with its order of operations."""
    values = tf.reshape(values, (-1,))
    place = tf.cast(tf.size(values) - 1, tf.float64) * tf.constant(percentile / 100, tf.float64)
    below = tf.floor(place)
    share = place - below
    ranks = tf.stack([tf.cast(below, tf.int32), tf.minimum(tf.cast(below, tf.int32) + 1, tf.size(values) - 1)])
    a, b = tf.unstack(tf.cast(_values_at(values, ranks, LEVELS), tf.float64))
    return tf.where(share >= 0.5, b - (b - a) * (1.0 - share), a + (b - a) * share)


def _values_at(values, ranks, levels):
    """The values at these places of the sorted values, which are whole numbers in 0..levels-1."""
    counted = tf.cumsum(tf.math.bincount(values, minlength=levels, maxlength=levels))
    return tf.searchsorted(counted, ranks, side="right")


def _thin(image):
    pixels = tf.cast(tf.shape(image)[0] * tf.shape(image)[1], tf.float64)
    step = tf.maximum(1, tf.cast(tf.sqrt(pixels / intensity._MOST_PIXELS), tf.int32))
    return image[::step, ::step]
