"""Passes over numbered examples: what of one is in a batch is a function of (seed, epoch, index)."""

import keras
import numpy as np


class ExamplePasses(keras.utils.PyDataset):
    """Base of the batches that Keras trains on; a subclass has `examples_at(epoch, numbers)`.

    Args:
        count: int, examples of a pass.
        batch_size: int. With a seed, the last batch of a pass is filled up with examples from its beginning.
        seed: int, the order of a pass is a function of (seed, epoch); or None, in the order given, each once.
        start_epoch: int, the epoch that the first pass is.
    """

    def __init__(self, count, *, batch_size, seed=None, start_epoch=0, **kwargs):
        super().__init__(**kwargs)
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}.")
        self.count = count
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = start_epoch

    @property
    def num_batches(self):
        return -(-self.count // self.batch_size)

    def __len__(self):
        return self.num_batches

    def __getitem__(self, index):
        return self.batch(self.epoch, index)

    def on_epoch_end(self):
        self.epoch += 1

    def batch(self, epoch, index):
        """Batch `index` of pass `epoch`, the same whenever it is asked for."""
        wanted = np.arange(index * self.batch_size, (index + 1) * self.batch_size)
        if self.seed is None:
            return self.examples_at(epoch, wanted[wanted < self.count])
        order = np.random.default_rng((self.seed, epoch)).permutation(self.count)
        return self.examples_at(epoch, order[wanted % self.count])
