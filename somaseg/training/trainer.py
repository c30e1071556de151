"""The training step: augmentation, targets, network, loss and metrics in one compiled function, on every backend."""

import keras
from keras import ops

from somaseg.data.targets import radius_px, target_maps
from somaseg.models.heads import HEADS
from somaseg.training.losses import map_losses
from somaseg.training.metrics import MaskIoU


class SegmentationTrainer(keras.Model):
    """A network together with the augmentation that runs before it, ready for `compile(optimizer=...)` and `fit`.

    `fit` takes anything that Keras fits on whose batches are dicts of "image" (N, H, W, C) in 0..255 and "instances",
    integer (N, H, W, 1), 0 background, labels no larger than H * W. What the network is to predict is derived from the
    instances, behind the augmentation. The loss is the sum of those of `somaseg.training.losses.map_losses`; where
    batches have "weight" (N, H, W, 1), a pixel of weight 0 has no part in it.

    Args:
        network: `somaseg.models.UNet` that gives logits. It is trained in place.
        augmentation: sequence of layers that map such a dict to such a dict, applied in order while training.
        overlap_weight: float >= 0, weight of the soft IoU losses.
    """

    def __init__(self, network, augmentation=(), overlap_weight=0.0, **kwargs):
        super().__init__(**kwargs)
        self.overlap_weight = overlap_weight
        self.network = network
        self.augmentation = list(augmentation)
        self.iou = MaskIoU(name="iou")
        self.pooled_iou = MaskIoU(pooled=True, name="pooled_iou")

    @property
    def maps(self):
        """The names of the maps that the network predicts; the mask is the first."""
        return HEADS[self.network.heads]

    def call(self, inputs, training=None):
        for layer in self.augmentation:
            inputs = layer(inputs, training=training)
        logits = self.network(inputs["image"], training=training)
        instances = inputs["instances"]
        outputs = {"logits": ops.cast(logits, "float32"), "targets": target_maps(instances, self.maps)}
        if "offset_y" in self.maps:
            outputs["radius"] = radius_px(instances)
        if "weight" in inputs:
            outputs["weight"] = ops.cast(inputs["weight"], "float32")
        return outputs

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        losses = map_losses(
            y_pred["targets"],
            y_pred["logits"],
            self.maps,
            overlap_weight=self.overlap_weight,
            weight=y_pred.get("weight"),
            radius=y_pred.get("radius"),
        )
        return sum(losses.values())

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        for metric in (self.iou, self.pooled_iou):
            metric.update_state(y_pred["targets"][..., :1], y_pred["logits"][..., :1])
        return self.get_metrics_result()
