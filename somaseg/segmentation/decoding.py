"""From the maps of a network to instances: one way for each kind of heads, chosen by the maps that are there."""

from somaseg.segmentation.instances import label_components, number_instances
from somaseg.segmentation.votes import label_by_votes


def decode(maps, *, threshold, minimum_area_px, vote_spread_px, edge_area_share=1.0):
    """Label image of the maps of one image.

    With offsets, pixels are grouped by the centroid that they point to (`label_by_votes`); with the mask alone, by
    being connected (`label_components`).

    Args:
        maps: dict of (H, W) arrays, as `somaseg.models.heads.read_maps` names them.
        threshold: float, a pixel is soma when its mask is above it.
        minimum_area_px: int, smaller instances are dropped.
        vote_spread_px: float, see `label_by_votes`.
        edge_area_share: float, see `number_instances`.

    Returns:
        (H, W), 0 background and 1..n in the order of their first pixel; uint16, or uint32 beyond 65,535 instances.
    """
    least = {"minimum_area_px": minimum_area_px, "edge_area_share": edge_area_share}
    if "offset_y" in maps:
        labels = label_by_votes(
            maps["mask"], maps["offset_y"], maps["offset_x"], threshold=threshold, spread_px=vote_spread_px
        )
        return number_instances(labels, **least)
    return label_components(maps["mask"], threshold=threshold, **least)
