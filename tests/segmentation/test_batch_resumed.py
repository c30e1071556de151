"""segment_files: whole files or none, and a run that was stopped goes on where it was."""

import errno
import os
import resource
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tifffile

from somaseg.segmentation import Segmenter, batch
from somaseg.segmentation.batch import OutputExistsError, segment_files


def uninterrupted(segmenter, paths, folder, contents):
    segment_files(segmenter, paths, folder)
    return contents(folder)


@pytest.mark.parametrize("call", range(8))
def test_a_full_disk_is_an_error_that_leaves_nothing_half_written(
    segmenter, tmp_path, monkeypatch, call, make_images, contents
):
    """Each of the files of a run of two images in turn is the one for which there is no room."""
    paths = make_images(tmp_path / "in", "a.png", "b.png")
    expected = uninterrupted(segmenter, paths, tmp_path / "whole", contents)
    calls, fsync = [], os.fsync

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == call + 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    if call < 7:  # the journal, two files for each image, the table, run.json
        with pytest.raises(OSError, match="No space left on device"):
            segment_files(segmenter, paths, tmp_path / "out")
        left = contents(tmp_path / "out")
        journal = left.pop(batch.JOURNAL, None)
        assert left == {name: expected[name] for name in left}
        assert (journal is None) == (call == 0)
    assert segment_files(segmenter, paths, tmp_path / "out").done == ["a", "b"]
    assert contents(tmp_path / "out") == expected


def test_a_file_that_is_cut_off_by_the_system_is_removed(segmenter, tmp_path, names_in):
    """A limit on file size stops the overlay of a noisy image in the middle, as a full disk does."""
    noise = np.random.default_rng(0).integers(0, 255, (40, 40), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", noise)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, hard))
    try:
        with pytest.raises(OSError) as caught:
            segment_files(segmenter, [tmp_path / "a.tif"], tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.errno == errno.EFBIG
    assert names_in(tmp_path / "out") <= {"a_labels.tif", batch.JOURNAL}
    assert segment_files(segmenter, [tmp_path / "a.tif"], tmp_path / "out").done == ["a"]
    assert tifffile.imread(tmp_path / "out" / "a_labels.tif").shape == (40, 40)


def stop_at(segmenter, paths, output, name, monkeypatch):
    """Run until just before the files of `name` are written, where a user presses Ctrl-C."""
    write = batch._write

    def interrupted(folder, stem, *arguments):
        if stem == name:
            raise KeyboardInterrupt
        write(folder, stem, *arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(batch, "_write", interrupted)
        segment_files(segmenter, paths, output)


def test_an_interrupted_run_goes_on_where_it_stopped(segmenter, tmp_path, monkeypatch, make_images, contents, names_in):
    paths = make_images(tmp_path / "in", "a.png", "b.png", "c.png", somas=2)
    expected = uninterrupted(segmenter, paths, tmp_path / "whole", contents)
    stop_at(segmenter, paths, tmp_path / "out", "c", monkeypatch)
    assert names_in(tmp_path / "out") == {name for name in expected if name[:2] in ("a_", "b_")} | {batch.JOURNAL}
    segmenter.count = 0
    result = segment_files(segmenter, paths, tmp_path / "out")
    assert segmenter.count == 1
    assert (result.done, result.object_count) == (["a", "b", "c"], 6)
    assert contents(tmp_path / "out") == expected


def test_an_interrupted_overwriting_run_goes_on_where_it_stopped(segmenter, tmp_path, monkeypatch, make_images):
    paths = make_images(tmp_path / "in", "a.png", "b.png")
    stop_at(segmenter, paths, tmp_path / "out", "b", monkeypatch)
    segmenter.count = 0
    assert segment_files(segmenter, paths, tmp_path / "out", overwrite=True).done == ["a", "b"]
    assert segmenter.count == 1


def test_an_image_that_was_changed_or_whose_result_was_deleted_is_done_again(
    segmenter, tmp_path, monkeypatch, make_images, objects
):
    paths = make_images(tmp_path / "in", "a.png", "b.png", "c.png", "d.png")
    stop_at(segmenter, paths, tmp_path / "out", "d", monkeypatch)
    make_images(tmp_path / "in", "a.png", somas=3)
    os.utime(paths[0], ns=(0, 0))
    (tmp_path / "out" / "c_overlay.png").unlink()
    segmenter.count = 0
    segment_files(segmenter, paths, tmp_path / "out")
    assert segmenter.count == 3
    assert objects(tmp_path / "out").image.value_counts().to_dict() == {"a.png": 3, "b.png": 1, "c.png": 1, "d.png": 1}
    assert objects(tmp_path / "out").image.is_monotonic_increasing
    assert (tmp_path / "out" / "c_overlay.png").is_file()


def test_an_unfinished_run_of_other_settings_is_not_continued(
    bright_network, segmenter, tmp_path, monkeypatch, make_images
):
    paths = make_images(tmp_path / "in", "a.png", "b.png")
    stop_at(segmenter, paths, tmp_path / "out", "b", monkeypatch)
    other = Segmenter(bright_network, minimum_area_px=1000)
    with pytest.raises(OutputExistsError, match="unfinished run of other images or settings"):
        segment_files(other, paths, tmp_path / "out")
    assert segment_files(other, paths, tmp_path / "out", overwrite=True).object_count == 0


def test_results_of_other_images_of_the_same_name_are_not_taken_over(segmenter, tmp_path, monkeypatch, make_images):
    first = make_images(tmp_path / "x", "a.png", "b.png", somas=1)
    second = make_images(tmp_path / "y", "a.png", "b.png", somas=3)
    stop_at(segmenter, first, tmp_path / "out", "b", monkeypatch)
    with pytest.raises(OutputExistsError, match="unfinished run of other images or settings"):
        segment_files(segmenter, second, tmp_path / "out")
    assert segment_files(segmenter, second, tmp_path / "out", overwrite=True).object_count == 6


def test_an_image_added_to_an_unfinished_run_is_done_too(segmenter, tmp_path, monkeypatch, make_images):
    paths = make_images(tmp_path / "in", "a.png", "b.png")
    stop_at(segmenter, paths, tmp_path / "out", "b", monkeypatch)
    paths += make_images(tmp_path / "in", "c.png")
    assert segment_files(segmenter, paths, tmp_path / "out").done == ["a", "b", "c"]


@pytest.mark.parametrize("tail", ['{"name": "b", "objects": [{"label": 1}', '{"name": "b"', "{}", "\0\0\0"])
def test_a_journal_whose_last_line_was_cut_off_is_continued(segmenter, tmp_path, monkeypatch, tail, make_images):
    paths = make_images(tmp_path / "in", "a.png", "b.png")
    stop_at(segmenter, paths, tmp_path / "out", "b", monkeypatch)
    with open(tmp_path / "out" / batch.JOURNAL, "a") as file:
        file.write(tail)
    segmenter.count = 0
    assert segment_files(segmenter, paths, tmp_path / "out").done == ["a", "b"]
    assert segmenter.count == 1


@pytest.mark.parametrize("content", [b"", b"no journal\n", b"\xff\xfe\n", b"[]\n"])
def test_a_journal_that_is_none_is_replaced_when_asked(segmenter, tmp_path, content, make_images):
    paths = make_images(tmp_path / "in", "a.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / batch.JOURNAL).write_bytes(content)
    with pytest.raises(OutputExistsError, match="unfinished run of other images or settings"):
        segment_files(segmenter, paths, tmp_path / "out")
    assert segment_files(segmenter, paths, tmp_path / "out", overwrite=True).done == ["a"]


KILLED = """
    import os, signal, sys

    import tifffile

    from somaseg import cli

    imwrite, count = tifffile.imwrite, 0

    def killed(path, *arguments, **options):
        global count
        count += 1
        imwrite(path, *arguments, **options)
        if count == 3:
            os.kill(os.getpid(), signal.SIGKILL)

    tifffile.imwrite = killed
    cli.main(sys.argv[1:])
"""


def test_a_killed_command_given_again_ends_as_an_uninterrupted_one(bright_preset, tmp_path, make_images, contents):
    """Killed between writing the third label image under its temporary name and moving it into place."""
    make_images(tmp_path / "in", *(f"{name}.png" for name in "abcde"), somas=2)
    arguments = ["segment", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--preset", str(bright_preset)]
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED), *arguments], capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    out = tmp_path / "out"
    finished = {path: path.stat().st_mtime_ns for path in out.iterdir() if path.name[:2] in ("a_", "b_")}
    assert len(finished) == 4
    assert not (out / "c_labels.tif").exists()

    from somaseg import cli

    assert cli.main(arguments) == 0
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    arguments[arguments.index(str(out))] = str(tmp_path / "whole")
    assert cli.main(arguments) == 0
    assert contents(out) == contents(tmp_path / "whole")
