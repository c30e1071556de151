"""Linking: somas of single frames become tracks. Hand-made movies of a few cells, and simulated true detections."""

import importlib.util
import itertools
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from somaseg.movies import Calibration
from somaseg.tracking.assignment import best_links, link_probabilities
from somaseg.tracking.linking import LinkingParameters, find_somas, link_somas, relabel, shared_areas
from somaseg.tracking.scale_mixture import ScaleMixture

CALIBRATION = Calibration(um_per_px=0.65, minutes_per_frame=15)


def resting_cells(frames=12, count=25, seed=0):
    """A movie of cells 40 um apart that only wobble; the `cell` of each row is the truth."""
    rng = np.random.default_rng(seed)
    cell, frame = (axis.ravel() for axis in np.meshgrid(np.arange(count), np.arange(frames), indexing="ij"))
    return pd.DataFrame(
        {
            "cell": cell,
            "frame": frame,
            "y_um": 40.0 * (cell // 5) + rng.normal(0, 0.4, len(cell)),
            "x_um": 40.0 * (cell % 5) + rng.normal(0, 0.4, len(cell)),
            "area_um2": 75.0 * np.exp(rng.normal(0, 0.05, len(cell))),
            "mean_intensity": (500.0 + 100 * (cell % 7)) * np.exp(rng.normal(0, 0.05, len(cell))),
        }
    )


def link(somas, **parameters):
    return link_somas(somas, parameters=LinkingParameters(**parameters), calibration=CALIBRATION)


def is_one_track(somas, linking, cell):
    return len(set(linking.track_ids[(somas["cell"] == cell).to_numpy()])) == 1


def test_somas_are_measured_where_they_are():
    labels = np.zeros((12, 16), np.uint16)
    labels[2, 3] = 4
    for step in range(6):
        labels[9 - step, 7 + step] = 9  # up and to the right: 45 degrees as seen on screen
    image = np.where(labels == 9, 50, 10)
    somas = find_somas(labels, image, labels / 10, frame=3)
    assert somas["label"].tolist() == [4, 9] and somas["frame"].tolist() == [3, 3]
    assert somas[["y_px", "x_px"]].to_numpy().tolist() == [[2, 3], [6.5, 9.5]]
    assert somas["area_px"].tolist() == [1, 6]
    assert somas["mean_intensity"].tolist() == [10, 50]
    assert somas["probability"].tolist() == pytest.approx([0.4, 0.9])
    assert somas["orientation_deg"][1] == pytest.approx(45) and somas["elongation"][0] == pytest.approx(1)
    assert somas["elongation"][1] > 3


def test_a_frame_without_somas_gives_an_empty_table_of_the_same_columns():
    empty = find_somas(np.zeros((4, 4), int), frame=0)
    assert len(empty) == 0 and list(empty) == list(find_somas(np.ones((4, 4), int), frame=0))


@pytest.mark.parametrize("labels", [np.zeros((2, 2)), np.zeros((2, 2, 2), int), np.full((2, 2), -1)])
def test_what_is_no_label_image_is_refused(labels):
    with pytest.raises(ValueError, match="labels_frame must"):
        find_somas(labels, frame=0)


def test_relabel_needs_a_track_for_every_label():
    assert relabel(np.array([[0, 2], [3, 2]]), {2: 7, 3: 1}).dtype == np.uint16
    with pytest.raises(ValueError, match="no track id for label 3"):
        relabel(np.array([[0, 2], [3, 2]]), {2: 7})
    with pytest.raises(ValueError, match="1 or more"):
        relabel(np.array([[0, 2]]), {2: 0})
    assert relabel(np.array([[0, 2], [3, 2]]), {2: 7}, drop_others=True).tolist() == [[0, 7], [0, 7]]


def test_tracks_do_not_depend_on_the_order_of_the_rows_nor_on_where_the_field_lies():
    somas = resting_cells()
    shuffled = somas.sample(frac=1, random_state=1)
    moved = somas.assign(y_um=somas["y_um"] + 1e4)
    linking = link(somas)
    tracks = linking.track_ids
    assert all(is_one_track(somas, linking, cell) for cell in range(25)) and tracks.max() == 25
    again = pd.Series(link(shuffled).track_ids, shuffled.index).sort_index().to_numpy()
    for other in (again, link(moved).track_ids):
        assert len(set(zip(tracks, other))) == 25


def test_a_jump_of_a_resting_cell_is_followed():
    somas = resting_cells()
    jumped = (somas["cell"] == 12) & (somas["frame"] >= 6)
    somas.loc[jumped, "x_um"] += 18.0
    assert is_one_track(somas, link(somas), 12)


def test_a_gap_is_closed_up_to_the_longest_allowed_and_no_longer():
    somas = resting_cells()
    somas = somas[(somas["cell"] != 3) | ~somas["frame"].isin([4, 5, 6])].reset_index(drop=True)
    linking = link(somas)
    assert is_one_track(somas, linking, 3)
    assert linking.quality["links_over_gaps"] == 1
    assert not is_one_track(somas, link(somas, max_gap_frames=2), 3)


def test_brightness_tells_two_cells_apart_that_change_places():
    somas = resting_cells()
    jumps = np.random.default_rng(2).random((25, 12)) < 0.3  # nothing unusual here
    somas["y_um"] += 4.0 * np.cumsum(jumps, axis=1)[somas["cell"], somas["frame"]]
    for cell, level, before, after in ((11, 200.0, 56, 64), (13, 1200.0, 64, 56)):
        rows = somas["cell"] == cell
        somas.loc[rows, "mean_intensity"] = level
        somas.loc[rows, "x_um"] = np.where(somas.loc[rows, "frame"] < 6, before, after)
        somas.loc[rows, "y_um"] = 100.0
    assert is_one_track(somas, link(somas), 11) and is_one_track(somas, link(somas), 13)
    blind = link(somas, intensity_weight=0.0, area_weight=0.0)
    assert not is_one_track(somas, blind, 11)


def meeting_cells(swap):
    """Cells 7 and 8 come together, are one mask in frames 5-7, and part; `swap`: each leaves on the other's side."""
    somas = resting_cells(frames=13)
    somas["orientation_deg"], somas["elongation"] = 0.0, 1.2
    for cell, side, level in ((7, -1, 400.0), (8, 1, 1500.0)):
        rows = somas["cell"] == cell
        way = np.array([14, 12, 10, 8, 6, 0, 0, 0, 6, 8, 10, 12, 14]) * side
        somas.loc[rows, "x_um"] = 100.0 + np.where(np.arange(13) > 7, -way if swap else way, way)
        somas.loc[rows, "y_um"] = 40.0
        somas.loc[rows, "mean_intensity"] = level
    merged = somas["frame"].between(5, 7)
    somas = somas[~((somas["cell"] == 8) & merged)].reset_index(drop=True)
    blob = (somas["cell"] == 7) & somas["frame"].between(5, 7)
    somas.loc[blob, ["area_um2", "elongation", "mean_intensity"]] = 150.0, 2.0, 950.0
    return somas, blob.to_numpy()


@pytest.mark.parametrize("swap", [False, True])
def test_somas_that_merge_and_part_keep_their_identities(swap):
    somas, blob = meeting_cells(swap)
    linking = link(somas)
    tracks = {cell: set(linking.track_ids[(somas["cell"] == cell).to_numpy() & ~blob]) for cell in (7, 8)}
    assert len(tracks[7]) == len(tracks[8]) == 1 and tracks[7] != tracks[8]
    assert set(linking.track_ids[blob]) < tracks[7] | tracks[8]


def test_a_long_merge_needs_the_hidden_soma():
    somas, blob = meeting_cells(False)
    options = {"max_gap_frames": 1}
    assert link(somas, **options).track_ids.max() == 25
    assert link(somas, merges=False, **options).track_ids.max() > 25


def test_no_soma_has_two_links_to_the_same_side():
    somas = resting_cells(count=25)
    somas["y_um"] /= 6
    somas["x_um"] /= 6
    links = link(somas).links
    assert not links["row"].duplicated().any() and not links["next_row"].duplicated().any()
    assert (links["next_frame"] > links["frame"]).all()


def test_an_uncertain_link_has_less_confidence():
    somas = resting_cells().drop(columns=["area_um2", "mean_intensity"])
    halfway = (somas["cell"] == 6) & (somas["frame"] >= 6)  # cell 6 jumps between where 6 and 7 were; 7 is gone
    somas.loc[halfway, "x_um"] = 60.0
    somas = somas[~((somas["cell"] == 7) & (somas["frame"] >= 6))]
    links = link(somas).links
    jump = links[links["step_um"] > 10]
    assert len(jump) == 1
    assert jump["confidence"].iloc[0] < 0.9 < links["confidence"].median()


def test_a_movie_filmed_too_rarely_is_told():
    rng = np.random.default_rng(0)
    somas = pd.DataFrame({"frame": np.repeat(np.arange(10), 40)})
    somas["y_um"], somas["x_um"] = rng.uniform(0, 150, (2, 400))
    assert any("nearest neighbour" in warning for warning in link(somas).warnings)
    assert link(resting_cells()).warnings == []


def test_overlapping_masks_speak_for_a_link():
    labels = np.zeros((2, 10, 30), int)
    labels[0, 2:8, 2:10], labels[1, 2:8, 4:12] = 1, 5
    overlaps = shared_areas(*labels, frame=0)
    assert overlaps.to_numpy().tolist() == [[0, 1, 5, pytest.approx(36 / 60)]]
    somas = pd.concat([find_somas(image, frame=frame) for frame, image in enumerate(labels)], ignore_index=True)
    somas = somas.assign(y_um=somas["y_px"], x_um=somas["x_px"])
    linked = link_somas(somas, overlaps=overlaps, calibration=CALIBRATION)
    alone = link_somas(somas, calibration=CALIBRATION)
    assert linked.links["confidence"].iloc[0] > alone.links["confidence"].iloc[0]


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_movies_of_hardly_any_soma(rows):
    somas = pd.DataFrame({"frame": np.zeros(rows, int), "y_um": np.arange(rows) * 1.0, "x_um": 0.0})
    linking = link(somas)
    assert linking.track_ids.tolist() == list(range(1, rows + 1)) and len(linking.links) == 0


def test_unknown_looks_are_no_evidence():
    somas = resting_cells()
    somas.loc[somas.index % 3 == 0, ["area_um2", "mean_intensity"]] = np.nan
    linking = link(somas)
    assert all(is_one_track(somas, linking, cell) for cell in range(25))


def test_bad_somas_are_refused_by_name():
    with pytest.raises(ValueError, match="x_um missing"):
        link(pd.DataFrame({"frame": [0], "y_um": [1.0]}))
    with pytest.raises(ValueError, match="column y_um, row 1"):
        link(pd.DataFrame({"frame": [0, 1], "y_um": [1.0, np.nan], "x_um": 0.0}))
    with pytest.raises(ValueError, match="whole numbers"):
        link(pd.DataFrame({"frame": [0.5], "y_um": [1.0], "x_um": 0.0}))


@pytest.mark.parametrize("wrong", [{"max_gap_frames": 1.5}, {"area_weight": -1}, {"max_step_um": 0}, {"merges": 1}])
def test_bad_parameters_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        LinkingParameters(**wrong)


def small_problems():
    rng = np.random.default_rng(5)
    for _ in range(40):
        table = np.where(rng.random((4, 4)) < 0.6, rng.normal(1, 2, (4, 4)), -np.inf)
        source, target = np.nonzero(np.isfinite(table))
        yield source, target + 4, table[source, target]


def choices(source, target):
    for size in range(5):
        for picked in itertools.combinations(range(len(source)), size):
            picked = list(picked)
            if len(set(source[picked])) == len(set(target[picked])) == size:
                yield picked


def test_the_best_links_are_those_of_all_possible_choices():
    for source, target, gain in small_problems():
        best = max(gain[picked].sum() for picked in choices(source, target))
        assert gain[best_links(source, target, gain, 8)].sum() == pytest.approx(best)


def test_link_probabilities_are_near_those_of_counting_all_choices():
    errors = []
    for source, target, gain in small_problems():
        weight, linked = 0.0, np.zeros(len(gain))
        for picked in choices(source, target):
            weight += np.exp(gain[picked].sum())
            linked[picked] += np.exp(gain[picked].sum())
        errors.append(np.abs(link_probabilities(source, target, gain, 8) - linked / weight).max(initial=0))
    assert np.median(errors) < 0.05 and max(errors) < 0.2


def test_the_law_of_steps_is_learnt_from_steps():
    rng = np.random.default_rng(1)
    width = np.where(rng.random(5000) < 0.8, 0.5, 8.0)
    length = np.hypot(*(rng.standard_normal((2, 5000)) * width))
    law = ScaleMixture.broad(0.25, 20.0, reach=40.0, dimensions=2)
    law = law.fitted(law.counts(length, np.ones(5000)), rounds=50)
    for share in (0.5, 0.95):
        assert law.quantile(share) == pytest.approx(np.quantile(length, share), rel=0.15)
    crowd = np.sqrt(rng.random(10_000)) * 40.0  # other cells at all distances do not disturb it
    mixed = law.counts(np.concatenate([length, crowd]), np.ones(15_000))
    found = ScaleMixture.broad(0.25, 20.0, reach=40.0, dimensions=2).excess(mixed, starts=5000)
    assert found.quantile(0.5) == pytest.approx(np.quantile(length, 0.5), rel=0.2)


def test_links_of_simulated_true_detections_are_right():
    folder = Path(__file__).parents[2] / "benchmarks"
    sys.path.insert(0, str(folder))
    try:
        spec = importlib.util.spec_from_file_location("linking_benchmark", folder / "linking.py")
        benchmark = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(benchmark)
    finally:
        sys.path.remove(str(folder))
    # Seed 0 of fast_sampling: a soma beside one that is missed for a frame looks like a merge by chance.
    for name, seed, least in (("typical", 100, 0.99), ("dense", 100, 0.99), ("fast_sampling", 0, 0.995)):
        row = benchmark.measure(name, [seed], "somaseg", None)
        assert row["right"] >= least and abs(row["told"] - (1 - row["wrong, %"] / 100)) < 0.01


@pytest.mark.parametrize("seed", [0, 10, 13])
def test_a_crowd_that_merges_and_parts_has_no_track_twice_in_a_frame(seed):
    rng = np.random.default_rng(seed)
    cells, frames = 30, 16
    places = np.cumsum(rng.normal(0, 2.0, (frames, cells, 2)), 0) + rng.uniform(0, 90, (cells, 2))
    areas, rows = rng.uniform(60, 90, cells), []
    for frame, place in enumerate(places):
        left = list(range(cells))
        while left:
            cell = left.pop(0)
            near = [other for other in left if np.hypot(*(place[cell] - place[other])) < 8]
            if near and rng.random() < 0.8:
                left.remove(near[0])
                rows.append((frame, *place[[cell, near[0]]].mean(0), areas[cell] + areas[near[0]]))
            elif rng.random() < 0.9:
                rows.append((frame, *place[cell], areas[cell] * np.exp(rng.normal(0, 0.08))))
    somas = pd.DataFrame(rows, columns=["frame", "y_um", "x_um", "area_um2"])
    somas["track_id"] = link_somas(somas, calibration=CALIBRATION).track_ids
    assert not somas.duplicated(["frame", "track_id"]).any()
