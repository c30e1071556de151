"""Recipe: reads itself from a dict, refuses what it does not know, and builds layers."""

import dataclasses

import numpy as np
import pytest

from somaseg.data.augmentation import ElasticDeformation, RandomFlip, ThreefoldAugmentation
from somaseg.data.datasets import Samples
from somaseg.data.imaging import ImagingVariation
from somaseg.models import UNet
from somaseg.segmentation import Segmenter
from somaseg.training.optimizers import AdamL2
from somaseg.training.recipes import TRANSFER, Recipe
from somaseg.training.runs import retrained_settings, save_preset


def test_dict_round_trip():
    assert Recipe.from_dict(TRANSFER.to_dict()) == TRANSFER
    assert Recipe.from_dict({}) == Recipe()


def test_an_unknown_key_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"no \['learning_rat'\]; it has .*'learning_rate'"):
        Recipe.from_dict({"learning_rat": 0.1, "epochs": 2})


def test_a_recipe_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Recipe().epochs = 3


@pytest.mark.parametrize(
    "values, message",
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1, got 0"),
        ({"batch_size": 2.0}, "batch_size must be a whole number of at least 1, got 2.0"),
        ({"crop_size": 100}, "crop_size must be a multiple of 16 pixels, got 100"),
        ({"elastic_rate": 1.1}, "elastic_rate must be between 0 and 1, got 1.1"),
        ({"imaging_rate": 2}, "imaging_rate must be between 0 and 1, got 2"),
        ({"raw_rate": -0.1}, "raw_rate must be between 0 and 1, got -0.1"),
        ({"learning_rate": 0.0}, "learning_rate must be positive, got 0.0"),
    ],
)
def test_a_bad_value_is_refused_with_its_name(values, message):
    with pytest.raises(ValueError, match=message):
        Recipe.from_dict(values)


def test_learning_rate_is_constant_without_a_cooldown():
    recipe = Recipe(learning_rate=0.5, epochs=4)
    assert [recipe.learning_rate_at(epoch) for epoch in range(4)] == [0.5] * 4


def test_learning_rate_falls_linearly_over_the_cooldown():
    recipe = Recipe(learning_rate=1.0, epochs=6, cooldown_epochs=3)
    rates = [recipe.learning_rate_at(epoch) for epoch in range(6)]
    assert rates == pytest.approx([1, 1, 1, 0.75, 0.5, 0.25])


def test_augmentation_is_what_the_recipe_names():
    def kinds(**values):
        return [type(layer) for layer in Recipe(**values).augmentation()]

    assert kinds() == [RandomFlip, ElasticDeformation]
    assert kinds(flips=False) == [ElasticDeformation]
    assert kinds(elastic_rate=0.0) == [RandomFlip]
    assert kinds(threefold=True) == [ThreefoldAugmentation]
    assert kinds(threefold=True, imaging_rate=0.5) == [ImagingVariation, ThreefoldAugmentation]
    assert kinds(imaging_rate=0.5) == [ImagingVariation, RandomFlip, ElasticDeformation]
    elastic = Recipe(elastic_rate=0.25, elastic_alpha=9.0, elastic_sigma=3.0).augmentation()[1]
    assert (elastic.rate, elastic.alpha, elastic.sigma) == (0.25, 9.0, 3.0)


def test_optimizer_and_dtype_policy_are_those_of_the_recipe():
    optimizer = Recipe(learning_rate=0.25, weight_decay=0.5).optimizer()
    assert type(optimizer) is AdamL2
    assert (float(optimizer.learning_rate), optimizer.l2) == (0.25, 0.5)
    assert Recipe().dtype_policy().compute_dtype == "float32"
    assert Recipe(mixed_precision=True).dtype_policy().compute_dtype == "bfloat16"


def test_a_preset_goes_by_the_diameter_that_its_recipe_went_by(tmp_path):
    (tmp_path / "curves.png").write_bytes(b"")
    history = [{"epoch": 1, "val_iou": 0.5}]
    for diameter in (None, 24.0):
        folder = tmp_path / str(diameter)
        recipe = Recipe(diameter_px=diameter)
        save_preset(UNet(filters=1, depth=2), recipe, history, folder, dataset="discs", run=tmp_path)
        settings = Segmenter.preset_settings(folder)
        assert (settings["diameter_px"], settings["estimates_diameter"]) == (diameter, diameter is not None)


def test_a_retrained_preset_keeps_its_settings_at_the_scale_of_what_it_learnt_from(tmp_path):
    stored = {"threshold": 0.7, "minimum_area_px": 100, "edge_area_share": 0.5, "vote_spread_px": 2.0}
    stored |= {"diameter_px": 10.0, "um_per_px": 0.5}
    network = UNet(filters=1, depth=2, heads="offsets")
    network.save_to_preset(tmp_path, preprocessor=stored)
    squares = np.kron(np.eye(2, dtype=np.uint16), np.ones((20, 20), np.uint16)) * np.repeat([1, 2], 20)[:, None]
    samples = Samples.from_arrays([("a", squares.astype(np.uint8), squares)])
    diameter = 20 * 2 / np.pi**0.5
    assert retrained_settings(tmp_path, network, samples) == {
        "threshold": 0.7,
        "minimum_area_px": round(100 * 2.26**2),
        "edge_area_share": 0.5,
        "vote_spread_px": round(2 * 2.26, 2),
        "diameter_px": pytest.approx(diameter, abs=0.05),
    }
    kept = retrained_settings(tmp_path, network, samples, diameter_px=10.0, um_per_px=0.3)
    assert kept == {**stored, "um_per_px": 0.3}
    others = UNet(filters=1, depth=2)
    assert retrained_settings(tmp_path, others, samples) == {"diameter_px": pytest.approx(diameter, abs=0.05)}
