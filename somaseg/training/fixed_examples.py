"""Examples that are drawn and augmented once: every epoch trains on the same ones, each time in another order."""

import keras
import numpy as np

from somaseg.data.passes import ExamplePasses


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
    # The last batch is filled up beyond what there is.
    examples = {key: np.concatenate([part[key] for part in parts])[: batches.count] for key in parts[0]}
    if trunk is not None:
        examples |= trunk.features(examples.pop("image"))
    return FixedBatches(examples, batch_size=batches.batch_size, seed=batches.seed, start_epoch=batches.epoch)


class FixedBatches(ExamplePasses):
    """Batches of the same examples in every epoch.

    Args:
        examples: dict of arrays (count, ...).
        **passes: batch_size, seed and start_epoch, as of `somaseg.data.passes.ExamplePasses`.
    """

    def __init__(self, examples, **passes):
        super().__init__(len(next(iter(examples.values()))), **passes)
        self.examples = examples

    def examples_at(self, epoch, numbers):
        """The batch of these examples, whatever the epoch."""
        return {key: array[numbers] for key, array in self.examples.items()}
