"""replace_when_whole: a reader of the path sees the old or the new file, never a part."""

import pytest

from somaseg.files import check_new_file, replace_when_whole


def test_the_file_appears_only_when_the_block_ends(tmp_path):
    target = tmp_path / "deeper" / "a.txt"
    with replace_when_whole(target) as partial:
        partial.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert list(target.parent.iterdir()) == [target]


def test_nothing_is_left_of_a_block_that_fails(tmp_path):
    with (
        pytest.raises(RuntimeError, match="out of ink"),
        replace_when_whole(tmp_path / "a") as partial,
    ):
        partial.write_text("half")
        raise RuntimeError("out of ink")
    assert list(tmp_path.iterdir()) == []


def test_an_old_file_outlives_a_block_that_fails(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(KeyboardInterrupt), replace_when_whole(target) as partial:
        partial.write_text("half")
        raise KeyboardInterrupt
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_an_old_file_is_replaced(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with replace_when_whole(str(target)) as partial:
        partial.write_text("new")
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_block_that_writes_nothing_is_an_error_and_keeps_the_old_file(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(FileNotFoundError), replace_when_whole(target):
        pass
    assert target.read_text() == "old"


def test_a_new_file_is_refused_where_it_would_replace_or_has_another_suffix(tmp_path):
    there = tmp_path / "a.onnx"
    assert check_new_file(str(there), ".onnx") == there
    there.write_text("old")
    with pytest.raises(FileExistsError, match="--overwrite"):
        check_new_file(there, ".onnx")
    assert check_new_file(there, ".onnx", overwrite=True) == there
    with pytest.raises(ValueError, match=r"must end in \.zip, got a\.onnx"):
        check_new_file(there, ".zip", overwrite=True)
