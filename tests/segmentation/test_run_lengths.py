"""Run-length codes: Kaggle's and COCO's, by hand, there and back, and as other programs read them."""

import json

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from somaseg.segmentation.coco_annotations import coco_annotations, write_coco
from somaseg.segmentation.kaggle_submission import (
    decode_instances,
    encode_instances,
    read_submission,
    write_submission,
)
from somaseg.segmentation.run_lengths import instance_runs

ANY_LABELS = hnp.arrays(np.uint16, st.tuples(st.integers(1, 7), st.integers(1, 7)), elements=st.sampled_from([0, 1, 5]))
TWO = np.array([[0, 3, 3], [1, 0, 3], [1, 1, 0]], np.uint16)


def test_runs_go_down_the_columns_and_over_their_ends():
    runs = instance_runs(np.array([[0, 7, 2], [7, 7, 0]]))
    assert runs.labels.tolist() == [2, 7]
    assert [(starts.tolist(), lengths.tolist()) for starts, lengths in runs] == [([4], [1]), ([1], [3])]


def test_codes_count_from_one_at_the_upper_left_down_the_columns():
    assert encode_instances(TWO) == ["2 2 6 1", "4 1 7 2"]


@given(ANY_LABELS)
@settings(max_examples=60, deadline=None)
def test_codes_there_and_back_give_the_same_instances(labels):
    decoded = decode_instances(encode_instances(labels), labels.shape)
    np.testing.assert_array_equal(decoded, np.searchsorted([0, *np.unique(labels[labels > 0])], labels))


def test_the_data_sets_own_reader_agrees():
    """tfds_builders stands alone and reads the competition's solutions; both must mean the same by a code."""
    decode_rle = pytest.importorskip("tfds_builders.dsb2018.kaggle").decode_rle
    labels = np.random.default_rng(0).integers(0, 4, (9, 5))
    for label, code in enumerate(encode_instances(labels), start=1):
        np.testing.assert_array_equal(decode_rle(code, labels.shape), labels == label)


def test_a_submission_names_every_image_also_an_empty_one(tmp_path):
    path = tmp_path / "new" / "submission.csv"
    assert write_submission([("b", TWO), ("empty", TWO * 0), ("a,1", TWO > 2)], path) == 3
    assert path.read_text() == 'ImageId,EncodedPixels\nb,2 2 6 1\nb,4 1 7 2\nempty,\n"a,1",4 1 7 2\n'
    codes = read_submission(path)
    assert codes == {"b": ["2 2 6 1", "4 1 7 2"], "empty": [], "a,1": ["4 1 7 2"]}
    np.testing.assert_array_equal(decode_instances(codes["b"], (3, 3)), np.minimum(TWO, 2))
    assert not decode_instances(codes["empty"], (3, 3)).any()


@pytest.mark.parametrize(
    "codes, message",
    [
        (["1 2 3"], "instance 1: a code is pairs of positive whole numbers, got '1 2 3'"),
        (["1 1", "0 2"], "instance 2: a code is pairs"),
        ([""], "instance 1: a code is pairs"),
        (["5 -1"], "instance 1: a code is pairs"),
        (["4 2"], "instance 1: the run 4 2 leaves an image of 2 x 2 pixels"),
        (["9 1"], "instance 1: the run 9 1 leaves"),
        (["1 2", "2 1"], "instance 2 shares pixels with instance 1"),
    ],
)
def test_codes_that_are_none_are_refused(codes, message):
    with pytest.raises(ValueError, match=message):
        decode_instances(codes, (2, 2))


def test_a_table_without_the_columns_is_no_submission(tmp_path):
    (tmp_path / "a.csv").write_text("ImageId,Pixels\nb,1 1\n")
    with pytest.raises(ValueError, match=r"expected the columns ImageId, EncodedPixels, got \['ImageId', 'Pixels'\]"):
        read_submission(tmp_path / "a.csv")


@pytest.mark.parametrize("labels", [np.zeros((2, 2, 2), int), np.zeros((2, 2))])
def test_runs_are_of_label_images_only(labels):
    with pytest.raises(ValueError, match="labels must be integer"):
        instance_runs(labels)


def test_coco_annotations_by_hand():
    made = coco_annotations([("x.png", TWO * 0), ("y.png", TWO)], category="nucleus")
    assert [entry["id"] for entry in made["images"]] == [1, 2]
    assert made["images"][1] == {"id": 2, "file_name": "y.png", "height": 3, "width": 3}
    assert made["categories"] == [{"id": 1, "name": "nucleus", "supercategory": "cell"}]
    first, second = made["annotations"]
    assert first["segmentation"] == {"size": [3, 3], "counts": [1, 2, 2, 1, 3]}
    assert (first["area"], first["bbox"], first["image_id"], first["iscrowd"]) == (3, [0, 1, 2, 2], 2, 0)
    assert (second["id"], second["area"], second["bbox"]) == (2, 3, [1, 0, 2, 2])
    full = coco_annotations([("z", np.ones((2, 3), int))])["annotations"][0]
    assert (full["segmentation"]["counts"], full["bbox"], full["area"]) == ([0, 6], [0, 0, 3, 2], 6)


@given(ANY_LABELS)
@settings(max_examples=40, deadline=None)
def test_pycocotools_finds_the_same_pixels_areas_and_boxes(labels):
    mask = pytest.importorskip("pycocotools.mask")
    for label, entry in zip(np.unique(labels[labels > 0]), coco_annotations([("a", labels)])["annotations"]):
        code = mask.frPyObjects(entry["segmentation"], *entry["segmentation"]["size"])
        np.testing.assert_array_equal(mask.decode(code), labels == label)
        assert mask.area(code) == entry["area"]
        y, x = np.nonzero(labels == label)
        assert entry["bbox"] == [x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1]


def test_pycocotools_opens_the_file_and_scores_it_against_itself(tmp_path):
    coco = pytest.importorskip("pycocotools.coco")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    assert write_coco([("a", TWO), ("b", np.kron(TWO, np.ones((20, 20), int)))], tmp_path / "c.json") == 4
    truth = coco.COCO(str(tmp_path / "c.json"))
    assert len(truth.getAnnIds(imgIds=[2])) == 2
    results = [{**entry, "score": 1.0} for entry in json.loads((tmp_path / "c.json").read_text())["annotations"]]
    for entry in results:
        entry["segmentation"] = truth.annToRLE(entry)
    scored = evaluation.COCOeval(truth, truth.loadRes(results), "segm")
    scored.evaluate()
    scored.accumulate()
    scored.summarize()
    assert scored.stats[0] == pytest.approx(1.0)
