"""segment_files: what is found, what is written, and what is there already."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from somaseg.segmentation import read_image
from somaseg.segmentation.batch import JOURNAL, OutputExistsError, find_images, segment_files

COLUMNS = ["image", "label", "y_px", "x_px", "area_px", "mean_intensity", "probability"]


# === What is found ===


def test_a_folder_gives_its_images_sorted_without_labels_overlays_and_folders(tmp_path, make_images):
    make_images(tmp_path, "b.PNG", "a.tif", "c.jpeg", "a_masks.tif", "a_labels.tif", "a_overlay.png", ".hidden.png")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "notes.txt").write_text("")
    assert [path.name for path in find_images([tmp_path])] == ["a.tif", "b.PNG", "c.jpeg"]


def test_files_are_taken_once_each_in_the_order_given(tmp_path, make_images):
    a, b = make_images(tmp_path, "a.png", "b.png")
    assert find_images([b, tmp_path, str(a)]) == [b, a]


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere: no such file or folder"):
        find_images([tmp_path / "nowhere"])
    with pytest.raises(FileNotFoundError, match="no PNG, JPEG or TIFF file in this folder"):
        find_images([tmp_path])


# === What is written ===


def test_outputs_hold_what_the_image_holds(segmenter, tmp_path, picture, make_images, objects, names_in):
    paths = make_images(tmp_path / "in", "one.png", "two.tif", somas=2)
    result = segment_files(segmenter, paths, tmp_path / "out", run={"preset": "bright"})
    assert names_in(tmp_path / "out") == {
        *("one_labels.tif", "one_overlay.png", "two_labels.tif", "two_overlay.png"),
        *("objects.csv", "run.json"),
    }
    assert (result.done, result.failed, result.object_count) == (["one", "two"], {}, 4)
    labels = tifffile.imread(tmp_path / "out" / "two_labels.tif")
    assert labels.dtype == np.uint16
    np.testing.assert_array_equal(labels > 0, picture(2) > 10)
    assert labels.max() == 2
    overlay = cv2.imread(str(tmp_path / "out" / "two_overlay.png"))
    assert overlay.shape == (96, 96, 3)

    table = objects(tmp_path / "out")
    assert list(table.columns) == COLUMNS
    assert table.image.tolist() == ["one.png"] * 2 + ["two.tif"] * 2
    for name, rows in table.groupby("image"):
        labels = tifffile.imread(tmp_path / "out" / f"{Path(name).stem}_labels.tif")
        for row in rows.itertuples():
            pixels = labels == row.label
            assert pixels.sum() == row.area_px == 20
            assert (row.y_px, row.x_px) == tuple(np.argwhere(pixels).mean(0))
            assert row.mean_intensity == picture(2)[pixels].mean()
            assert 0.5 < row.probability <= 1

    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["preset"] == "bright"
    assert run["settings"] == segmenter.settings()
    assert (run["images"], run["objects"], run["failed"]) == (2, 4, {})


def test_without_any_soma_the_table_has_its_columns(segmenter, tmp_path, objects):
    speck = np.full((24, 24), 10, np.uint8)
    speck[4, 4:7] = 200  # 3 pixels, the least is 4
    tifffile.imwrite(tmp_path / "a.tif", speck)
    segment_files(segmenter, [tmp_path / "a.tif"], tmp_path / "out")
    assert list(objects(tmp_path / "out").columns) == COLUMNS
    assert len(objects(tmp_path / "out")) == 0


def test_names_with_spaces_dots_and_other_scripts_are_kept(segmenter, tmp_path, make_images, objects):
    names = ["my cell 1.png", "zelle µ 細胞.tif", "2024.01.02.day.1.png", "-o.png", "100%.jpg"]
    result = segment_files(segmenter, make_images(tmp_path / "in", *names), tmp_path / "out put")
    assert result.failed == {}
    for name in names:
        assert (tmp_path / "out put" / f"{name.rpartition('.')[0]}_labels.tif").is_file()
    assert sorted(objects(tmp_path / "out put").image) == sorted(names)


def test_images_of_one_name_do_not_overwrite_each_other(segmenter, tmp_path, make_images, objects):
    paths = [
        *make_images(tmp_path / "x", "a.png", somas=1),
        *make_images(tmp_path / "x", "a.tif", "a_png.tif", somas=2),
        *make_images(tmp_path / "y", "a.png", somas=3),
    ]
    result = segment_files(segmenter, paths, tmp_path / "out")
    assert len(set(result.done)) == 4
    found = [tifffile.imread(tmp_path / "out" / f"{name}_labels.tif").max() for name in result.done]
    assert found == [1, 2, 2, 3]
    counts = objects(tmp_path / "out").image.value_counts().to_dict()
    assert counts == {str(paths[0]): 1, "a.tif": 2, "a_png.tif": 2, str(paths[3]): 3}


def test_bad_files_are_named_and_the_others_done(segmenter, tmp_path, make_images, objects):
    good = make_images(tmp_path / "in", "a.png", "c.png")
    bad = [tmp_path / "in" / name for name in ("b.png", "d.tif", "gone.png")]
    bad[0].write_bytes(good[0].read_bytes()[:60])
    tifffile.imwrite(bad[1], np.arange(10 * 40, dtype=np.uint16).reshape(10, 40))
    result = segment_files(segmenter, [good[0], *bad, good[1]], tmp_path / "out")
    assert result.done == ["a", "c"]
    assert result.failed == {
        str(bad[0]): "the image is damaged: its end is missing.",
        str(bad[1]): "An image must be at least 16 x 16 pixels, got 10 x 40.",
        str(bad[2]): "no such file.",
    }
    assert objects(tmp_path / "out").image.tolist() == ["a.png", "c.png"]
    assert json.loads((tmp_path / "out" / "run.json").read_text())["failed"] == result.failed


def test_the_labels_lie_on_the_pixels_that_read_image_gives(segmenter, tmp_path):
    image = np.full((20, 44, 3), 10, np.uint8)
    image[2:7, 30:40] = 200
    cv2.imwrite(str(tmp_path / "a.png"), image)
    segment_files(segmenter, [tmp_path / "a.png"], tmp_path / "out")
    labels = tifffile.imread(tmp_path / "out" / "a_labels.tif")
    np.testing.assert_array_equal(labels > 0, read_image(tmp_path / "a.png")[..., 0] > 10)


# === What is there already ===


def test_results_are_not_overwritten_unless_asked(segmenter, tmp_path, make_images, contents, objects):
    paths = make_images(tmp_path / "in", "a.png")
    segment_files(segmenter, paths, tmp_path / "out")
    before = contents(tmp_path / "out")
    make_images(tmp_path / "in", "a.png", somas=3)
    with pytest.raises(OutputExistsError, match=r"out/objects.csv exists \(4 such files\).*--overwrite"):
        segment_files(segmenter, paths, tmp_path / "out")
    assert contents(tmp_path / "out") == before
    assert segment_files(segmenter, paths, tmp_path / "out", overwrite=True).object_count == 3
    assert len(objects(tmp_path / "out")) == 3


def test_other_files_in_the_output_folder_are_left_alone(segmenter, tmp_path, make_images):
    paths = make_images(tmp_path, "a.png")
    (tmp_path / "b_labels.tif").write_text("mine")
    for overwrite in (False, True):
        assert segment_files(segmenter, paths, tmp_path, overwrite=overwrite).done == ["a"]
    assert (tmp_path / "b_labels.tif").read_text() == "mine"


def test_a_folder_that_is_input_and_output_does_not_feed_on_its_results(segmenter, tmp_path, make_images, names_in):
    make_images(tmp_path, "a.png", "b.tif")
    for overwrite in (False, True):
        assert segment_files(segmenter, find_images([tmp_path]), tmp_path, overwrite=overwrite).done == ["a", "b"]
    assert len(names_in(tmp_path)) == 8


def test_only_files_that_a_killed_run_left_are_removed(segmenter, tmp_path, make_images, names_in):
    paths, out = make_images(tmp_path / "in", "a.png"), tmp_path / "out"
    (out / ".ac16983d.partial.m1").mkdir(parents=True)  # of `analyze -o out/m1`, killed or still running
    (out / ".ac16983d.partial.b_labels.tif").mkdir()
    ours = [".0123abcd.partial.a_labels.tif", ".0123abcd.partial.objects.csv", f".0123abcd.partial.{JOURNAL}"]
    others = [".0123abcd.partial.notes.txt", ".mine.partial.a_labels.tif"]
    for name in (*ours, *others):
        (out / name).write_text("")
    assert segment_files(segmenter, paths, out).done == ["a"]
    left = {name for name in names_in(out) if name.startswith(".")}
    assert left == {".ac16983d.partial.m1", ".ac16983d.partial.b_labels.tif", *others}


def test_what_a_file_says_and_is_not_followed_is_kept(segmenter, tmp_path, picture):
    tifffile.imwrite(tmp_path / "a.tif", picture(2), photometric="miniswhite")
    tifffile.imwrite(tmp_path / "b.tif", picture(2))
    result = segment_files(segmenter, [tmp_path / "a.tif", tmp_path / "b.tif"], tmp_path / "out")
    assert list(result.warnings) == ["a"] and "0 is white" in result.warnings["a"]
    assert json.loads((tmp_path / "out" / "run.json").read_text())["warnings"] == result.warnings
    assert result.object_count == 4


def test_an_output_that_is_a_file_is_refused(segmenter, tmp_path, make_images):
    paths = make_images(tmp_path, "a.png")
    with pytest.raises(NotADirectoryError, match="a.png is a file"):
        segment_files(segmenter, paths, paths[0])


def test_an_output_that_cannot_be_written_is_an_error(segmenter, tmp_path, make_images):
    paths = make_images(tmp_path / "in", "a.png")
    out = tmp_path / "out"
    out.mkdir(mode=0o500)
    if os.access(out, os.W_OK):
        pytest.skip("this user may write everywhere")
    with pytest.raises(PermissionError):
        segment_files(segmenter, paths, out)
