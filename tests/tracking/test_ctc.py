"""The Cell Tracking Challenge's format: what is written reads back, gaps become children, and disagreement is told."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from somaseg.tracking.formats.ctc import join_gaps, read_ctc, split_at_gaps, write_ctc
from somaseg.tracking.label_stacks import presence

DATA = Path(__file__).parents[3] / "shared/data/tracking"


@pytest.fixture
def with_gaps(labels):
    labels[2:4][labels[2:4] == 1] = 0  # cell 1: frames 0, 1 and 4, 5
    labels[[1, 3]] = np.where(labels[[1, 3]] == 3, 0, labels[[1, 3]])  # cell 3: 0, 2, 4..5
    return labels


def test_a_gap_is_a_new_label_whose_parent_is_the_former(tmp_path, with_gaps):
    assert write_ctc(tmp_path / "a", with_gaps) == 0
    lines = (tmp_path / "a/res_track.txt").read_text().splitlines()
    assert lines == ["1 0 1 0", "4 4 5 1", "2 0 5 0", "3 0 0 0", "5 2 2 3", "6 4 5 5"]
    assert sorted(path.name for path in (tmp_path / "a").glob("*.tif")) == [f"mask00{t}.tif" for t in range(6)]
    mask = tifffile.imread(tmp_path / "a/mask004.tif")
    assert mask.dtype == np.uint16
    assert set(np.unique(mask)) == {0, 2, 4, 6}


@pytest.mark.parametrize("layout", ["result", "truth"])
def test_a_round_trip_through_gaps_gives_the_same_labels(tmp_path, with_gaps, layout):
    write_ctc(tmp_path / "a", with_gaps, layout=layout)
    np.testing.assert_array_equal(join_gaps(*read_ctc(tmp_path / "a")), with_gaps)
    names = {"result": {"mask000.tif", "res_track.txt"}, "truth": {"man_track000.tif", "man_track.txt"}}[layout]
    assert names <= {path.name for path in (tmp_path / "a").iterdir()}


def test_children_that_follow_at_once_or_beside_siblings_stay_daughters():
    labels = np.array([[[1, 0, 0]], [[0, 2, 0]], [[0, 0, 0]], [[3, 4, 0]]], np.uint16)
    table = {"label": [1, 2, 3, 4], "begin": [0, 1, 3, 3], "end": [0, 1, 3, 3], "parent": [0, 1, 2, 2]}
    np.testing.assert_array_equal(join_gaps(labels, pd.DataFrame(table)), labels)


def test_a_movie_without_cells(tmp_path):
    labels = np.zeros((3, 5, 4), np.uint8)
    write_ctc(tmp_path / "a", labels)
    assert (tmp_path / "a/res_track.txt").read_text() == ""
    back, segments = read_ctc(tmp_path / "a")
    np.testing.assert_array_equal(back, labels)
    assert len(segments) == 0
    np.testing.assert_array_equal(join_gaps(back, segments), labels)


def test_cells_of_one_pixel(tmp_path):
    labels = np.zeros((3, 2, 2), np.uint16)
    labels[:, 1, 1] = 9
    labels[1:, 0, 0] = 4
    write_ctc(tmp_path / "a", labels)
    np.testing.assert_array_equal(read_ctc(tmp_path / "a")[0], labels)


def test_a_movie_of_more_than_1000_frames_has_four_digits(tmp_path):
    write_ctc(tmp_path / "a", np.zeros((1001, 1, 1), np.uint8))
    names = sorted(path.name for path in (tmp_path / "a").glob("*.tif"))
    assert (names[0], names[-1]) == ("mask0000.tif", "mask1000.tif")


def test_of_a_label_in_pieces_the_largest_is_kept_and_the_rest_counted(tmp_path):
    labels = np.zeros((2, 6, 8), np.uint16)
    labels[0, :2, :2] = labels[0, 5, 7] = labels[0, 0, 5] = 1
    labels[0, 3, 3] = labels[0, 4, 4] = 2  # touch at a corner: one piece
    with pytest.warns(UserWarning, match="2 piece"):
        assert write_ctc(tmp_path / "a", labels) == 2
    back, _ = read_ctc(tmp_path / "a")
    assert np.count_nonzero(back[0] == 1) == 4
    assert np.count_nonzero(back[0] == 2) == 2
    assert labels[0, 5, 7] == 1  # the caller's array is as it was


def test_labels_too_large_are_counted_anew(tmp_path):
    labels = np.zeros((3, 1, 4), np.uint32)
    labels[:, 0, 0], labels[[0, 2], 0, 2] = 70_000, 4_000_000_000
    write_ctc(tmp_path / "a", labels)
    assert (tmp_path / "a/res_track.txt").read_text().splitlines() == ["1 0 2 0", "2 0 0 0", "3 2 2 2"]
    assert read_ctc(tmp_path / "a")[0][:, 0].tolist() == [[1, 0, 2, 0], [1, 0, 0, 0], [1, 0, 3, 0]]


def test_more_tracks_than_16_bits_hold_are_refused(tmp_path):
    labels = np.arange(1, 65_537, dtype=np.uint32).reshape(1, 256, 256)
    with pytest.raises(ValueError, match="hold 65,535 tracks without gaps, and there are 65,536"):
        write_ctc(tmp_path / "a", labels)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_refused_without_overwrite(tmp_path, labels):
    write_ctc(tmp_path / "a", labels)
    with pytest.raises(FileExistsError, match="Give another folder"):
        write_ctc(tmp_path / "a", labels[:2])
    write_ctc(tmp_path / "a", labels[:2], overwrite=True)
    assert len(read_ctc(tmp_path / "a")[0]) == 2


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("1 0 5 0\n2 0 5 0\n", "label 3 is in the masks and not in the table"),
        ("1 0 5 0\n2 0 5 0\n3 0 5 0\n4 0 1 0\n", "label 4 has frames 0..1 here and none in the masks"),
        ("1 0 5 0\n2 0 4 0\n3 0 5 0\n", r"label 2 has frames 0..4 here and frames 0..5 \(6 of them\) in the masks"),
        ("1 0 5 0\n2 0 5 1\n3 0 5 0\n", "label 2: its parent 1 does not end before frame 0"),
        ("1 0 5 0\n2 0 5 7\n3 0 5 0\n", "label 2: its parent 7 does not end before frame 0"),
        ("1 0 5 0\n1 0 5 0\n2 0 5 0\n3 0 5 0\n", "label 1 is there twice"),
        ("1 0 5\n", "line 1: expected four whole numbers"),
        ("1 0 -5 0\n", "line 1: expected four whole numbers"),
    ],
)
def test_a_table_that_disagrees_with_the_masks_is_told(tmp_path, labels, lines, message):
    write_ctc(tmp_path / "a", labels)
    (tmp_path / "a/res_track.txt").write_text(lines)
    with pytest.raises(ValueError, match=message):
        read_ctc(tmp_path / "a")


def test_masks_that_are_missing_or_damaged_are_told(tmp_path, labels):
    write_ctc(tmp_path / "a", labels)
    tifffile.imwrite(tmp_path / "a/mask003.tif", labels[3, :5])
    with pytest.raises(ValueError, match=r"mask003.tif: it is \(5, 30\), the first mask \(20, 30\)"):
        read_ctc(tmp_path / "a")
    (tmp_path / "a/mask003.tif").write_bytes(b"II*\0")
    with pytest.raises(ValueError, match="mask003.tif: cannot be read"):
        read_ctc(tmp_path / "a")
    (tmp_path / "a/mask003.tif").unlink()
    with pytest.raises(ValueError, match="mask of frame 3 is missing"):
        read_ctc(tmp_path / "a")
    with pytest.raises(FileNotFoundError, match="no res_track.txt and no man_track.txt"):
        read_ctc(tmp_path)


def test_what_is_no_label_stack_is_refused(tmp_path):
    for wrong in (np.zeros((2, 3, 4)), np.zeros((3, 4), int), np.full((1, 2, 2), -1), np.zeros((0, 2, 2), int)):
        with pytest.raises(ValueError, match="labels must"):
            write_ctc(tmp_path / "a", wrong)
    with pytest.raises(ValueError, match='layout must be "result" or "truth"'):
        write_ctc(tmp_path / "a", np.zeros((2, 3, 4), int), layout="SEG")


@pytest.mark.skipif(not DATA.exists(), reason="shared/data/tracking is not here")
def test_real_nuclei_survive(tmp_path):
    labels = tifffile.imread(DATA / "nuclei_6frames/example_label.tif")
    assert labels.ndim == 3 and labels.max() > 0
    dropped = write_ctc(tmp_path / "a", labels)
    assert dropped == 0
    back, segments = read_ctc(tmp_path / "a")
    np.testing.assert_array_equal(join_gaps(back, segments), labels)
    assert len(segments) == len(split_at_gaps(presence(labels)))
