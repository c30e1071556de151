"""Pictures of a sweep: the report's figures (loss by learning rate, by batch size, by decay, the final model), the
scores of all settings, and what the final model says of every validation image.
"""

import dataclasses
import itertools
import re

import numpy as np

from somaseg.files import replace_when_whole
from somaseg.report.plot_style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY_BLUE,
    VERMILLION,
    new_axes,
    new_figure,
    save_figure,
    tidy,
)
from somaseg.segmentation.overlay import draw_overlay

_COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY_BLUE, BLACK)
_LABELS = {
    "learning_rate": "learning rate",
    "batch_size": "batch size",
    "weight_decay": "weight decay (L2)",
    "trainable_groups": "layer groups retrained",
}
_SCORES = {"precise_val_iou": ("IoU", BLUE), "precise_val_f1": ("F1", VERMILLION)}


def settings_by_value(settings, name):
    """Those settings that differ in this one value of their recipes alone, by the value: the largest such set.

    Returns:
        Dict of value and `somaseg.training.grids.Setting`, by rising value; {} where no two differ so.
    """
    sets = {}
    for setting in settings:
        if setting.recipe is not None:
            rest = {k: v for k, v in dataclasses.asdict(setting.recipe).items() if k != name}
            sets.setdefault(repr(sorted(rest.items())), {})[getattr(setting.recipe, name)] = setting
    found = max(sets.values(), key=len, default={})
    return dict(sorted(found.items(), key=lambda item: (item[0] is None, item[0]))) if len(found) > 1 else {}


def draw_losses(settings, histories, name, caption):
    """Training loss by epoch for each value of one setting: a thin line for each seed, a thick one for their mean.

    Args:
        settings: dict of value and `Setting`, see `settings_by_value`.
        histories: dict of a setting's name and a list of `pandas.DataFrame` with epoch, loss, iou and their val_.
        name: str, the recipe's value that differs.
        caption: str, what the data are; written below.
    """
    figure = new_figure()
    axes = new_axes(figure, xlabel="epoch", ylabel="training loss", yscale="log")
    for colour, (value, setting) in zip(itertools.cycle(_COLOURS), settings.items()):
        _draw_histories(axes, histories[setting.name], "loss", colour, "all" if value is None else f"{value:g}")
    axes.legend(title=_LABELS.get(name, name), frameon=False, fontsize="small")
    _caption(figure, caption)
    return figure


def draw_final_model(name, histories, caption):
    """Loss and IoU of one setting by epoch, of training and of validation."""
    figure = new_figure(width_in=8.0)
    for axes, (key, label) in zip(figure.subplots(1, 2), (("loss", "loss"), ("iou", "IoU per image (crops)"))):
        tidy(axes)
        axes.set(xlabel="epoch", ylabel=label, yscale="log" if key == "loss" else "linear")
        for prefix, told, colour in (("", "training", BLUE), ("val_", "validation", VERMILLION)):
            _draw_histories(axes, histories, prefix + key, colour, told)
        axes.legend(frameon=False, fontsize="small")
    figure.suptitle(name, fontsize="medium")
    _caption(figure, caption)
    return figure


def draw_scores(summary, rows, caption):
    """Validation IoU of every setting: a dot for each run, a bar at their mean, a cross at what the report gives.

    Diamonds below are the runs with precise batch norm statistics.
    """
    count = len(summary)
    figure = new_figure(width_in=7.0, height_in=1.6 + 0.32 * count)
    axes = new_axes(figure, xlabel="IoU of union masks, validation images, mean over images", ylabel="", xlim=(0, 1))
    for place, row in enumerate(summary.to_dict("records")):
        own = rows[rows["setting"] == row["setting"]]
        values, precise = own["val_iou"].to_numpy(float), own["precise_val_iou"].to_numpy(float)
        below = np.full(len(own), place + 0.25)
        axes.plot(values, np.full(len(own), place), "o", color=BLUE, markersize=4, alpha=0.6, label="run")
        axes.plot(precise, below, "D", color=GREEN, markersize=3, alpha=0.6, label="run, precise statistics")
        axes.plot([row["val_iou"]] * 2, [place - 0.3, place + 0.3], color=BLACK, label="mean")
        axes.plot(row["reported_val_iou"], place, "x", color=VERMILLION, label="the report's")
    axes.set_yticks(range(count), summary["setting"])
    axes.invert_yaxis()
    handles, labels = axes.get_legend_handles_labels()
    shown = dict(zip(labels, handles))
    if summary["reported_val_iou"].isna().all():
        shown.pop("the report's", None)
    axes.legend(shown.values(), shown.keys(), frameon=False, fontsize="small")
    _caption(figure, caption)
    return figure


def draw_labelled_images(settings, summary, caption):
    """Validation IoU and F1 against the number of labelled images, with and without pseudo-labels.

    They are those with precise batch norm statistics, which tell the number of images from the lag of a short training.
    Error bars are the standard deviation over seeds. None where the settings do not have two such numbers.
    """
    counted = [setting for setting in settings if setting.recipe and setting.recipe.labelled_images is not None]
    if len({setting.recipe.labelled_images for setting in counted}) < 2:
        return None
    figure = new_figure()
    axes = new_axes(
        figure, xlabel="labelled images", ylabel="validation score (precise statistics)", xscale="log", ylim=(0, 1)
    )
    by_name = summary.set_index("setting")
    for pseudo, style in ((False, "-"), (True, "--")):
        own = sorted(
            (setting for setting in counted if bool(setting.recipe.unlabelled_images) == pseudo),
            key=lambda setting: setting.recipe.labelled_images,
        )
        for key, (label, colour) in _SCORES.items() if own else ():
            axes.errorbar(
                [setting.recipe.labelled_images for setting in own],
                [by_name.loc[setting.name, key] for setting in own],
                [np.nan_to_num(by_name.loc[setting.name, f"{key}_sd"]) for setting in own],
                color=colour,
                linestyle=style,
                marker="o",
                capsize=3,
                label=f"{label}, with pseudo-labels" if pseudo else label,
            )
    counts = sorted({setting.recipe.labelled_images for setting in counted})
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.legend(frameon=False, fontsize="small")
    _caption(figure, caption)
    return figure


def save_sweep_figures(settings, summary, rows, histories, folder, caption):
    """Draw all figures that the settings allow for, each as PNG and SVG.

    Args:
        settings: list of `Setting`.
        summary: as `somaseg.training.sweep_table.summarise` gives it.
        rows: as `somaseg.training.sweep.run_sweep` gives them.
        histories: dict of a trained setting's name and a list of its runs' epochs, `pandas.DataFrame`.
        folder: path.
        caption: str, what the data are.

    Returns:
        The paths of the PNGs.
    """
    figures = {"scores": draw_scores(summary, rows, caption)}
    for name in _LABELS:
        if found := settings_by_value(settings, name):
            figures[f"loss_by_{name}"] = draw_losses(found, histories, name, caption)
    if (final := final_setting(settings, summary)) is not None:
        figures["final_model"] = draw_final_model(final.name, histories[final.name], caption)
    if (curve := draw_labelled_images(settings, summary, caption)) is not None:
        figures["labelled_images"] = curve
    return [save_figure(figure, folder / name)[0] for name, figure in figures.items()]


def final_setting(settings, summary):
    """The trained setting with the highest mean validation IoU, or None where nothing was trained."""
    means = dict(zip(summary["setting"], summary["val_iou"]))
    trained = [setting for setting in settings if setting.recipe is not None]
    return max(trained, key=lambda setting: means[setting.name], default=None)


def save_validation_panels(samples, predictions, ious, folder, *, heading, caption):
    """Save input, truth and prediction of every image side by side.

    Args:
        samples: `somaseg.data.datasets.Samples`.
        predictions: list of label images.
        ious: list of float, the union IoU of each.
        folder: path.
        heading: str, which model it is.
        caption: str, what the data are.

    Returns:
        The paths, one PNG for each image, named by its id.
    """
    paths = []
    for name, image, truth, prediction, iou in zip(samples.ids, samples.images, samples.instances, predictions, ious):
        figure = new_figure(width_in=9.6, height_in=3.9)
        shown = {
            "input": draw_overlay(image, np.zeros_like(truth)),
            f"truth: {_somas(truth)}": draw_overlay(image, truth),
            f"prediction: {_somas(prediction)}, IoU {iou:.2f}": draw_overlay(image, prediction),
        }
        for axes, (title, picture) in zip(figure.subplots(1, 3), shown.items()):
            axes.imshow(picture)
            axes.set_title(title, fontsize="medium")
            axes.axis("off")
        figure.suptitle(f"{heading}: {name}", fontsize="medium")
        _caption(figure, caption)
        path = folder / f"{re.sub(r'[^0-9A-Za-z_.-]', '_', name)}.png"
        with replace_when_whole(path) as partial:
            figure.savefig(partial, format="png", dpi=150, metadata={"Software": "somaseg"})
        paths.append(path)
    return paths


def _somas(labels):
    count = len(np.unique(labels[labels > 0]))
    return f"{count} soma" if count == 1 else f"{count} somas"


def _draw_histories(axes, histories, key, colour, label):
    for history in histories:
        axes.plot(history["epoch"], history[key], color=colour, linewidth=0.6, alpha=0.5)
    length = min(len(history) for history in histories)
    mean = np.mean([history[key].to_numpy(float)[:length] for history in histories], axis=0)
    axes.plot(histories[0]["epoch"][:length], mean, color=colour, linewidth=1.8, label=label)


def _caption(figure, caption):
    figure.supxlabel(caption, fontsize=7, color=GREY)
