import numpy as np
import pytest

from somaseg.tracking.compact_labels import compact_labels


@pytest.mark.parametrize("largest", [3, 1 << 20, (1 << 20) + 1, 2**31])
@pytest.mark.parametrize("with_background", [True, False])
def test_ids_and_positions_give_the_labels_again(largest, with_background):
    values = np.array([1, 2, largest, *([0] if with_background else [])], np.uint32)
    labels = np.concatenate([values, np.random.default_rng(0).choice(values, 200)]).reshape(1, -1)
    ids, positions = compact_labels(labels)
    assert ids.tolist() == [1, 2, largest]
    assert positions.dtype == np.int32
    np.testing.assert_array_equal(np.array([0, *ids])[positions], labels)


@pytest.mark.parametrize("labels", [np.zeros((3, 4), np.uint16), np.zeros((0, 4), np.int64)])
def test_no_label_at_all(labels):
    ids, positions = compact_labels(labels)
    assert len(ids) == 0
    assert positions.shape == labels.shape and not positions.any()


def test_a_negative_label_is_a_label_like_any_other():
    ids, positions = compact_labels(np.array([[-2, 0], [3, -2]]))
    assert ids.tolist() == [-2, 3]
    assert positions.tolist() == [[1, 0], [2, 1]]
