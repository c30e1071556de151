"""Label images of any program, read frame by frame as what they are."""

import cv2
import numpy as np
import pytest
import tifffile

from somaseg.tracking.formats.ctc import write_ctc
from somaseg.tracking.label_frames import open_label_frames


def all_frames(path, **arguments):
    with open_label_frames(path, pixels=True, **arguments) as frames:
        return np.stack([frames.labels(t) for t in range(frames.movie.frame_count)])


def test_every_way_to_keep_labels_gives_the_same(labels, tmp_path):
    tifffile.imwrite(tmp_path / "plain.tif", labels)
    tifffile.imwrite(tmp_path / "float.tif", labels.astype(np.float32))  # as ImageJ keeps more than 65,535
    tifffile.imwrite(tmp_path / "slices.tif", labels, imagej=True, metadata={"axes": "ZYX"})
    np.save(tmp_path / "array.npy", labels.astype(np.int64))
    write_ctc(tmp_path / "ctc", labels)
    (tmp_path / "png").mkdir()
    for t, image in enumerate(labels):
        cv2.imwrite(str(tmp_path / "png" / f"cells_{t + 8}_cp_masks.png"), image)  # 8, 9, 10: natural order
    for path in sorted(tmp_path.iterdir()):
        np.testing.assert_array_equal(all_frames(path), labels, err_msg=path.name)


def test_numbers_beyond_16_bits_are_kept(labels, tmp_path):
    np.save(tmp_path / "a.npy", np.where(labels > 0, labels.astype(np.int64) + 99_999, 0))
    found = all_frames(tmp_path / "a.npy")
    assert found.dtype == np.uint32 and found.max() == 100_002


@pytest.mark.parametrize(
    "wrong, told",
    [
        (lambda labels: labels.astype(np.int32) * -1, "frame 0 holds -3"),
        (lambda labels: labels.astype(float) / 2, "broken numbers such as 0.5"),
        (lambda labels: labels.astype(np.int64) * 2**31, "labels are whole numbers from 0"),
        (lambda labels: np.where(labels > 0, 255, 0).astype(np.uint8), "255, in 3 pieces: that is a mask"),
        (lambda labels: labels[0], "must be numbers"),
    ],
)
def test_what_is_no_label_image_is_refused(labels, tmp_path, wrong, told):
    np.save(tmp_path / "a.npy", wrong(labels))
    with pytest.raises(ValueError, match=told):
        all_frames(tmp_path / "a.npy")


def test_colour_pictures_and_pickles_are_refused(labels, tmp_path):
    tifffile.imwrite(tmp_path / "rgb.tif", np.zeros((3, 16, 16, 3), np.uint8), photometric="rgb")
    with pytest.raises(ValueError, match="colour pictures"):
        all_frames(tmp_path / "rgb.tif")
    np.save(tmp_path / "pickle.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match="no NumPy array of numbers"):
        all_frames(tmp_path / "pickle.npy")


def test_missing_units_stop_with_the_flags_to_give(labels, tmp_path):
    np.save(tmp_path / "a.npy", labels)
    with pytest.raises(ValueError, match="--um-per-px and --minutes-per-frame"):
        open_label_frames(tmp_path / "a.npy")


def test_one_cell_in_two_pieces_is_no_mask(tmp_path):
    labels = np.zeros((2, 20, 20), np.uint16)
    labels[:, 2:5, 2:5] = labels[:, 2:5, 9:12] = 4
    np.save(tmp_path / "a.npy", labels)
    assert all_frames(tmp_path / "a.npy").max() == 4
