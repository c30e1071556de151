"""Labelled images in, batches of crops out: order, crop position and contrast are a function of (seed, epoch, example).

Nothing is drawn from a running generator, so a training that is stopped after any epoch goes on as it would have.
Augmentation is not here: it runs inside the training step (`somaseg.data.augmentation`).
"""

import cv2
import numpy as np

from somaseg.data.intensity import stretch
from somaseg.data.passes import ExamplePasses
from somaseg.data.scaling import magnifications


class CropBatches(ExamplePasses):
    """Batches of random crops for training, or of the centre crops for validation; works on every Keras backend.

    Batch: dict of "image" float32 (N, size, size, 3) in 0..255, "instances" int32 (N, size, size, 1), numbered
    from 1 in each crop, with `threefold` "variant" int32 (N,), see
    `somaseg.data.augmentation.ThreefoldAugmentation`, and where samples have weights "weight" uint8 (N, size, size, 1).

    Args:
        samples: `somaseg.data.Samples`.
        batch_size: int. The last batch of an epoch is filled up with examples from its beginning.
        crop_size: int, side of the square crop in pixels, a multiple of 16. An image that is smaller is mirrored.
        seed: int, or None for centre crops in the order of the samples, each once.
        threefold: bool, every example three times an epoch, as variants 0, 1, 2.
        raw_rate: float, share of the training crops left at their raw intensities instead of stretched, so that
            the network also copes with pixels straight from the camera.
        zoom: float >= 1, the training crops are magnified by a random factor, log-uniform in 1/zoom..zoom.
        diameter_px: float or None, each image is first brought to the scale at which the median diameter of its
            instances is this (`somaseg.data.scaling.magnifications`); None leaves images as they are.
        smoothing_px: float, standard deviation of a Gaussian run over each crop, as `somaseg.Segmenter` runs it over
            the image; 0 for none.
        start_epoch: int, the epoch that the first pass is.
    """

    def __init__(
        self,
        samples,
        *,
        batch_size,
        crop_size,
        seed=None,
        threefold=False,
        raw_rate=0.0,
        zoom=1.0,
        diameter_px=None,
        smoothing_px=0.0,
        start_epoch=0,
        **kwargs,
    ):
        if crop_size < 16 or crop_size % 16:
            raise ValueError(f"crop_size must be a multiple of 16 pixels, got {crop_size}.")
        self.variants = 3 if threefold else 1
        self.magnification = magnifications(samples, diameter_px)
        self.places = _crops_per_epoch(samples, self.magnification) if seed is not None else np.arange(len(samples))
        count = len(self.places) * self.variants
        super().__init__(count, batch_size=batch_size, seed=seed, start_epoch=start_epoch, **kwargs)
        self.samples = samples
        self.crop_size = crop_size
        self.raw_rate = raw_rate
        self.zoom = zoom
        self.smoothing_px = smoothing_px

    def examples_at(self, epoch, numbers):
        """The batch of these examples of pass `epoch`."""
        crops = [self._crop(epoch, int(example)) for example in numbers]
        batch = {
            "image": np.stack([image for image, _, _ in crops]).astype(np.float32),
            "instances": np.stack([_numbered(instances) for _, instances, _ in crops]),
        }
        if self.samples.weights is not None:
            batch["weight"] = np.stack([weight for _, _, weight in crops])[..., None]
        if self.variants > 1:
            batch["variant"] = (numbers % self.variants).astype(np.int32)
        return batch

    def _crop(self, epoch, example):
        index = self.places[example // self.variants]
        image, instances = self.samples.images[index], self.samples.instances[index]
        height, width = instances.shape
        size, raw = max(16, round(self.crop_size / self.magnification[index])), False
        if self.seed is None:
            y, x = (height - size) // 2, (width - size) // 2
        else:
            rng = np.random.default_rng((self.seed, epoch, example, 1))
            if self.zoom > 1:
                size = max(16, round(size / self.zoom ** rng.uniform(-1, 1)))
            y = rng.integers(min(0, height - size), max(0, height - size), endpoint=True)
            x = rng.integers(min(0, width - size), max(0, width - size), endpoint=True)
            raw = rng.random() < self.raw_rate
        rows, columns = _mirrored(y, size, height), _mirrored(x, size, width)
        crop = image[rows[:, None], columns]
        if self.smoothing_px:
            crop = cv2.GaussianBlur(crop.astype(np.float32), (0, 0), self.smoothing_px)
        if not raw:
            crop = stretch(crop, self.samples.limits[index])
        labels = instances[rows[:, None], columns]
        weight = self._weight(index, rows, columns)
        if size != self.crop_size:
            shape = (self.crop_size, self.crop_size)
            crop = cv2.resize(crop, shape, interpolation=cv2.INTER_AREA if size > shape[0] else cv2.INTER_LINEAR)
            labels = cv2.resize(labels, shape, interpolation=cv2.INTER_NEAREST_EXACT)
            weight = cv2.resize(weight, shape, interpolation=cv2.INTER_NEAREST_EXACT)
        return crop, labels, weight

    def _weight(self, index, rows, columns):
        weights = self.samples.weights
        if weights is None or weights[index] is None:
            return np.ones((len(rows), len(columns)), np.uint8)
        return weights[index][rows[:, None], columns]


def as_tf_dataset(batches, epochs):
    """The batches of passes `batches.epoch` up to `epochs` as a `tf.data.Dataset`, made ahead while the network trains.

    Use `steps_per_epoch=batches.num_batches` with it: all passes come one after the other.
    """
    import tensorflow as tf

    example = batches.batch(batches.epoch, 0)
    keys = list(example)

    def make(step):
        epoch, index = divmod(int(step), batches.num_batches)
        batch = batches.batch(epoch, index)
        return [batch[key] for key in keys]

    def load(step):
        values = tf.numpy_function(make, [step], [example[key].dtype for key in keys])
        for key, value in zip(keys, values):
            fixed = batches.seed is not None or batches.count % batches.batch_size == 0
            value.set_shape(example[key].shape if fixed else (None, *example[key].shape[1:]))
        return dict(zip(keys, values))

    steps = tf.data.Dataset.range(batches.epoch * batches.num_batches, epochs * batches.num_batches)
    return steps.map(load, num_parallel_calls=2, deterministic=True).prefetch(2)


def _crops_per_epoch(samples, magnification):
    """The image of each crop of an epoch: one crop for every 256 pixels of the mean side, at least one."""
    sides = [factor * np.sqrt(instances.size) for factor, instances in zip(magnification, samples.instances)]
    return np.repeat(np.arange(len(sides)), [max(1, round(side / 256)) for side in sides])


def _numbered(instances):
    """int32 (H, W, 1) with the labels of a crop replaced by 1..n, so that they stay below its number of pixels."""
    present = np.zeros(int(instances.max(initial=0)) + 1, np.int32)
    present[instances.ravel()] = 1
    present[0] = 0
    return (np.cumsum(present) * present).astype(np.int32)[instances][..., None]


def _mirrored(start, size, length):
    index = (start + np.arange(size)) % (2 * length)
    return np.minimum(index, 2 * length - 1 - index)
