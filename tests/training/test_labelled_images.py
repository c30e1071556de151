"""labelled_images: smaller choices are part of larger ones, and few labelled images are not drowned by many others."""

from dataclasses import replace

import numpy as np
import pytest

from somaseg.data.datasets import Samples
from somaseg.training.labelled_images import each_image, join_samples, split_labelled


def numbered(count, first=0):
    return Samples.from_arrays(
        (f"{i:02d}", np.full((16, 16), 5 + i, np.uint8), np.full((16, 16), i)) for i in range(first, first + count)
    )


def test_of_one_seed_a_smaller_choice_is_part_of_every_larger_one():
    chosen = [set(split_labelled(numbered(9), count, seed=4)[0].ids) for count in range(1, 10)]
    assert all(small < large for small, large in zip(chosen, chosen[1:]))
    assert len({frozenset(split_labelled(numbered(9), 3, seed=seed)[0].ids) for seed in range(9)}) > 3


def test_chosen_and_rest_are_all_images_once_with_their_own_labels():
    chosen, rest = split_labelled(numbered(9), 4, seed=1)
    assert sorted(chosen.ids + rest.ids) == numbered(9).ids
    assert chosen.ids == sorted(chosen.ids) and rest.ids == sorted(rest.ids)
    for part in (chosen, rest):
        for name, image, labels, limits in zip(part.ids, part.images, part.instances, part.limits):
            index = int(name)
            assert (labels == index).all() and (image == 5 + index).all()
            np.testing.assert_array_equal(limits, numbered(9).limits[index])


def test_when_all_are_chosen_nothing_is_left():
    chosen, rest = split_labelled(numbered(3), 3, seed=1)
    assert (chosen.ids, rest) == (numbered(3).ids, None)


@pytest.mark.parametrize("count", [0, 4])
def test_more_images_than_there_are_is_refused(count):
    with pytest.raises(ValueError, match=f"must be 1 to 3, the images there are, got {count}"):
        split_labelled(numbered(3), count, seed=1)


@pytest.mark.parametrize("labelled, extra, times", [(2, 5, 2), (2, 2, 1), (3, 1, 1), (1, 7, 7)])
def test_labelled_images_are_repeated_to_weigh_as_much_as_the_others(labelled, extra, times):
    first, second = numbered(labelled), numbered(extra, first=50)
    joined = join_samples(first, second)
    assert joined.ids == first.ids * times + second.ids
    assert len(joined) == len(joined.limits) and joined.weights is None


def test_weights_of_some_images_stay_with_them():
    weighted = replace(numbered(2, first=50), weights=[np.full((16, 16), k, np.uint8) for k in (0, 1)])
    joined = join_samples(numbered(1), weighted)
    assert joined.weights[:2] == [None, None]
    assert [weight[0, 0] for weight in joined.weights[2:]] == [0, 1]


def test_each_image_is_samples_of_one():
    assert [(part.ids, len(part.limits)) for part in each_image(numbered(2))] == [(["00"], 1), (["01"], 1)]
