"""Examples that are drawn and augmented once: every epoch trains on the same ones, each time in another order."""

import keras
import numpy as np


def fixed_batches(batches, augmentation, trunk=None):
    """The examples of the first epoch of `batches`, augmented once, as batches of any epoch.

    Args:
        batches: `somaseg.data.pipeline.CropBatches`; its epoch is taken over.
        augmentation: layers as `SegmentationTrainer` takes them, applied to each batch of that epoch.
        trunk: None, or the `somaseg.training.frozen_trunk.Trunk` whose features take the place of "image".

    Returns:
        `FixedBatches`.
    """
    parts = []
    for index in range(batches.num_batches):
        batch = batches.batch(0, index)
        for layer in augmentation:
            batch = layer(batch, training=True)
        parts.append({key: keras.ops.convert_to_numpy(value) for key, value in batch.items() if key != "variant"})
    count = len(batches.places) * batches.variants  # the last batch is filled up beyond it
    examples = {key: np.concatenate([part[key] for part in parts])[:count] for key in parts[0]}
    if trunk is not None:
        examples |= trunk.features(examples.pop("image"))
    return FixedBatches(examples, batch_size=batches.batch_size, shuffle_seed=batches.seed, start_epoch=batches.epoch)


class FixedBatches(keras.utils.PyDataset):
    """Batches of the same examples in every epoch.

    Args:
        examples: dict of arrays (count, ...).
        batch_size: int. With a seed, the last batch of an epoch is filled up with examples from its beginning.
        shuffle_seed: int, the order of an epoch is a function of (seed, epoch); or None, in the order given.
        start_epoch: int, the epoch that the first pass is.
    """

    def __init__(self, examples, *, batch_size, shuffle_seed=None, start_epoch=0, **kwargs):
        super().__init__(**kwargs)
        self.examples = examples
        self.batch_size = batch_size
        self.seed = shuffle_seed
        self.epoch = start_epoch
        self.places = np.arange(len(next(iter(examples.values()))))

    @property
    def num_batches(self):
        return -(-len(self.places) // self.batch_size)

    def __len__(self):
        return self.num_batches

    def __getitem__(self, index):
        return self.batch(self.epoch, index)

    def on_epoch_end(self):
        self.epoch += 1

    def batch(self, epoch, index):
        """Batch `index` of pass `epoch`, the same whenever it is asked for."""
        count = len(self.places)
        wanted = np.arange(index * self.batch_size, (index + 1) * self.batch_size)
        if self.seed is None:
            chosen = wanted[wanted < count]
        else:
            chosen = np.random.default_rng((self.seed, epoch)).permutation(count)[wanted % count]
        return {key: array[chosen] for key, array in self.examples.items()}
