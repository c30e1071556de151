"""A real movie: six frames of nuclei that move with their neighbours, which the linker is not told.

The ids of the file's masks are another tracker's and no truth: in frames 1 to 3 they change twice on a nucleus that a
bright speck beside it shows to be one. So links are judged by how far each step is from those of its neighbours.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from scipy.spatial import cKDTree

from somaseg.movies import Calibration
from somaseg.tracking.linkers import link_with
from somaseg.tracking.linking import LinkingParameters, find_somas

DATA = Path(__file__).parents[3] / "shared/data/tracking/nuclei_6frames"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is absent")
PIXELS = Calibration(um_per_px=1.0, minutes_per_frame=1.0)


@pytest.fixture(scope="module")
def nuclei():
    labels, images = (tifffile.imread(DATA / f"example_{name}.tif") for name in ("label", "images"))
    frames = enumerate(zip(labels, images))
    somas = pd.concat([find_somas(label, image, frame=t) for t, (label, image) in frames], ignore_index=True)
    return somas.assign(y_um=somas["y_px"], x_um=somas["x_px"], area_um2=somas["area_px"])


def away_from_neighbours_px(somas, ids):
    """Of each step, its distance from the median step of the five nearest nuclei."""
    place, frame, away = somas[["y_px", "x_px"]].to_numpy(), somas["frame"].to_numpy(), []
    order = np.lexsort((frame, ids))
    same = (np.diff(np.asarray(ids)[order]) == 0) & (np.diff(frame[order]) == 1)
    source, target = order[:-1][same], order[1:][same]
    for t in np.unique(frame[source]):
        here = np.flatnonzero(frame[source] == t)
        step = place[target[here]] - place[source[here]]
        near = cKDTree(place[source[here]]).query(place[source[here]], k=6)[1][:, 1:]
        away.append(np.hypot(*(step - np.median(step[near], axis=1)).T))
    return np.concatenate(away)


def test_links_go_with_the_neighbours_better_than_those_of_others(nuclei):
    ours = link_with("somaseg", nuclei, calibration=PIXELS)
    plain = link_with("hungarian", nuclei, parameters=LinkingParameters(max_step_um=40.0), calibration=PIXELS)
    residual = {
        "ours": away_from_neighbours_px(nuclei, ours.track_ids),
        "file": away_from_neighbours_px(nuclei, nuclei["label"]),
        "plain": away_from_neighbours_px(nuclei, plain.track_ids),
    }
    for other in ("file", "plain"):
        assert np.median(residual["ours"]) < 0.9 * np.median(residual[other])
        assert np.mean(residual["ours"] > 15) < 0.7 * np.mean(residual[other] > 15)
    assert len(residual["ours"]) > 0.95 * len(residual["file"])  # and not by leaving the hard ones out


def test_the_nucleus_beside_the_bright_speck_is_one(nuclei):
    ids = link_with("somaseg", nuclei, calibration=PIXELS).track_ids
    at = {(frame, label): track for frame, label, track in zip(nuclei["frame"], nuclei["label"], ids)}
    assert at[1, 372] == at[2, 395] == at[3, 78]


def test_steps_as_long_as_half_the_way_to_the_neighbour_are_warned_of(nuclei):
    assert any("film more often" in warning for warning in link_with("somaseg", nuclei, calibration=PIXELS).warnings)
