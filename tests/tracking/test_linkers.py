"""Every linker behind the same function: moving cells with a gap are one track each, by whichever is installed."""

import importlib.util
import sys

import numpy as np
import pandas as pd
import pytest

from somaseg.movies import Calibration
from somaseg.tracking.link_tracks import linking_of_tracks
from somaseg.tracking.linkers import LINKERS, link_with
from somaseg.tracking.linking import LinkingParameters, link_somas

CALIBRATION = Calibration(um_per_px=0.65, minutes_per_frame=15)
INSTALLED = [name for name in ("laptrack", "trackpy", "btrack") if importlib.util.find_spec(name)]
PARAMETERS = LinkingParameters(max_step_um=20.0, max_gap_frames=3)


def link_where_it_loads(name, somas, **arguments):
    try:
        return link_with(name, somas, calibration=CALIBRATION, **arguments)
    except ImportError as error:  # btrack's wheels need a newer C++ library than some systems have
        pytest.skip(str(error))


@pytest.fixture
def somas():
    """12 cells 60 um apart that go 4 um a frame in directions of their own; cell 5 is missing in frame 4."""
    cell, frame = (axis.ravel() for axis in np.meshgrid(np.arange(12), np.arange(9)))
    table = pd.DataFrame(
        {
            "cell": cell,
            "frame": frame,
            "label": cell + 1,
            "y_um": 60.0 * (cell // 4) + 4 * frame * np.sin(cell),
            "x_um": 60.0 * (cell % 4) + 4 * frame * np.cos(cell),
            "area_um2": 75.0,
        }
    )
    kept = table[(table["cell"] != 5) | (table["frame"] != 4)]
    return kept.sample(frac=1, random_state=3)  # rows and index in no order


@pytest.mark.parametrize("name", ["somaseg", *INSTALLED])
def test_moving_cells_are_one_track_each_over_a_gap(somas, name):
    linking = link_where_it_loads(name, somas, parameters=PARAMETERS)
    assert len(set(zip(somas["cell"], linking.track_ids))) == 12 and linking.track_ids.max() == 12
    assert linking.quality["links"] == len(somas) - 12 and linking.quality["links_over_gaps"] == 1
    assert linking.links["confidence"].isna().all() == (name != "somaseg")


def test_the_plain_matcher_begins_anew_after_a_gap(somas):
    linking = link_with("hungarian", somas, parameters=PARAMETERS, calibration=CALIBRATION)
    assert linking.track_ids.max() == 13
    assert len(set(linking.track_ids[(somas["cell"] == 5).to_numpy()])) == 2


@pytest.mark.parametrize("name", ["somaseg", "hungarian", *INSTALLED])
def test_no_soma_one_frame_and_empty_frames(somas, name):
    for some in (somas.iloc[:0], somas[somas["frame"] == 2], somas[somas["frame"].isin([0, 8])]):
        linking = link_where_it_loads(name, some, parameters=PARAMETERS)
        assert len(linking.track_ids) == len(some)
        assert not len(some) or linking.track_ids.max() >= 12


@pytest.mark.parametrize("name", ["hungarian", *INSTALLED])
def test_no_step_is_longer_than_the_longest(somas, name):
    far = somas.assign(x_um=somas["x_um"] + 30.0 * (somas["frame"] >= 6))
    linking = link_where_it_loads(name, far, parameters=LinkingParameters(max_step_um=15.0))
    assert linking.links["step_um"].max() <= 15.0 * np.sqrt(3)


def test_labels_that_are_track_ids_are_kept(somas):
    linking = link_with("labels", somas.assign(label=somas["cell"] + 70_000), calibration=CALIBRATION)
    assert linking.track_ids.tolist() == (somas["cell"] + 70_000).tolist()


def test_what_only_one_linker_knows_and_unknown_names_are_refused(somas):
    with pytest.raises(ValueError, match="area_weight is known to the linker somaseg alone"):
        link_with("hungarian", somas, parameters=LinkingParameters(area_weight=0.0), calibration=CALIBRATION)
    with pytest.raises(ValueError, match="linker must be one of somaseg, laptrack.*'nearest'"):
        link_with("nearest", somas, calibration=CALIBRATION)


@pytest.mark.parametrize("name", ["laptrack", "trackpy", "btrack", "trackastra"])
def test_a_linker_that_is_not_installed_is_told_with_what_to_install(somas, name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, f"{name}.model", None)
    monkeypatch.delitem(sys.modules, f"somaseg.tracking.linkers.{name}", raising=False)
    assert name in LINKERS
    with pytest.raises(
        ImportError, match=rf"linker {name} is not installed: pip install ({name}|'somaseg\[linkers\]')"
    ):
        link_with(name, somas, calibration=CALIBRATION)


def test_a_function_may_be_the_linker_and_is_not_trusted(somas):
    def halves(somas, *, max_step_um, max_gap_frames, stack):
        assert (max_step_um, max_gap_frames) == (pytest.approx(4 * np.sqrt(4 / np.pi * 75)), 5)  # 4 diameters, 75 min
        return np.where(somas["cell"] < 6, somas["cell"] + 1, np.nan)

    linking = link_with(halves, somas, calibration=CALIBRATION)
    assert linking.track_ids.max() == 6 + 6 * 9  # without a track: each a track of its own
    with pytest.raises(ValueError, match="is there twice in frame 0"):
        link_with(lambda somas, **_: np.ones(len(somas)), somas, calibration=CALIBRATION)
    with pytest.raises(ValueError, match="107 somas and 3 track ids"):
        link_with(lambda somas, **_: np.ones(3), somas, calibration=CALIBRATION)


def test_tracks_told_by_ids_are_those_that_the_linker_made(somas):
    made = link_somas(somas, calibration=CALIBRATION)
    told = linking_of_tracks(somas, made.track_ids * 10, calibration=CALIBRATION)
    assert told.track_ids.tolist() == made.track_ids.tolist()
    pd.testing.assert_frame_equal(told.links.drop(columns="confidence"), made.links.drop(columns="confidence"))
    assert told.quality == {name: made.quality[name] for name in told.quality}
    with pytest.raises(ValueError, match="must be 1 or more, got 0"):
        linking_of_tracks(somas, made.track_ids - 1, calibration=CALIBRATION, keep_ids=True)
