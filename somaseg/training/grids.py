"""Grids of recipes: the report's table, what it only claims, and any other from a file or from values to vary."""

import csv
import dataclasses
import itertools
import json
import typing
from dataclasses import dataclass
from pathlib import Path

from somaseg.training.recipes import Recipe


@dataclass(frozen=True)
class Reported:
    """What the report gives for a model: last training loss (None where it was not trained) and two IoU."""

    loss: float | None
    train_iou: float
    val_iou: float


@dataclass(frozen=True)
class Setting:
    """One row of a table: a name, the recipe (None: the preset untouched), and what the report gives for it if it does.

    The recipe's seed is replaced by those that the sweep runs.
    """

    name: str
    recipe: Recipe | None
    reported: Reported | None = None


# (learning rate, batch size, weight decay), and what was reported; 50 epochs, the last three layers.
_REPORT = {
    "model 1": ((1e-3, 8, 1e-4), Reported(0.016, 0.39, 0.50)),
    "model 2": ((1e-2, 8, 1e-4), Reported(0.017, 0.17, 0.25)),
    "model 3": ((1e-4, 8, 1e-4), Reported(0.018, 0.25, 0.34)),
    "model 4": ((1e-3, 16, 1e-4), Reported(0.027, 0.22, 0.32)),
    "model 5": ((1e-3, 32, 1e-4), Reported(0.028, 0.24, 0.37)),
    "model 6": ((1e-3, 8, 1e-3), Reported(0.028, 0.22, 0.34)),
    "model 7": ((1e-3, 8, 1e-5), Reported(0.027, 0.25, 0.34)),
}
_IMAGES = 32  # that the report labelled for training


def report_grid(base):
    """The report's table: the untouched network and models 1 to 7."""
    settings = [Setting("baseline", None, Reported(None, 0.10, 0.07))]
    for name, ((learning_rate, batch_size, weight_decay), reported) in _REPORT.items():
        values = {"learning_rate": learning_rate, "batch_size": batch_size, "weight_decay": weight_decay}
        settings.append(Setting(name, dataclasses.replace(base, **values), reported))
    return settings


def augmentation_grid(base):
    """With and without augmentation, the latter for as many epochs and for as many steps."""
    none = {"threefold": False, "flips": False, "elastic_rate": 0.0}
    return [
        Setting("no augmentation", dataclasses.replace(base, **none)),
        Setting(
            "no augmentation, as many steps",
            dataclasses.replace(base, **none, epochs=3 * base.epochs, cooldown_epochs=3 * base.cooldown_epochs),
        ),
        Setting("threefold, one deformation", dataclasses.replace(base, threefold=True, fixed_examples=True)),
        Setting(
            "threefold, another deformation each epoch", dataclasses.replace(base, threefold=True, fixed_examples=False)
        ),
    ]


def groups_grid(base):
    """1, 2, 3 and 5 layer groups retrained, counted from the output, and all of them."""
    settings = [Setting(f"last {count}", dataclasses.replace(base, trainable_groups=count)) for count in (1, 2, 3, 5)]
    return [*settings, Setting("all groups", dataclasses.replace(base, trainable_groups=None))]


def batch_norm_grid(base):
    """Statistics of the frozen batch norms kept as they are, and moving on as in the report's code."""
    return [
        Setting("frozen statistics", dataclasses.replace(base, moving_statistics=False)),
        Setting("moving statistics", dataclasses.replace(base, moving_statistics=True)),
    ]


def elastic_grid(base):
    """The elastic parameters of the report's text, those that its code passes, and no deformation."""
    pixels = {"alpha 34, sigma 4 (text)": (34.0, 4.0), "alpha 4, sigma 34 (code)": (4.0, 34.0), "alpha 0": (0.0, 4.0)}
    return [
        Setting(name, dataclasses.replace(base, elastic_alpha=alpha, elastic_sigma=sigma))
        for name, (alpha, sigma) in pixels.items()
    ]


def images_grid(base):
    """4, 8, 16 and 32 labelled images, each for as many steps as 32 take."""
    return [Setting(f"{count} images", _of_images(base, count)) for count in (4, 8, 16, _IMAGES)]


def self_training_grid(base):
    """4 and 8 labelled images, alone and with pseudo-labels of the others of 32."""
    settings = []
    for count in (4, 8):
        alone = _of_images(base, count)
        others = _IMAGES - count
        settings.append(Setting(f"{count} images", alone))
        settings.append(
            Setting(f"{count} images, {others} unlabelled", dataclasses.replace(alone, unlabelled_images=others))
        )
    return settings


GRIDS = {
    "report": report_grid,
    "augmentation": augmentation_grid,
    "groups": groups_grid,
    "batch_norm": batch_norm_grid,
    "elastic": elastic_grid,
    "images": images_grid,
    "self_training": self_training_grid,
}


def vary(base, choices):
    """Every combination of values: one `Setting` each, named by what was varied.

    Args:
        base: `Recipe` that all else is taken from.
        choices: dict of a recipe's setting and the list of its values, numbers or text.

    >>> grid = vary(Recipe(), {"learning_rate": ["1e-2", 1e-3], "trainable_groups": ["all", 3]})
    >>> [setting.name for setting in grid][:2]
    ['learning_rate=0.01, trainable_groups=all', 'learning_rate=0.01, trainable_groups=3']
    """
    settings = []
    for values in itertools.product(*choices.values()):
        recipe = override(base, dict(zip(choices, values)))
        chosen = {name: getattr(recipe, name) for name in choices}
        told = ", ".join(f"{name}={'all' if value is None else value}" for name, value in chosen.items())
        settings.append(Setting(told, recipe))
    return check_names(settings)


def read_grid(path, base):
    """The grid in a file: for each name the settings in which its recipe differs from `base`.

    Args:
        path: `.json`, {"name": {"learning_rate": 0.01, ...}, ...}, where null instead of the settings is the preset
            untouched; or `.csv` with a column "name" and one for each setting, where an empty cell is base's value.
        base: `Recipe`.

    Raises:
        ValueError: the file is no such table, a setting is unknown, or a value is none it can have.
    """
    path = Path(path)
    try:
        rows = _read_rows(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is no grid: {error}. See somaseg.training.grids.read_grid.") from error
    settings = []
    for name, values in rows:
        try:
            settings.append(Setting(name, None if values is None else override(base, values)))
        except ValueError as error:
            raise ValueError(f"{path}, {name}: {error}") from error
    return check_names(settings)


def override(base, values):
    """`base` with `values`, a dict; those given as text are read as what the setting is ("all" or "none" for None).

    >>> override(Recipe(), {"trainable_groups": "3", "threefold": "true"}).trainable_groups
    3
    """
    types = typing.get_type_hints(Recipe)
    if unknown := sorted(set(values) - set(types)):
        raise ValueError(f"A recipe has no {unknown}; it has {sorted(types)}.")
    return dataclasses.replace(base, **{name: _read_value(name, value, types[name]) for name, value in values.items()})


def check_names(settings):
    """`settings`, if each has a name of its own and there is one at all; a ValueError otherwise."""
    names = [setting.name for setting in settings]
    if not names:
        raise ValueError("The grid has no setting.")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"Every setting of a grid needs a name of its own, got {twice} more than once.")
    return settings


def _of_images(base, count):
    """`base` on `count` labelled images, with epochs and cool-down that make as many steps as with all of them."""
    variants = 3 if base.threefold else 1
    longer = -(-_IMAGES * variants // base.batch_size) / -(-count * variants // base.batch_size)
    return dataclasses.replace(
        base,
        labelled_images=count,
        epochs=round(base.epochs * longer),
        cooldown_epochs=round(base.cooldown_epochs * longer),
    )


def _read_rows(path):
    if path.suffix.lower() == ".json":
        document = json.loads(path.read_text())
        if not isinstance(document, dict) or not all(v is None or isinstance(v, dict) for v in document.values()):
            raise ValueError("it must be an object of names and objects of settings (or null)")
        return list(document.items())
    if path.suffix.lower() != ".csv":
        raise ValueError("its name must end in .json or .csv")
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or "name" not in rows[0]:
        raise ValueError('it must have a column "name" and at least one row')
    if any(None in row for row in rows):
        raise ValueError("a row has more cells than the first")
    return [(row.pop("name"), {key: value for key, value in row.items() if value}) for row in rows]


def _read_value(name, value, kind):
    kinds = typing.get_args(kind) or (kind,)
    text = str(value).strip().lower()
    if value is None or text in ("none", "all"):
        if type(None) in kinds:
            return None
    elif bool in kinds:
        if text in ("true", "yes", "1", "false", "no", "0"):
            return text in ("true", "yes", "1")
    elif not isinstance(value, bool):
        for number in (n for n in (int, float) if n in kinds):
            try:
                exact = number(text)
            except ValueError:
                continue
            return exact
    raise ValueError(f"{name} must be {getattr(kind, '__name__', kind)}, got {value!r}.")
