"""`somaseg evaluate`: folders and stacks in, a table, files and pictures out; refusals and notes."""

import json

import cv2
import numpy as np
import pandas as pd
import pytest
import tifffile

from somaseg.segmentation.evaluation import score_images


@pytest.fixture
def folders(tmp_path):
    """pred/, truth/ and images/: `a` is right, of the two somas of `b` one is missed."""
    for name in ("pred", "truth", "images"):
        (tmp_path / name).mkdir()
    for name in ("a", "b"):
        truth = np.zeros((40, 50), np.uint16)
        truth[5:15, 5:15], truth[20:30, 20:35] = 1, 2
        tifffile.imwrite(tmp_path / "pred" / f"{name}_labels.tif", np.where(truth == (name == "b"), 0, truth))
        cv2.imwrite(str(tmp_path / "truth" / f"{name}_masks.png"), truth)
        cv2.imwrite(str(tmp_path / "images" / f"{name}.png"), (truth * 100).astype(np.uint8))
    return tmp_path


def test_two_folders_give_a_table_files_and_pictures(run, folders):
    code, out, _ = run(
        *("evaluate", folders / "pred", folders / "truth", "-o", folders / "out", "--images", folders / "images")
    )
    assert code == 0
    table = pd.read_csv(folders / "out" / "scores.csv")
    assert table["image"].tolist() == ["a", "b"] and table["ap_0.50"].tolist() == [1.0, 0.5]
    scores = json.loads((folders / "out" / "scores.json").read_text())
    assert (scores["images"], scores["true_somas"], scores["ap_0.50_pooled"], scores["simulated"]) == (
        2,
        4,
        0.75,
        False,
    )
    assert f"{'ap_0.50_pooled':28} 0.7500" in out and "errors/*.png" in out.splitlines()[-1]
    pictures = list((folders / "out" / "errors").iterdir())
    assert [path.name for path in pictures] == ["01_ap_0.50_b.png"]
    picture = cv2.imread(str(pictures[0]))
    assert picture.shape == (4 * 40 + 3 * 26, 860, 3)
    assert (picture[52:-26, :200] > 240).any(), "the image is shown"


def test_scores_that_are_there_are_refused_and_replaced_on_demand(run, folders):
    arguments = ("evaluate", folders / "pred", folders / "truth", "-o", folders / "out", "--quiet", "--worst", 0)
    (folders / "out").mkdir()
    (folders / "out" / "notes.txt").write_text("mine")
    assert run(*arguments)[0] == 0 and not (folders / "out" / "errors").exists()
    code, _, err = run(*arguments)
    assert code == 1 and "scores.csv exists. Give another folder, or --overwrite." in err
    assert run(*arguments, "--overwrite")[0] == 0
    assert (folders / "out" / "notes.txt").read_text() == "mine"


def test_a_stack_is_scored_plane_by_plane_and_shown_over_its_movie(run, tmp_path):
    """Beside the truth lies run.json of a simulation, so the picture and scores.json say simulated."""
    truth = np.zeros((3, 40, 50), np.uint16)
    truth[:, 5:15, 5:15] = 4
    prediction = truth.copy()
    prediction[2] = 0
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "run.json").write_text('{"simulated": true}')
    for path, stack in (("p.tif", prediction), ("truth/labels.tif", truth), ("movie.tif", truth * 9)):
        tifffile.imwrite(tmp_path / path, stack, imagej=True, metadata={"axes": "TYX"})
    code, out, err = run(
        *("evaluate", tmp_path / "p.tif", tmp_path / "truth" / "labels.tif", "-o", tmp_path / "out"),
        *("--images", tmp_path / "movie.tif"),
    )
    assert code == 0, err
    table = pd.read_csv(tmp_path / "out" / "scores.csv")
    assert table["image"].tolist() == ["labels plane 0", "labels plane 1", "labels plane 2"]
    expected = score_images(zip("abc", truth, prediction)).images
    assert table["ap_0.50_to_0.95"].tolist() == expected["ap_0.50_to_0.95"].tolist() == [1, 1, 0]
    assert json.loads((tmp_path / "out" / "scores.json").read_text())["simulated"] is True
    assert [path.name for path in (tmp_path / "out" / "errors").iterdir()] == ["01_ap_0.00_labels_plane_2.png"]


def test_masks_and_predictions_without_a_truth_are_told(run, folders):
    for name in ("a", "b"):
        mask = cv2.imread(str(folders / "truth" / f"{name}_masks.png"), cv2.IMREAD_UNCHANGED)
        cv2.imwrite(str(folders / "truth" / f"{name}_masks.png"), np.where(mask > 0, 255, 0).astype(np.uint8))
    tifffile.imwrite(folders / "pred" / "c_labels.tif", np.zeros((4, 4), np.uint8))
    code, out, _ = run("evaluate", folders / "pred", folders / "truth")
    assert code == 0
    assert "1 predictions have no truth and were not scored, such as" in out
    assert "Every truth has 255 as its only label: these look like masks" in out
    assert "Every prediction has" not in out


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["pred", "nowhere"], "nowhere: no such file or folder"),
        (["pred", "truth", "--worst", -1], "--worst must be 0 or more, got -1"),
        (["pred", "truth", "--images", "images"], "--images is for the pictures: give a folder for them with -o"),
        (["pred", "truth", "-o", "out", "--images", "none"], "none: no such file or folder"),
        (["pred", "truth", "-o", "out", "--images", "images/a.png"], "is one file, there are 2 label images"),
        (["pred", "images", "-o", "out", "--images", "few"], "no image named b (1 of 2 missing)"),
    ],
)
def test_what_a_user_can_mend_is_told_in_one_line(run, folders, monkeypatch, arguments, message):
    monkeypatch.chdir(folders)
    (folders / "few").mkdir()
    cv2.imwrite("few/a.png", np.eye(40, 50, dtype=np.uint8))
    code, _, err = run("evaluate", *arguments)
    assert code == 1 and err.startswith("somaseg: error: ") and err.count("\n") == 1
    assert message in err
    assert not (folders / "out").exists()


def test_an_image_that_cannot_be_shown_costs_its_picture_nothing_more(run, folders):
    cv2.imwrite(str(folders / "images" / "b.png"), np.zeros((40, 50), np.uint8))
    code, out, _ = run(
        *("evaluate", folders / "pred", folders / "truth", "-o", folders / "out", "--images", folders / "images")
    )
    assert code == 0 and "every value is 0" in out and "Its picture is drawn without it." in out
    assert len(list((folders / "out" / "errors").iterdir())) == 1
