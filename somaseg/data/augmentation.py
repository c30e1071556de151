"""Elastic deformation and flips as Keras layers that act on an image and its targets with the same draw.

They are `keras.ops` code, so that they run inside the compiled training step (on the GPU where there is one), with or
without XLA, on TensorFlow and on JAX, and in `tf.data.Dataset.map` on TensorFlow. Each takes either one image tensor or
a dict with the key "image"; in a dict every other entry of image shape is a target (masks, label images) and is moved
along with the image, by nearest neighbour, so that labels stay the integers that they were.
"""

import keras
from keras import ops


class JointAugmentation(keras.layers.Layer):
    """Base of the layers here: seeding, unbatched input, and one random draw for image and targets."""

    def __init__(self, seed=None, **kwargs):
        super().__init__(autocast=False, **kwargs)  # else Keras casts every float image to float32
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = False

    def call(self, inputs, training=True):
        if not training:
            return inputs
        samples = dict(inputs) if isinstance(inputs, dict) else {"image": inputs}
        if "image" not in samples:
            raise ValueError(f'{type(self).__name__} needs the key "image", got {sorted(samples)}.')
        unbatched = len(samples["image"].shape) == 3
        moved = {key: value for key, value in samples.items() if len(value.shape) >= 3}
        if unbatched:
            moved = {key: value[None] for key, value in moved.items()}
        moved = self.transform(moved)
        if unbatched:
            moved = {key: value[0] for key, value in moved.items()}
        return {**samples, **moved} if isinstance(inputs, dict) else moved["image"]

    def compute_output_shape(self, input_shape):
        return input_shape

    def compute_output_spec(self, inputs, training=True):
        return _specs_of(inputs)

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}


@keras.saving.register_keras_serializable(package="somaseg")
class ElasticDeformation(JointAugmentation):
    """Elastic deformation of Simard et al. 2003: white noise, smoothed, as a displacement field.

    A displacement (dy, dx) per pixel is drawn uniformly from -1..1, independently for y and x and for each sample of
    the batch, smoothed with a Gaussian of `sigma` pixels (cut off at 4 sigma, zero beyond the border) and multiplied
    by `alpha`; the output pixel (y, x) takes the input's value at (y + dy, x + dx), bilinearly for the image, nearest
    for targets, mirrored at the border. The defaults are the paper's; the displacement then has a standard deviation
    of about `alpha / (sigma * sqrt(12 * pi))` = 1.4 pixels.

    Args:
        alpha: float >= 0, amplitude in pixels; 0 is the identity.
        sigma: float > 0, smoothness of the field in pixels.
        rate: float in 0..1, share of the samples that are deformed; the others pass unchanged.
        seed: int or None.

    Input and output: (H, W, C) or (N, H, W, C), or a dict of such (see the module). Dtypes are kept.
    """

    def __init__(self, alpha=34.0, sigma=4.0, rate=1.0, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        if alpha < 0:
            raise ValueError(f"alpha must be 0 or more pixels, got {alpha!r}.")
        if sigma <= 0:
            raise ValueError(f"sigma must be more than 0 pixels, got {sigma!r}.")
        check_rate(rate)
        self.alpha = float(alpha)
        self.sigma = float(sigma)
        self.rate = float(rate)

    def transform(self, samples):
        shape = ops.shape(samples["image"])
        field = self.draw_field(shape[0], shape[1], shape[2])
        return {key: warp(value, field, order=1 if key == "image" else 0) for key, value in samples.items()}

    def draw_field(self, batch, height, width):
        """A random displacement field, float32 (batch, height, width, 2), in pixels, in the order (dy, dx)."""
        noise = keras.random.uniform((2, batch, height, width), -1.0, 1.0, dtype="float32", seed=self.seed_generator)
        field = ops.moveaxis(self.alpha * smooth(noise, self.sigma), 0, -1)
        if self.rate < 1:
            draw = keras.random.uniform((batch, 1, 1, 1), dtype="float32", seed=self.seed_generator)
            field = field * ops.cast(draw < self.rate, "float32")
        return field

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha, "sigma": self.sigma, "rate": self.rate}


@keras.saving.register_keras_serializable(package="somaseg")
class RandomFlip(JointAugmentation):
    """Mirror left-right and up-down, each on its own with probability `rate`, so that all four states occur.

    Args:
        horizontal: bool, mirror left-right.
        vertical: bool, mirror up-down.
        rate: float in 0..1, probability of each mirroring.
        seed: int or None.

    Input and output: (H, W, C) or (N, H, W, C), or a dict of such (see the module). Dtypes are kept.
    """

    def __init__(self, horizontal=True, vertical=True, rate=0.5, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        check_rate(rate)
        self.horizontal = horizontal
        self.vertical = vertical
        self.rate = float(rate)

    def transform(self, samples):
        batch = ops.shape(samples["image"])[0]
        for wanted, axis in ((self.vertical, 1), (self.horizontal, 2)):
            if wanted:
                draw = keras.random.uniform((batch, 1, 1, 1), dtype="float32", seed=self.seed_generator)
                samples = {
                    key: ops.where(draw < self.rate, ops.flip(value, axis), value) for key, value in samples.items()
                }
        return samples

    def get_config(self):
        return {
            **super().get_config(),
            "horizontal": self.horizontal,
            "vertical": self.vertical,
            "rate": self.rate,
        }


@keras.saving.register_keras_serializable(package="somaseg")
class ThreefoldAugmentation(keras.layers.Layer):
    """The paper's enlarged set: each example as it is, mirrored left-right, and elastically deformed.

    Takes a dict with "image", targets, and "variant": int (N,), 0 for the original, 1 for the mirrored and 2 for the
    deformed example; `training_batches(threefold=True)` makes such batches, three variants of every example an epoch.
    """

    def __init__(self, alpha=34.0, sigma=4.0, seed=None, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.elastic = ElasticDeformation(alpha=alpha, sigma=sigma, seed=seed)
        self.built = True  # there are no weights to build

    def call(self, inputs, training=True):
        if not training:
            return inputs
        samples = {key: value for key, value in inputs.items() if key != "variant"}
        variant = ops.reshape(inputs["variant"], (-1, 1, 1, 1))
        deformed = self.elastic(samples, training=True)
        chosen = {}
        for key, value in samples.items():
            mirrored = ops.where(variant == 1, ops.flip(value, 2), value)
            chosen[key] = ops.where(variant == 2, deformed[key], mirrored)
        return {**inputs, **chosen}

    def compute_output_spec(self, inputs, training=True):
        return _specs_of(inputs)

    def get_config(self):
        elastic = {"alpha": self.elastic.alpha, "sigma": self.elastic.sigma, "seed": self.elastic.seed}
        return {**super().get_config(), **elastic}


def smooth(x, sigma):
    """Gaussian smoothing of the last two axes of float (..., H, W), zero beyond the border, cut off at 4 sigma.

    Two small matrix products (banded Toeplitz matrices) rather than a convolution: on CPU under XLA that takes a
    twentieth of the time.
    """
    rows = _gaussian_matrix(ops.shape(x)[-2], sigma)
    columns = _gaussian_matrix(ops.shape(x)[-1], sigma)
    return ops.matmul(ops.matmul(rows, x), columns)


def warp(x, field, *, order):
    """Sample x at each pixel plus its displacement, mirrored at the border (d c b a | a b c d | d c b a).

    Args:
        x: (N, H, W, C) of any dtype.
        field: float (N, H, W, 2), displacement (dy, dx) in pixels.
        order: 0 for the nearest pixel (any dtype stays exact), 1 for bilinear (computed in float32).

    Returns:
        (N, H, W, C), same dtype as `x`; bilinear values of an integer image are rounded.
    """
    batch, height, width, channels = ops.shape(x)
    flat = ops.reshape(x, (batch * height * width, channels))
    start = ops.reshape(ops.arange(batch, dtype="int32") * height * width, (batch, 1, 1))
    y = ops.cast(ops.arange(height), "float32")[None, :, None] + field[..., 0]
    x_position = ops.cast(ops.arange(width), "float32")[None, None, :] + field[..., 1]

    def pixel(row, column):
        index = start + _mirror(row, height) * width + _mirror(column, width)
        taken = ops.take(flat, ops.reshape(index, (-1,)), axis=0)
        return ops.reshape(taken, (batch, height, width, channels))

    if order == 0:
        return pixel(_whole(ops.floor(y + 0.5)), _whole(ops.floor(x_position + 0.5)))
    top, left = ops.floor(y), ops.floor(x_position)
    down, right = (y - top)[..., None], (x_position - left)[..., None]
    top, left = _whole(top), _whole(left)
    value = (1 - down) * (
        (1 - right) * ops.cast(pixel(top, left), "float32") + right * ops.cast(pixel(top, left + 1), "float32")
    ) + down * (
        (1 - right) * ops.cast(pixel(top + 1, left), "float32") + right * ops.cast(pixel(top + 1, left + 1), "float32")
    )
    dtype = keras.backend.standardize_dtype(x.dtype)
    return ops.cast(ops.round(value) if "int" in dtype else value, dtype)


def _specs_of(inputs):
    """New symbolic tensors like these: the inputs themselves would let a Keras graph go past the layer."""
    return keras.tree.map_structure(
        lambda x: keras.KerasTensor(x.shape, keras.backend.standardize_dtype(x.dtype)), inputs
    )


def _gaussian_matrix(size, sigma):
    radius = int(4 * sigma + 0.5)
    position = ops.cast(ops.arange(size), "float32")
    distance = ops.abs(position[:, None] - position[None, :])
    weight = ops.exp(-0.5 * ops.square(distance / sigma)) * ops.cast(distance <= radius, "float32")
    offset = ops.arange(-radius, radius + 1, dtype="float32")
    return weight / ops.sum(ops.exp(-0.5 * ops.square(offset / sigma)))


def _mirror(index, size):
    index = ops.mod(index, 2 * size)
    return ops.minimum(index, 2 * size - 1 - index)


def _whole(x):
    return ops.cast(x, "int32")


def check_rate(rate):
    """Refuse a share that is not between 0 and 1."""
    if not 0 <= rate <= 1:
        raise ValueError(f"rate must be between 0 and 1, got {rate!r}.")
