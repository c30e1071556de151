"""Statistics of batch norms that belong to the weights as they are.

PreciseBN: Wu & Johnson 2021, "Rethinking 'Batch' in BatchNorm", section 3.

The running statistics of a batch norm are a moving average over about a hundred steps, in which the weights moved on.
Where few images are learnt from at a constant learning rate, this lag costs more than a bad learning rate.
"""

import contextlib

import keras

MOST_BATCHES = 50


def settle_statistics(trainer, batches):
    """Replace the running statistics of each batch norm that is trained by their mean over a pass of `batches`.

    Args:
        trainer: `somaseg.training.trainer.SegmentationTrainer`; its augmentation is applied.
        batches: `somaseg.data.passes.ExamplePasses`. The first pass is taken, 50 batches of it at most.
    """
    norms = [x for x in trainer.network.layers if isinstance(x, keras.layers.BatchNormalization) and x.trainable]
    with _own_momentum(norms):
        for index in range(min(batches.num_batches, MOST_BATCHES)):
            for norm in norms:
                norm.momentum = index / (index + 1)  # of a moving average, which makes it the mean
            trainer(batches.batch(0, index), training=True)


class SettleStatistics(keras.callbacks.Callback):
    """`settle_statistics` after every epoch, before it is validated."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_test_begin(self, logs=None):
        settle_statistics(self.model, self.batches)


@contextlib.contextmanager
def _own_momentum(norms):
    momenta = [norm.momentum for norm in norms]
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta):
            norm.momentum = momentum
