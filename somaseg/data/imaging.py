"""Imaging conditions as a Keras layer: what another camera, exposure or stain would have made of the same specimen."""

import math

import keras
from keras import ops

from somaseg.data.augmentation import JointAugmentation, check_rate, smooth

_CORRELATED_SIGMA = 0.5  # pixels; white noise smoothed so has a correlation of 0.26 between neighbours
_CORRELATED_GAIN = 1.559  # and 1 / 1.559 of its standard deviation
_NORMAL_99 = 2.326  # 99th percentile of the normal distribution


@keras.saving.register_keras_serializable(package="somaseg")
class ImagingVariation(JointAugmentation):
    """The same specimen by another camera: gamma, gain, stain and noise are drawn for each sample; targets stay.

    A sample is changed with probability `rate`. On the scale 0..1 its pixel v becomes `gain * v**g + black + noise`,
    cut off at 0 and 1:

    - g is log-uniform in 1/gamma..gamma, one for all channels of a gray sample; in a sample with colour each channel's
      is varied once more, log-uniform in 1/stain..stain. gain is uniform in `gain`..1.
    - noise has the variance `s**2 * (1 + v**g) / 2`, read and shot noise in equal parts at full scale, s uniform in
      0..noise. It is the same in all channels. In half of the samples it is white, in the other half neighbours
      correlate by about 0.25, as interpolating cameras and compression leave it.
    - black is uniform between 0, where half of a dark ground's noise is cut off, and the level that lets 99 % of it
      through, as stretching at the 1st percentile does.

    Args:
        gamma: float >= 1.
        gain: float in 0..1, the least gain.
        stain: float >= 1.
        noise: float >= 0, the largest standard deviation, as a share of full scale.
        rate: float in 0..1, share of the samples that are changed.
        seed: int or None.

    Input and output: (H, W, C) or (N, H, W, C) in 0..255, or a dict of such (see the module). Dtypes are kept.
    """

    def __init__(self, gamma=2.0, gain=0.6, stain=1.3, noise=0.08, rate=0.5, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        if gamma < 1 or stain < 1:
            raise ValueError(f"gamma and stain must be 1 or more, got {gamma!r} and {stain!r}.")
        if not 0 <= gain <= 1:
            raise ValueError(f"gain must be between 0 and 1, got {gain!r}.")
        if noise < 0:
            raise ValueError(f"noise must be 0 or more, got {noise!r}.")
        check_rate(rate)
        self.gamma = float(gamma)
        self.gain = float(gain)
        self.stain = float(stain)
        self.noise = float(noise)
        self.rate = float(rate)

    def transform(self, samples):
        image = samples["image"]
        dtype = keras.backend.standardize_dtype(image.dtype)
        value = ops.clip(ops.cast(image, "float32") / 255.0, 0.0, 1.0)
        batch, height, width, channels = ops.shape(value)

        def draw(*shape, low, high):
            return keras.random.uniform(shape, low, high, dtype="float32", seed=self.seed_generator)

        coloured = ops.any(value != value[..., :1], axis=(1, 2, 3), keepdims=True)
        log_stain = draw(batch, 1, 1, channels, low=-1.0, high=1.0) * math.log(self.stain)
        log_gamma = draw(batch, 1, 1, 1, low=-1.0, high=1.0) * math.log(self.gamma)
        power = ops.exp(log_gamma + log_stain * ops.cast(coloured, "float32"))
        varied = ops.power(ops.maximum(value, 1e-6), power)
        white = keras.random.normal((batch, height, width), dtype="float32", seed=self.seed_generator)
        correlated = _CORRELATED_GAIN * smooth(white, _CORRELATED_SIGMA)
        field = ops.where(draw(batch, 1, 1, low=0.0, high=1.0) < 0.5, white, correlated)[..., None]
        deviation = draw(batch, 1, 1, 1, low=0.0, high=self.noise)
        gain = draw(batch, 1, 1, 1, low=self.gain, high=1.0)
        black = draw(batch, 1, 1, 1, low=0.0, high=_NORMAL_99) * deviation * math.sqrt(0.5)
        varied = gain * varied + black + deviation * ops.sqrt((1 + varied) / 2) * field
        varied = 255.0 * ops.clip(varied, 0.0, 1.0)
        varied = ops.cast(ops.round(varied) if "int" in dtype else varied, dtype)
        changed = draw(batch, 1, 1, 1, low=0.0, high=1.0) < self.rate
        return {**samples, "image": ops.where(changed, varied, image)}

    def get_config(self):
        return {
            **super().get_config(),
            "gamma": self.gamma,
            "gain": self.gain,
            "stain": self.stain,
            "noise": self.noise,
            "rate": self.rate,
        }
