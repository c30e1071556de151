"""How far links can be trusted: a confidence for each, and a warning where the movie is too sparse in time to link.

linked_share: links per soma that could have one to a later frame. step_p95_um: length that 95 % of the links from one
frame to the next do not pass. half_nearest_neighbour_um: half the median distance from a soma to its nearest neighbour
in the same frame. Once steps pass that, position alone cannot tell neighbours apart.
"""

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import expit, logit

# Logistic regression of right on the logit of the probability that belief propagation gives: true detections of seeds
# 100-103 of all simulated presets, with looks and with positions alone (81,000 links).
_SLOPE, _OFFSET = 0.56, 0.32


def calibrated(probability: np.ndarray) -> np.ndarray:
    """Confidence, the share of such links that are right, from the probability under the learnt laws."""
    return expit(_OFFSET + _SLOPE * logit(np.clip(probability, 1e-6, 1 - 1e-6)))


def linking_quality(found, links, calibration) -> tuple[dict, list]:
    """(numbers, warnings) of a linked movie; `found` the detections, `links` the table of `Linking`."""
    steps = links["step_um"][links["next_frame"] - links["frame"] == 1]
    p95 = float(np.quantile(steps, 0.95)) if len(steps) else float("nan")
    half = _nearest_neighbour_um(found) / 2
    real = found.row >= 0
    could = int(np.sum(real & (found.frame < found.frame[real].max(initial=0))))
    quality = {
        "links": len(links),
        "links_over_gaps": int(np.sum(links["next_frame"] - links["frame"] > 1)),
        "linked_share": len(links) / could if could else float("nan"),
        **_confidence(links["confidence"]),
        "step_p95_um": p95,
        "half_nearest_neighbour_um": half,
    }
    warnings = []
    if p95 > half:
        warnings.append(
            f"Linking: 5 % of the steps are longer than {p95:.1f} um, which is more than half the distance to the "
            f"nearest neighbour ({half:.1f} um). Links may be wrong; film more often than every "
            f"{calibration.minutes_per_frame:g} min, or fewer cells."
        )
    return quality, warnings


def _confidence(confidence):
    if len(confidence) and not confidence.notna().any():
        return {}  # of a linker that tells none
    mean = float(confidence.mean()) if len(confidence) else float("nan")
    return {"mean_link_confidence": mean, "links_below_0.9_confidence": int(np.sum(confidence < 0.9))}


def _nearest_neighbour_um(found):
    """Median over the somas; NaN when no frame holds two."""
    real = found.row >= 0
    position, frame = found.position_um[real], found.frame[real]
    if len(frame) < 2:
        return float("nan")
    apart = 2 * float(np.ptp(position, axis=0).max()) + 1.0
    points = np.column_stack([position, (frame - frame[0]) * apart])
    distance = cKDTree(points).query(points, k=2)[0][:, 1]
    distance = distance[distance < apart]
    return float(np.median(distance)) if len(distance) else float("nan")
