"""whole_folder: a reader sees the old or the new folder, never a part, and files of other names stay."""

import os

import pytest

from somaseg.folders import refuse_existing, whole_folder

OURS = ("table.csv", "mask*.tif")


def write(folder, content, **options):
    with whole_folder(folder, ours=OURS, **options) as partial:
        (partial / "table.csv").write_text(content)


def test_the_folder_appears_only_when_the_block_ends(tmp_path):
    target = tmp_path / "deeper" / "result"
    with whole_folder(target, ours=OURS) as partial:
        (partial / "table.csv").write_text("whole")
        assert not target.exists()
    assert [path.name for path in target.parent.iterdir()] == ["result"]
    assert (target / "table.csv").read_text() == "whole"


@pytest.mark.parametrize("there", [False, True])
def test_nothing_is_left_of_a_block_that_fails(tmp_path, there):
    if there:
        write(tmp_path / "result", "old")
    with pytest.raises(KeyboardInterrupt), whole_folder(tmp_path / "result", ours=OURS, overwrite=True) as partial:
        (partial / "table.csv").write_text("half")
        raise KeyboardInterrupt
    assert [path.read_text() for path in tmp_path.rglob("*.csv")] == ["old"] * there
    assert len(list(tmp_path.iterdir())) == there


def test_what_is_ours_is_refused_or_replaced_and_what_is_not_stays(tmp_path):
    write(tmp_path, "old")
    (tmp_path / "mask000.tif").write_text("old")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="mask000.tif exists. Give another folder, or --overwrite."):
        write(tmp_path, "new")
    write(tmp_path, "new", overwrite=True)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"table.csv": "new", "notes.txt": "mine"}


def test_a_folder_of_other_files_is_not_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    refuse_existing(tmp_path, OURS)
    refuse_existing(tmp_path / "none", OURS)
    write(tmp_path, "new")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "result").write_text("mine")
    with pytest.raises(NotADirectoryError, match="result is a file. Give a folder."):
        write(tmp_path / "result", "new", overwrite=True)


def test_a_link_to_a_folder_stays_a_link(tmp_path):
    (tmp_path / "big_disk").mkdir()
    (tmp_path / "big_disk" / "notes.txt").write_text("mine")
    (tmp_path / "result").symlink_to(tmp_path / "big_disk", target_is_directory=True)
    for content in ("old", "new"):
        write(tmp_path / "result", content, overwrite=True)
        assert (tmp_path / "result").is_symlink()
        assert (tmp_path / "big_disk" / "table.csv").read_text() == content
    assert {path.name for path in tmp_path.iterdir()} == {"result", "big_disk"}
    assert (tmp_path / "big_disk" / "notes.txt").read_text() == "mine"


@pytest.fixture(params=["working directory", "mount point", "parent takes no files"])
def fixed(request, tmp_path, monkeypatch):
    """A folder with an old table and a foreign file, that cannot be put aside."""
    folder = tmp_path / "fixed"
    write(folder, "old")
    (folder / "mask000.tif").write_text("old")
    (folder / "notes.txt").write_text("mine")
    if request.param == "working directory":
        monkeypatch.chdir(folder)
    elif request.param == "mount point":
        monkeypatch.setattr(os.path, "ismount", lambda path: str(path) == str(folder))
    else:
        monkeypatch.setattr(os, "access", lambda path, mode: str(path) != str(tmp_path))
    return folder


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_folder_that_must_stay_where_it_is_keeps_its_place(fixed, tmp_path):
    before = fixed.stat().st_ino
    write(fixed, "new", overwrite=True)
    assert contents(fixed) == {"table.csv": "new", "notes.txt": "mine"}
    assert fixed.stat().st_ino == before
    assert list(tmp_path.iterdir()) == [fixed]


def test_a_folder_that_must_stay_is_as_it_was_when_the_exchange_fails(fixed, monkeypatch):
    before, replace = contents(fixed), os.replace

    def fails_on_the_new(source, target):
        if ".partial." in str(source):
            raise OSError("disk gone")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fails_on_the_new)
    with pytest.raises(OSError, match="disk gone"):
        write(fixed, "new", overwrite=True)
    assert contents(fixed) == before


def test_the_working_directory_can_be_written_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(".", "whole")
    with open("more.txt", "w") as file:
        file.write("after")
    assert contents(tmp_path) == {"table.csv": "whole", "more.txt": "after"}
