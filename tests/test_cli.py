"""The command line: what it prints, the exit code, and one line for everything that a user can mend."""

import errno
import json
import re
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pandas as pd
import pytest
import tifffile

import somaseg
from somaseg import cli
from somaseg.models.presets import WEIGHTS
from somaseg.segmentation import batch


@pytest.fixture
def images(tmp_path):
    """A folder of two images with one soma each."""
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        write_image(folder / name)
    return folder


def write_image(path):
    image = np.full((20, 20), 10, np.uint8)
    image[5:10, 5:10] = 200
    cv2.imwrite(str(path), image)


def one_error(printed):
    """The text of the only line that tells of an error."""
    lines = [line for line in printed.splitlines() if line.startswith("somaseg: ")]
    assert len(lines) == 1, printed
    assert "Traceback" not in printed
    return lines[0]


def test_a_folder_of_100_images_with_3_bad_ones(run, bright_preset, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(100):
        write_image(folder / f"{i:03d}.png")
    (folder / "007.png").write_bytes(b"")
    (folder / "050.png").write_bytes((folder / "051.png").read_bytes()[:-30])
    (folder / "099.png").write_text("no image")
    code, out, err = run("segment", folder, "-o", tmp_path / "out", "--preset", bright_preset, "--quiet")
    assert code == 1
    assert "97 of 100 images done, 97 objects" in out
    errors = [line for line in err.splitlines() if line.startswith("somaseg: error: ")]
    assert [re.search(r"/(\d+)\.png: ", line).group(1) for line in errors] == ["007", "050", "099"]
    table = pd.read_csv(tmp_path / "out" / "objects.csv")
    assert len(table) == table.image.nunique() == 97
    assert len(list((tmp_path / "out").glob("*_labels.tif"))) == 97
    assert len(list((tmp_path / "out").iterdir())) == 2 * 97 + 2


def test_existing_results_need_overwrite(run, bright_preset, images, tmp_path):
    command = ["segment", images, "-o", tmp_path / "out", "--preset", bright_preset]
    code, out, _ = run(*command)
    assert code == 0
    assert "2 of 2 images done, 2 objects" in out
    code, _, err = run(*command)
    assert code == 1
    assert "exists (6 such files). Give another folder with -o, or --overwrite." in one_error(err)
    assert run(*command, "--overwrite")[0] == 0


def test_threshold_and_area_are_told_with_their_defaults(run, bright_preset, images, tmp_path):
    code, out, _ = run(
        *("segment", images, "-o", tmp_path / "out", "--preset", bright_preset, "--threshold", 0.7, "--min-area", 26)
    )
    assert code == 0
    assert "threshold 0.7 (default 0.5), minimum area 26 px (default 4)" in out
    assert "2 of 2 images done, 0 objects" in out


def test_flips_are_asked_for_and_told(run, bright_preset, images, tmp_path):
    command = ["segment", images, "--preset", bright_preset, "-o"]
    assert run(*command, tmp_path / "plain")[0] == run(*command, tmp_path / "flips", "--flips")[0] == 0
    plain, flips = (json.loads((tmp_path / name / "run.json").read_text()) for name in ("plain", "flips"))
    assert (plain["settings"]["flips"], flips["settings"]["flips"]) == (False, True)
    objects = [pd.read_csv(tmp_path / name / "objects.csv") for name in ("plain", "flips")]
    pd.testing.assert_frame_equal(*objects)  # this network says of each pixel what it says of it in the mirror


@pytest.fixture
def sized_preset(bright_network, tmp_path):
    """The folder of a preset that knows the size of its somas and pixels."""
    settings = {"threshold": 0.5, "minimum_area_px": 4, "diameter_px": 5.6, "um_per_px": 0.65}
    bright_network.save_to_preset(tmp_path / "sized", preprocessor=settings)
    return tmp_path / "sized"


def test_images_that_cannot_be_read_do_not_stop_the_estimate_of_the_diameter(run, sized_preset, images, tmp_path):
    (images / "0.png").write_bytes(b"")
    cv2.imwrite(str(images / "1.png"), np.eye(8, dtype=np.uint8))
    command = ["segment", images, "-o", tmp_path / "out", "--preset", sized_preset, "--diameter", "auto"]
    code, out, err = run(*command)
    assert code == 1
    assert "estimated diameter: 5.6 px" in out
    assert "2 of 4 images done, 2 objects" in out
    errors = [line for line in err.splitlines() if line.startswith("somaseg: error: ")]
    assert [re.search(r"/(\d)\.png: (.{8})", line).groups() for line in errors] == [
        ("0", "the file"),
        ("1", "An image"),
    ]


def test_the_diameter_is_not_estimated_by_a_preset_that_knows_none(run, bright_preset, images, tmp_path):
    code, _, err = run("segment", images, "-o", tmp_path / "out", "--preset", bright_preset, "--diameter", "auto")
    assert code == 1
    assert "This preset does not tell the diameter it was trained at" in one_error(err)


def test_a_pixel_size_that_changes_nothing_is_told(run, bright_preset, images, tmp_path):
    code, out, _ = run("segment", images, "-o", tmp_path / "out", "--preset", bright_preset, "--um-per-px", 0.3)
    assert code == 0
    assert "--um-per-px changes nothing" in out


@pytest.mark.parametrize("scale", [("--um-per-px", 650), ("--diameter", 0.01)])
def test_a_scale_in_the_wrong_unit_is_a_line_for_each_image(run, sized_preset, images, tmp_path, scale):
    code, out, err = run("segment", images, "-o", tmp_path / "out", "--preset", sized_preset, *scale)
    assert code == 1
    assert "0 of 2 images done" in out
    assert "Traceback" not in err
    assert err.count("too large. Check the pixel size (in um, not nm) or the diameter (in pixels).") == 2


def test_images_in_which_0_is_white_are_told_in_one_line(run, bright_preset, images, tmp_path):
    for name in ("c.tif", "d.tif"):
        tifffile.imwrite(images / name, cv2.imread(str(images / "a.png"), 0), photometric="miniswhite")
    code, out, _ = run("segment", images, "-o", tmp_path / "out", "--preset", bright_preset)
    assert code == 0
    assert "4 of 4 images done, 4 objects" in out
    told = [line for line in out.splitlines() if line.startswith("warning: ")]
    assert [line.split(";")[0] for line in told] == ["warning: c and 1 more: The file says that 0 is white"]


def test_an_unknown_preset_is_one_line_with_those_there_are(run, images, tmp_path):
    code, _, err = run("segment", images, "-o", tmp_path / "out", "--preset", "gamma")
    assert code == 1
    names = ", ".join(somaseg.list_presets()) or "none"
    assert f"No preset named 'gamma'. There are {names}; or give the path" in one_error(err)
    assert not (tmp_path / "out").exists()


def test_corrupt_weights_are_one_line_that_names_the_file(run, bright_preset, images, tmp_path):
    preset = shutil.copytree(bright_preset, tmp_path / "damaged")
    content = bytearray((preset / WEIGHTS).read_bytes())
    content[len(content) // 2] ^= 1
    (preset / WEIGHTS).write_bytes(content)
    code, _, err = run("segment", images, "-o", tmp_path / "out", "--preset", preset)
    assert code == 1
    assert f"{preset / WEIGHTS} is damaged" in one_error(err)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options, message",
    [
        (["--threshold", "1.5"], "threshold must be between 0 and 1, got 1.5"),
        (["--min-area", "-3"], "minimum_area_px must be 0 or more, got -3"),
    ],
)
def test_a_bad_setting_is_one_line(run, bright_preset, images, tmp_path, options, message):
    code, _, err = run("segment", images, "-o", tmp_path / "out", "--preset", bright_preset, *options)
    assert code == 1
    assert message in one_error(err)


def test_inputs_and_outputs_that_cannot_be_are_one_line(run, bright_preset, images, tmp_path):
    (tmp_path / "empty").mkdir()
    file = images / "a.png"
    for inputs, output, message in (
        ("nowhere", "out", "nowhere: no such file or folder."),
        (tmp_path / "empty", "out", "no PNG, JPEG or TIFF file in this folder."),
        (images, file, f"{file} is a file. Give a folder with -o."),
        (images, file / "below", "Not a directory"),
    ):
        code, _, err = run("segment", inputs, "-o", tmp_path / output, "--preset", bright_preset)
        assert code == 1
        assert message in one_error(err)


def test_a_full_disk_is_one_line_and_the_command_can_be_given_again(run, bright_preset, images, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    command = ["segment", images, "-o", tmp_path / "out", "--preset", bright_preset]
    with monkeypatch.context() as patch:
        patch.setattr(tifffile, "imwrite", full)
        code, _, err = run(*command)
    assert code == 1
    assert "No space left on device. Make room, then give the same command again." in one_error(err)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [batch.JOURNAL]
    assert run(*command)[0] == 0


def test_ctrl_c_is_told_and_the_command_can_be_given_again(run, bright_preset, images, tmp_path, monkeypatch):
    write = batch._write

    def interrupted(output, name, *arguments):
        if name == "b":
            raise KeyboardInterrupt
        write(output, name, *arguments)

    command = ["segment", images, "-o", tmp_path / "out", "--preset", bright_preset]
    with monkeypatch.context() as patch:
        patch.setattr(batch, "_write", interrupted)
        code, _, err = run(*command)
    assert code == 130
    assert "interrupted. The same command goes on where it stopped." in one_error(err)
    code, out, _ = run(*command)
    assert code == 0
    assert "2 of 2 images done, 2 objects" in out


def test_a_traceback_is_shown_when_asked_for(run, monkeypatch):
    monkeypatch.setenv("SOMASEG_TRACEBACK", "1")
    with pytest.raises(FileNotFoundError):
        run("segment", "nowhere", "-o", "out")


def test_presets_are_listed(run):
    code, out, _ = run("presets")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == somaseg.list_presets()


@pytest.mark.parametrize(
    "arguments, options",
    [
        ([], ["--version", "segment", "export", "presets"]),
        (["segment"], ["IMAGE_OR_FOLDER", "-o", "--output", "--preset", "--threshold", "--min-area", "--flips"]),
        (["segment"], ["--overwrite", "--quiet", "_labels.tif", "_overlay.png", "objects.csv"]),
        (["export"], ["--preset", "-o", "--output", "--formats", "--version", "--representative", "--overwrite"]),
    ],
)
def test_help_tells_every_option(arguments, options, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main([*arguments, "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert [option for option in options if option not in text] == []


@pytest.mark.parametrize(
    "arguments", [[], ["dance"], ["segment"], ["segment", "a.png"], ["segment", "a", "-o", "b", "--x"]]
)
def test_wrong_usage_is_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage: somaseg" in capsys.readouterr().err


def test_version(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"somaseg {somaseg.__version__}\n"


def test_the_exit_code_reaches_the_shell(bright_preset, images, tmp_path):
    (images / "bad.png").write_text("no image")
    finished = subprocess.run(
        [sys.executable, "-m", "somaseg", "segment", images, "-o", tmp_path / "out", "--preset", bright_preset],
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 1
    assert f"somaseg: error: {images / 'bad.png'}: neither a PNG nor a JPEG image." in finished.stderr
    assert "2 of 3 images done, 2 objects" in finished.stdout
