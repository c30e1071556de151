"""The result folder: a round trip changes nothing, appears whole, and what is wrong is told by file and column."""

import dataclasses
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from somaseg.movies import Calibration
from somaseg.tracking import TRACK_COLUMNS, Result, read_result, write_result

TABLES = ("tracks", "cells", "saltations", "drift")


@pytest.fixture
def folder(tmp_path, result):
    write_result(tmp_path / "out", result, run={"seed": 3})
    return tmp_path / "out"


def edit(path, column, row, value):
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.loc[row, column] = value
    table.to_csv(path, index=False)


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_round_trip_gives_the_same_result(folder, result):
    back = read_result(folder)
    np.testing.assert_array_equal(back.labels, result.labels)
    assert back.labels.dtype == np.uint16
    assert back.calibration == result.calibration
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(back, name), getattr(result, name), rtol=1e-8)
    assert back.summary["note"] == "hand-made"
    assert back.summary["somas"] == 18


def test_writing_what_was_read_gives_the_same_bytes(folder, tmp_path):
    write_result(tmp_path / "again", read_result(folder), run={"seed": 3})
    assert contents(tmp_path / "again") == contents(folder)


def test_numbers_keep_nine_digits_however_large_or_small(tmp_path, result):
    values = [1e-7 / 3, 12345.678901, 1e12 / 7]
    result.cells["path_um"] = values
    write_result(tmp_path / "out", result, run={})
    np.testing.assert_allclose(read_result(tmp_path / "out").cells["path_um"], values, rtol=1e-8)


def test_extra_columns_survive(tmp_path, result):
    result.cells["behaviour"] = ["migrating", "arrested", "migrating"]
    result.cells["seen"] = [True, False, True]
    result.tracks["z_um"] = 1.25
    write_result(tmp_path / "out", result, run={})
    back = read_result(tmp_path / "out")
    assert list(back.cells["behaviour"]) == ["migrating", "arrested", "migrating"]
    assert list(back.cells["seen"]) == [True, False, True]
    assert set(back.tracks["z_um"]) == {1.25}


def test_true_and_false_are_lower_case_and_may_be_undefined(tmp_path, result):
    result.cells["arrested"] = pd.array([True, None, False], dtype="boolean")
    write_result(tmp_path / "out", result, run={})
    assert list(pd.read_csv(tmp_path / "out/cells.csv", dtype=str)["arrested"].fillna("")) == ["true", "", "false"]
    assert list(read_result(tmp_path / "out").cells["arrested"].isna()) == [False, True, False]


def test_run_and_summary_tell_what_it_was_made_with(folder):
    run = json.loads((folder / "run.json").read_text())
    assert run["seed"] == 3
    assert {"somaseg", "python"} <= set(run["versions"])
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["um_per_px"], summary["minutes_per_frame"], summary["warnings"]) == (0.5, 10, [])


def test_undefined_numbers_are_null_in_json(tmp_path, result):
    result.summary = {"speed_um_per_h": np.float64("nan"), "n": np.int64(3), "range": (np.float32(0.5), np.inf)}
    write_result(tmp_path / "out", result, run={"parameters": Calibration(1, 2)})
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert (summary["speed_um_per_h"], summary["n"], summary["range"]) == (None, 3, [0.5, None])
    assert json.loads((tmp_path / "out/run.json").read_text())["parameters"]["um_per_px"] == 1


def test_optional_tables_may_be_missing(tmp_path, result):
    bare = Result(result.calibration, result.labels, result.tracks)
    write_result(tmp_path / "out", bare, run={})
    assert not (tmp_path / "out/cells.csv").exists()
    back = read_result(tmp_path / "out")
    assert (back.cells, back.saltations, back.drift) == (None, None, None)


def test_a_result_without_any_cell(tmp_path, result, tables):
    empty = {name: table.iloc[:0] for name, table in tables.items()} | {"drift": tables["drift"]}
    empty = Result(result.calibration, result.labels * 0, result.tracks.iloc[:0], **empty)
    write_result(tmp_path / "out", empty, run={})
    back = read_result(tmp_path / "out")
    assert len(back.tracks) == len(back.cells) == len(back.saltations) == 0
    assert tuple(back.tracks) == TRACK_COLUMNS
    assert back.tracks["track_id"].dtype == np.int64
    assert (tmp_path / "out/ctc/res_track.txt").read_text() == ""


def test_a_movie_of_one_frame(tmp_path, labels, tracks_of, result):
    one = Result(result.calibration, labels[:1], tracks_of(labels[:1]))
    write_result(tmp_path / "out", one, run={})
    np.testing.assert_array_equal(read_result(tmp_path / "out").labels, labels[:1])


def test_ids_above_65535_are_kept(tmp_path, labels, tracks_of, result):
    large = labels.astype(np.uint32)
    large[large == 3] = 70_000
    write_result(tmp_path / "out", Result(result.calibration, large, tracks_of(large)), run={})
    back = read_result(tmp_path / "out")
    np.testing.assert_array_equal(back.labels, large)
    (tmp_path / "out/summary.json").unlink()
    assert read_result(tmp_path / "out").calibration == result.calibration


def test_signed_labels_become_16_bit(tmp_path, result):
    write_result(tmp_path / "out", dataclasses.replace(result, labels=result.labels.astype(np.int64)), run={})
    assert read_result(tmp_path / "out").labels.dtype == np.uint16


def test_labels_come_from_ctc_when_only_that_is_there(folder, result):
    (folder / "labels.tif").unlink()
    np.testing.assert_array_equal(read_result(folder).labels, result.labels)


def test_units_come_from_the_labels_when_there_is_no_summary(folder, result):
    (folder / "summary.json").unlink()
    back = read_result(folder)
    assert back.calibration.um_per_px == pytest.approx(0.5)
    assert back.calibration.minutes_per_frame == 10
    assert back.summary is None


def test_without_any_units_it_stops(folder):
    for name in ("labels.tif", "summary.json"):
        (folder / name).unlink()
    with pytest.raises(ValueError, match="neither summary.json nor labels.tif tells um_per_px"):
        read_result(folder)


def test_pieces_that_ctc_has_no_room_for_are_warned_of(tmp_path, result):
    result.labels[2, 0, 20:22] = 1  # a second piece of cell 1
    write_result(tmp_path / "out", result, run={})
    back = read_result(tmp_path / "out")
    assert back.summary["warnings"] == [
        "ctc: 1 piece(s) of somas that are in several pieces are left out: the format allows one per frame."
    ]
    np.testing.assert_array_equal(back.labels, result.labels)


def test_an_existing_result_is_refused_and_left_as_it_was(folder, result):
    before = contents(folder)
    with pytest.raises(FileExistsError, match="exists. Give another folder, or --overwrite"):
        write_result(folder, result, run={"seed": 4})
    assert contents(folder) == before


def test_overwriting_replaces_the_result_and_leaves_what_is_not_ours(folder, result):
    (folder / "notes.txt").write_text("mine")
    (folder / "report.html").write_text("of the old result")
    bare = Result(result.calibration, result.labels[:3], result.tracks[result.tracks["frame"] < 3])
    write_result(folder, bare, run={}, overwrite=True)
    assert (folder / "notes.txt").read_text() == "mine"
    assert not (folder / "report.html").exists()
    assert not (folder / "cells.csv").exists()
    assert len(list((folder / "ctc").glob("mask*.tif"))) == 3
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_folder_with_other_things_in_it_takes_a_result(tmp_path, result):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/notes.txt").write_text("mine")
    write_result(tmp_path / "out", result, run={})
    assert (tmp_path / "out/notes.txt").read_text() == "mine"
    read_result(tmp_path / "out")


def test_what_fails_midway_leaves_no_trace(folder, result):
    before = contents(folder)

    def fail(partial):
        assert (partial / "run.json").exists()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_result(folder, result, run={}, overwrite=True, write_more=fail)
    with pytest.raises(KeyboardInterrupt):
        write_result(folder.parent / "new", result, run={}, write_more=fail)
    assert contents(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_more_files_appear_with_the_rest(tmp_path, result):
    write_result(tmp_path / "out", result, run={}, write_more=lambda partial: (partial / "states.csv").write_text("a"))
    assert (tmp_path / "out/states.csv").read_text() == "a"


@pytest.mark.parametrize(
    ("name", "column", "value", "message"),
    [
        ("tracks.csv", "y_px", "abc", r"tracks.csv: column y_px, row 2: 'abc' is not a number"),
        ("tracks.csv", "x_um", "", r"tracks.csv: column x_um, row 2: nothing stands where a number must be"),
        ("tracks.csv", "y_px", "inf", r"tracks.csv: column y_px, row 2: .*inf.* is infinite"),
        ("tracks.csv", "frame", "6", r"tracks.csv: column frame, row 2: 6 is outside the stack of 6 frames \(0..5\)"),
        ("tracks.csv", "frame", "-1", r"tracks.csv: column frame, row 2: -1 is not a frame"),
        ("tracks.csv", "frame", "0.5", r"tracks.csv: column frame, row 2: 0.5 is not a whole number"),
        ("tracks.csv", "track_id", "1", r"tracks.csv: row 2: track_id 1, frame 0 is there twice"),
        ("tracks.csv", "track_id", "0", r"tracks.csv: column track_id, row 2: 0 is not an id"),
        ("tracks.csv", "track_id", "9", r"track 2 of frame 0 is in the labels and not in tracks.csv \(1 such"),
        ("cells.csv", "arrested", "maybe", r"cells.csv: column arrested, row 2: 'maybe' is neither true nor false"),
        ("cells.csv", "track_id", "9", r"cells.csv: column track_id: 9 is not in tracks.csv"),
        ("cells.csv", "track_id", "1", r"cells.csv: row 2: track_id 1 is there twice"),
        ("cells.csv", "last_frame", "7", r"cells.csv: column last_frame, row 2: 7 is outside the stack"),
        ("saltations.csv", "end_frame", "0", None),
        ("saltations.csv", "start_frame", "4", r"saltations.csv: column end_frame, row 2: 2 is before start_frame"),
        ("saltations.csv", "track_id", "9", r"saltations.csv: column track_id: 9 is not in tracks.csv"),
        ("drift.csv", "frame", "0", r"drift.csv: row 2: frame 0 is there twice"),
    ],
)
def test_a_wrong_cell_is_told_by_file_column_and_row(folder, name, column, value, message):
    edit(folder / name, column, 1, value)
    if message is None:
        read_result(folder)
    else:
        with pytest.raises(ValueError, match=message):
            read_result(folder)


@pytest.mark.parametrize("name", ["tracks.csv", "cells.csv", "saltations.csv", "drift.csv"])
def test_a_table_that_is_none_is_told_by_its_name(folder, name):
    table = pd.read_csv(folder / name)
    table.drop(columns=table.columns[1]).to_csv(folder / name, index=False)
    with pytest.raises(ValueError, match=rf"{name}: missing column\(s\) {table.columns[1]}; it has "):
        read_result(folder)
    for content in (b"", b"\xff\xfe\x00\x01", b'a,b\n1,2\n3,4,5\n"'):
        (folder / name).write_bytes(content)
        with pytest.raises(ValueError, match=name):
            read_result(folder)


@pytest.mark.parametrize("share", [0.001, 0.02, 0.05, 0.5, 0.8])
def test_a_truncated_label_stack_is_told(folder, share):
    data = (folder / "labels.tif").read_bytes()
    (folder / "labels.tif").write_bytes(data[: int(share * len(data))])
    with pytest.raises(ValueError, match="labels.tif"):
        read_result(folder)


def test_a_label_stack_that_lost_only_its_last_directories_is_told_or_whole(folder, result):
    data = (folder / "labels.tif").read_bytes()
    for cut in range(1, 1200, 97):
        (folder / "labels.tif").write_bytes(data[:-cut])
        try:
            labels = read_result(folder).labels
        except ValueError as error:
            assert "labels.tif" in str(error)
        else:
            np.testing.assert_array_equal(labels, result.labels)


def test_a_soma_that_is_only_in_the_table_is_told(folder, result):
    result.labels[3][result.labels[3] == 2] = 0
    with pytest.raises(ValueError, match="track 2 of frame 3 is in tracks.csv and not in the labels"):
        write_result(folder.parent / "new", result, run={})
    assert not (folder.parent / "new").exists()


def test_missing_cells_and_drift_rows_are_told(folder):
    for name, message in (("drift.csv", "5 rows for 6 frames"), ("cells.csv", "no row for track 3")):
        pd.read_csv(folder / name).iloc[:-1].to_csv(folder / name, index=False)
        with pytest.raises(ValueError, match=message):
            read_result(folder)


def test_units_that_disagree_are_told(folder):
    summary = json.loads((folder / "summary.json").read_text())
    (folder / "summary.json").write_text(json.dumps({**summary, "um_per_px": 0.65}))
    with pytest.raises(ValueError, match="um_per_px is 0.65 there and 0.5 in the calibration"):
        read_result(folder)
    (folder / "summary.json").write_text("{")
    with pytest.raises(ValueError, match="summary.json: this is no JSON"):
        read_result(folder)


def test_what_is_no_result_folder_is_told(tmp_path, folder, result):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        read_result(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="no tracks.csv"):
        read_result(tmp_path)
    (folder / "labels.tif").unlink()
    shutil.rmtree(folder / "ctc")
    with pytest.raises(FileNotFoundError, match="neither a labels.tif nor a ctc/"):
        read_result(folder)
    with pytest.raises(NotADirectoryError, match="is a file"):
        write_result(folder / "tracks.csv", result, run={})
