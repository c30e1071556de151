"""How far predicted maps are from their targets: one loss per map, computed from logits in float32."""

from keras import ops

from somaseg.models.heads import OFFSET_UNIT_PX

OVERLAPPING = ("mask", "border")
LEAST_RADIUS_PX = 3.0  # an instance that is smaller, or cut off by the crop, counts as one of this radius


def map_losses(targets, logits, maps, *, overlap_weight=0.0, weight=None, radius=None):
    """The loss of each map.

    mask, border and distance: `binary_cross_entropy`, of distance against its share in 0..1 as a soft label. Mask and
    border also `overlap_weight` times `overlap_loss`. Offsets: `offset_loss`.

    Args:
        targets, logits: float (N, H, W, len(maps)), the mask first.
        maps: names, see `somaseg.data.targets`.
        overlap_weight: float >= 0.
        weight: None, or float (N, H, W, 1): 0 where a pixel has no part in the losses, else 1.
        radius: float (N, H, W, 1), `somaseg.data.targets.radius_px` of the instances; only offsets need it.

    Returns:
        Dict of name and scalar tensor.
    """
    losses = {}
    for i, name in enumerate(maps):
        target, logit = targets[..., i : i + 1], logits[..., i : i + 1]
        if name.startswith("offset"):
            losses[name] = offset_loss(radius, target, logit, weight)
            continue
        losses[name] = binary_cross_entropy(target, logit, weight)
        if overlap_weight and name in OVERLAPPING:
            losses[name] = losses[name] + overlap_weight * overlap_loss(target, logit, weight)
    return losses


def binary_cross_entropy(target, logits, weight=None):
    """Mean over pixels (of weight 1) of the binary cross-entropy of logits: max(z, 0) - z*y + log(1 + exp(-|z|))."""
    each = ops.maximum(logits, 0) - logits * target + ops.log1p(ops.exp(-ops.abs(logits)))
    if weight is None:
        return ops.mean(each)
    return ops.sum(weight * each) / ops.maximum(ops.sum(weight), 1.0)


def overlap_loss(target, logits, weight=None):
    """One minus the soft IoU of the whole batch (Rahman & Wang 2016): somas count by their own area, not the ground's.

    With p the probability of each pixel: 1 - sum(p y) / sum(p + y - p y), 0 for a perfect mask, near 1 for a bad one.
    """
    probability = ops.sigmoid(logits)
    if weight is not None:
        probability, target = weight * probability, weight * target
    intersection = ops.sum(probability * target)
    union = ops.sum(probability + target) - intersection
    return 1.0 - (intersection + 1.0) / (union + 1.0)


def offset_loss(radius, target, predicted, weight=None):
    """Mean error of an offset as a share of the radius of its instance; 0 where there is none.

    Whether two instances come apart is decided by errors of about a radius, so that four pixels are everything in a
    small instance and nothing in a large one. A pixel counts by one over the radius: an instance has weight by its
    outline's length, not by its area, else the few large ones would be all that is learnt.

    Args:
        radius: float (N, H, W, 1), of the instance of each pixel, in pixels, 0 on the ground.
        target, predicted: float (N, H, W, 1), in units of `OFFSET_UNIT_PX`.
        weight: None, or float (N, H, W, 1).
    """
    share = ops.where(radius > 0, 1.0 / ops.maximum(radius, LEAST_RADIUS_PX), 0.0)
    if weight is not None:
        share = weight * share
    error = OFFSET_UNIT_PX * ops.abs(predicted - target) / ops.maximum(radius, LEAST_RADIUS_PX)
    return ops.sum(share * error) / ops.maximum(ops.sum(share), 1e-6)
