"""Grids: the report's table is what it printed, named grids keep all else equal, and files are read or refused."""

import dataclasses
import json

import pytest

from somaseg.training.grids import GRIDS, Reported, Setting, check_names, override, read_grid, vary
from somaseg.training.recipes import REPORT, TRANSFER, Recipe


def differing(first, second):
    first, second = dataclasses.asdict(first), dataclasses.asdict(second)
    return {name for name in first if first[name] != second[name]}


def steps(recipe, images=32):
    examples = (recipe.labelled_images or images) * (3 if recipe.threefold else 1)
    return recipe.epochs * -(-examples // recipe.batch_size)


def test_the_reports_table_has_its_eight_rows_and_model_1_is_the_transfer_recipe():
    grid = {setting.name: setting for setting in GRIDS["report"](REPORT)}
    assert list(grid) == ["baseline", *(f"model {i}" for i in range(1, 8))]
    assert grid["baseline"].recipe is None
    assert grid["baseline"].reported == Reported(None, 0.10, 0.07)
    assert grid["model 1"].reported == Reported(0.016, 0.39, 0.50)
    assert differing(grid["model 1"].recipe, TRANSFER) == {"fixed_examples", "precise_statistics"}
    for name, changed in (
        ("model 2", {"learning_rate": 1e-2}),
        ("model 3", {"learning_rate": 1e-4}),
        ("model 4", {"batch_size": 16}),
        ("model 5", {"batch_size": 32}),
        ("model 6", {"weight_decay": 1e-3}),
        ("model 7", {"weight_decay": 1e-5}),
    ):
        assert grid[name].recipe == dataclasses.replace(grid["model 1"].recipe, **changed)


@pytest.mark.parametrize("name", GRIDS)
def test_settings_of_a_named_grid_have_names_of_their_own_and_follow_the_base(name):
    settings = check_names(GRIDS[name](dataclasses.replace(REPORT, crop_size=128)))
    assert {setting.recipe.crop_size for setting in settings if setting.recipe} == {128}


@pytest.mark.parametrize(
    "name, changed",
    [
        ("groups", {"trainable_groups"}),
        ("batch_norm", {"moving_statistics"}),
        ("elastic", {"elastic_alpha", "elastic_sigma"}),
        ("images", {"labelled_images", "epochs"}),
        ("self_training", {"labelled_images", "epochs", "unlabelled_images"}),
    ],
)
def test_settings_of_a_named_grid_differ_in_what_it_is_about_alone(name, changed):
    assert set().union(*(differing(REPORT, setting.recipe) for setting in GRIDS[name](REPORT))) == changed


@pytest.mark.parametrize("name", ["images", "self_training"])
def test_fewer_labelled_images_are_trained_on_for_as_many_steps(name):
    assert {steps(setting.recipe) for setting in GRIDS[name](REPORT)} == {600}


def test_without_augmentation_there_is_a_row_of_as_many_steps():
    grid = {setting.name: setting.recipe for setting in GRIDS["augmentation"](REPORT)}
    assert steps(grid["no augmentation"]) == 200
    assert steps(grid["no augmentation, as many steps"]) == 600
    assert grid["no augmentation"].augmentation() == []


def test_vary_combines_all_values():
    grid = vary(Recipe(), {"batch_size": ["4", "8"], "threefold": ["true", "false"]})
    assert [(s.recipe.batch_size, s.recipe.threefold) for s in grid] == [(4, True), (4, False), (8, True), (8, False)]
    assert grid[1].name == "batch_size=4, threefold=False"


def test_a_grid_is_read_from_csv_and_json_alike(tmp_path):
    table, document = tmp_path / "grid.csv", tmp_path / "grid.json"
    table.write_text("name,learning_rate,trainable_groups,threefold\nfast,1e-2,,false\nwhole,,all,\n")
    document.write_text(
        json.dumps({"fast": {"learning_rate": 0.01, "threefold": False}, "whole": {"trainable_groups": None}})
    )
    expected = [
        Setting("fast", dataclasses.replace(TRANSFER, learning_rate=0.01, threefold=False)),
        Setting("whole", dataclasses.replace(TRANSFER, trainable_groups=None)),
    ]
    assert read_grid(table, TRANSFER) == read_grid(document, TRANSFER) == expected


def test_null_in_a_json_grid_is_the_untouched_preset(tmp_path):
    (tmp_path / "grid.json").write_text('{"baseline": null}')
    assert read_grid(tmp_path / "grid.json", TRANSFER) == [Setting("baseline", None)]


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("grid.csv", "name,learning_rat\na,1\n", r"grid.csv, a: A recipe has no \['learning_rat'\]"),
        ("grid.csv", "name,epochs\na,2.5\n", "grid.csv, a: epochs must be int, got '2.5'"),
        ("grid.csv", "name,epochs\na,1\na,2\n", r"a name of its own, got \['a'\]"),
        ("grid.csv", "learning_rate\n1\n", 'must have a column "name"'),
        ("grid.csv", "name,epochs\na,1,2\n", "more cells"),
        ("grid.json", "[1]", "must be an object of names"),
        ("grid.json", "{", "is no grid"),
        ("grid.json", "{}", "has no setting"),
        ("grid.txt", "a", "must end in .json or .csv"),
    ],
)
def test_a_bad_grid_file_is_refused_with_its_reason(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=message):
        read_grid(tmp_path / name, TRANSFER)


def test_a_missing_grid_file_is_refused_with_its_name(tmp_path):
    with pytest.raises(ValueError, match="none.json is no grid"):
        read_grid(tmp_path / "none.json", TRANSFER)


@pytest.mark.parametrize(
    "values, expected",
    [
        ({"trainable_groups": "0.5"}, 0.5),
        ({"trainable_groups": "all"}, None),
        ({"trainable_groups": 3}, 3),
        ({"learning_rate": "1e-2"}, 0.01),
        ({"learning_rate": 1}, 1.0),
        ({"threefold": "no"}, False),
        ({"labelled_images": ""}, ValueError),
        ({"threefold": 2}, ValueError),
        ({"epochs": None}, ValueError),
        ({"epochs": True}, ValueError),
    ],
)
def test_values_are_read_as_what_the_setting_is(values, expected):
    if expected is ValueError:
        with pytest.raises(ValueError, match=f"{next(iter(values))} must be"):
            override(Recipe(), values)
    else:
        value = getattr(override(Recipe(), values), next(iter(values)))
        assert (value, type(value)) == (expected, type(expected))
