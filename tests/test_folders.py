"""whole_folder: a reader sees the old or the new folder, never a part, and files of other names stay."""

import os
import subprocess
import sys

import pytest

from somaseg import folders
from somaseg.folders import HiddenFolder, refuse_existing, whole_folder

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
        if source.parent.name == "new":
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


def test_a_folder_that_must_stay_may_be_all_ours(fixed):
    with whole_folder(fixed, ours=["*"], overwrite=True) as partial:
        (partial / "a.bin").write_text("new")
    assert contents(fixed) == {"a.bin": "new"}
    (fixed / "a.bin").unlink()
    with whole_folder(fixed, ours=["*"]) as partial:
        (partial / "a.bin").write_text("newer")
    assert contents(fixed) == {"a.bin": "newer"}


def start_writer(folder, *, before="", overwrite=False):
    """Another process that writes half a table into a block of `whole_folder`, then runs `before` and waits."""
    program = f"""
import os, sys, time
from somaseg.folders import whole_folder
with whole_folder({str(folder)!r}, ours={OURS}, overwrite={overwrite}) as partial:
    (partial / "table.csv").write_text("half")
    print("writing", flush=True)
    {before or "time.sleep(600)"}
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "writing\n"
    return process


def kill(process):
    process.kill()
    process.wait()
    process.stdout.close()


def test_what_a_killed_process_left_is_removed_and_that_of_a_live_one_is_not(tmp_path):
    process = start_writer(tmp_path / "result")
    try:
        for overwrite in (False, True):
            with pytest.raises(BlockingIOError, match="Another run is writing to .*result. Wait for it, or give"):
                write(tmp_path / "result", "new", overwrite=overwrite)
        assert (tmp_path / ".result.partial" / "new" / "table.csv").read_text() == "half"
        write(tmp_path / "other", "new")
    finally:
        kill(process)
    assert {path.name for path in tmp_path.iterdir()} == {".result.partial", "other"}
    write(tmp_path / "result", "new")
    assert {path.name for path in tmp_path.iterdir()} == {"result", "other"}
    assert contents(tmp_path / "result") == {"table.csv": "new"}


@pytest.mark.parametrize("renames", [1, 2, 3])
def test_foreign_files_outlive_a_process_killed_in_the_exchange(tmp_path, renames):
    """Killed when the old folder is put aside, when the new one is in its place, and after one foreign file of two."""
    write(tmp_path / "result", "old")
    for name in ("letter.txt", "notes.txt"):
        (tmp_path / "result" / name).write_text("mine")
    before = f"""
    replace, left = os.replace, [{renames}]
    def kills(*paths):
        replace(*paths)
        left[0] -= 1
        if not left[0]: os.kill(os.getpid(), 9)
    os.replace = kills
"""
    process = start_writer(tmp_path / "result", before=before, overwrite=True)
    assert process.wait(60) == -9
    process.stdout.close()
    assert (tmp_path / "result").exists() == (renames > 1)
    with pytest.raises(FileExistsError, match="table.csv exists"):
        write(tmp_path / "result", "new")
    mine = {"letter.txt": "mine", "notes.txt": "mine"}
    assert contents(tmp_path / "result") == {"table.csv": "half" if renames > 1 else "old", **mine}
    write(tmp_path / "result", "new", overwrite=True)
    assert contents(tmp_path / "result") == {"table.csv": "new", **mine}
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


@pytest.mark.parametrize("missing", ["system", "file system"])
def test_without_locks_two_writers_do_not_touch_each_others_folder(tmp_path, monkeypatch, missing):
    def unsupported(*arguments):
        raise OSError(95, "Operation not supported")

    if missing == "system":
        monkeypatch.setattr(folders, "fcntl", None)
    else:
        monkeypatch.setattr(folders.fcntl, "flock", unsupported)
    with whole_folder(tmp_path / "result", ours=OURS, overwrite=True) as partial:
        (partial / "table.csv").write_text("last")
        write(tmp_path / "result", "first")
    assert contents(tmp_path / "result") == {"table.csv": "last"}
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


def test_a_hidden_folder_that_is_removed_while_another_waits_for_it_is_made_anew(tmp_path, monkeypatch):
    first, lock = HiddenFolder(tmp_path / "result", "partial"), folders.fcntl.flock
    left = [first]

    def ends_just_before(*arguments):
        if left:
            left.pop().remove()
        lock(*arguments)

    monkeypatch.setattr(folders.fcntl, "flock", ends_just_before)
    second = HiddenFolder(tmp_path / "result", "partial")
    monkeypatch.undo()
    assert second.locked and second.path.is_dir()
    with pytest.raises(BlockingIOError):
        HiddenFolder(tmp_path / "result", "partial")
    second.remove()
    assert not list(tmp_path.iterdir())
