"""Error pictures: what is missed, false, merged and split has its colour, and the worst images come first."""

import itertools

import cv2
import numpy as np
import pytest

from somaseg.report.error_panels import COLOURS, draw_error_panel, save_error_panels
from somaseg.segmentation.evaluation import score_images

# Linear-light RGB as seen with full protanopia, deuteranopia and tritanopia: Machado, Oliveira and Fernandes 2009.
COLOUR_BLIND = {
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


def disc(labels, y, x, label, radius=9):
    yy, xx = np.ogrid[: labels.shape[0], : labels.shape[1]]
    labels[np.hypot(yy - y, xx - x) < radius] = label


@pytest.fixture
def pair():
    """Found, missed, false, merged and split somas, one of each."""
    truth, prediction = np.zeros((2, 128, 256), np.uint16)
    disc(truth, 30, 30, 1)
    disc(prediction, 30, 30, 7)
    disc(truth, 30, 90, 2)
    disc(prediction, 30, 150, 8)
    for x in (30, 47):
        disc(truth, 90, x, x)
        disc(prediction, 90, x, 9)
    disc(truth, 90, 120, 5)
    disc(prediction, 90, 120, 10)
    prediction[90:][prediction[90:] == 10] = 11
    return truth, prediction


def colours_in(view):
    return {name for name, colour in COLOURS.items() if (view == colour).all(axis=2).any()}


def test_each_soma_has_the_colour_of_what_became_of_it(pair):
    """128 x 256 is enlarged 3 times: views of 768 pixels with 8 between, titles above, the legend below."""
    panel = draw_error_panel(*pair, title="a")
    assert panel.shape == (26 + 26 + 3 * 128 + 26, 2 * 768 + 8, 3)
    truth, prediction = panel[52:-26, :768], panel[52:-26, -768:]
    assert colours_in(truth) == {"found", "missed", "merged", "split"}
    assert colours_in(prediction) == {"found", "false", "merged", "split"}
    assert colours_in(truth[:180, :180]) == {"found"} and colours_in(truth[:180, 180:400]) == {"missed"}
    assert colours_in(truth[180:, :240]) == {"merged"} and colours_in(prediction[180:, 240:]) == {"split"}
    assert colours_in(panel[-26:]) == set(COLOURS)


def test_the_image_is_shown_beside_and_under_the_outlines(pair):
    image = np.tile(np.linspace(0, 4000, 256), (128, 1)).astype(np.uint16)
    panel = draw_error_panel(*pair, image)
    assert panel.shape[1] == 3 * 768 + 16
    views = panel[52:-26, :768], panel[52:-26, 776:1544]
    assert views[0][0, -1].min() > 240 and views[0][0, 0].max() < 10
    assert 150 < views[1][0, -1].max() < 180


@pytest.mark.parametrize("shape", [(1, 1), (20, 900), (3000, 40), (1500, 1600)])
def test_images_of_any_size_fit_on_a_screen(shape):
    panel = draw_error_panel(np.ones(shape, np.uint8), np.zeros(shape, np.uint8), np.zeros((*shape, 3), np.uint8))
    assert panel.shape[0] <= 1024 + 78 and 860 <= panel.shape[1] <= 3 * 1024 + 16


def test_an_image_of_another_size_is_refused(pair):
    with pytest.raises(ValueError, match=r"the image is \(9, 9\), its labels are \(128, 256\)"):
        draw_error_panel(*pair, np.zeros((9, 9)))


def test_the_worst_images_are_saved_first_and_right_ones_not_at_all(pair, tmp_path):
    """Of the pair's five somas three match: the found one, one of the merged ones, and the larger half of the split."""
    truth, prediction = pair
    pairs = [("right", truth, truth), ("fair/1", truth, prediction), ("worst", truth, truth * 0)]
    scores = score_images(pairs)
    asked = []

    def load(index):
        asked.append(index)
        return pairs[index][1:]

    paths = save_error_panels(scores, load, tmp_path / "errors", count=9, heading="SIMULATED ")
    assert [path.name for path in paths] == ["01_ap_0.00_worst.png", "02_ap_0.43_fair_1.png"] and asked == [2, 1]
    expected = draw_error_panel(truth, prediction, title="SIMULATED fair/1: AP 0.43 at IoU 0.5")
    np.testing.assert_array_equal(cv2.imread(str(paths[1]))[..., ::-1], expected)
    assert len(save_error_panels(scores, load, tmp_path / "one", count=1)) == 1


def test_a_soma_that_is_found_and_also_merged_has_a_picture(tmp_path):
    truth = np.array([[1] * 9 + [2]])
    scores = score_images([("a", truth, np.array([[5] * 9 + [5]]))])
    assert scores.images["tp_0.50"][0] == 1 and scores.images["merges"][0] == 1
    assert len(save_error_panels(scores, lambda index: (truth, truth * 0 + 5), tmp_path, count=5)) == 1


@pytest.mark.parametrize("kind", COLOUR_BLIND)
def test_people_with_a_colour_blindness_can_tell_the_colours_apart(kind):
    """Differences of 10 in CIE Lab are seen at a glance; black and white are among the colours, as ground and paper."""
    rgb = np.array([*COLOURS.values(), (0, 0, 0), (255, 255, 255)], np.float32) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(COLOUR_BLIND[kind]).T, 0, 1)
    seen = np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055).astype(np.float32)
    lab = cv2.cvtColor(seen[None], cv2.COLOR_RGB2LAB)[0]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(lab, 2)) > 10
