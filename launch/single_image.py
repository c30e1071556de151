"""Check that the network can fit one image: retrain the last layer groups on it alone and score it on the same image.

    python launch/single_image.py               # the report's: last three layers, 1e-4, 150 epochs; it had IoU 0.6
    python launch/single_image.py --learning_rate=0.003 --output=runs/single_image_faster

Every image of --split is fitted on its own (--images=N for the first N). Writes into --output: results.csv, runs/,
table.md and panels/. An image that is finished is not fitted again.
"""

from pathlib import Path

import _flags
from absl import flags

from somaseg.training.recipes import SINGLE_IMAGE

FLAGS = flags.FLAGS
_flags.define_data_flags("neuron_soma/simulated")
_flags.define_recipe_flags(SINGLE_IMAGE)
flags.DEFINE_string("preset", "dsb2018", "Preset (name or folder) that every fit starts from.")
flags.DEFINE_string("output", "runs/single_image", "Folder for the results.")
flags.DEFINE_string("split", "train", "Split whose images are fitted.")
flags.DEFINE_integer("images", None, "Fit the first N images (default: all).", 1)
flags.DEFINE_float("goal", 0.9, "IoU that a fit should reach.")


def main(_):
    import pandas as pd
    from tqdm import tqdm

    from somaseg.files import replace_when_whole
    from somaseg.report.sweep_figures import save_validation_panels
    from somaseg.training.grids import Reported, Setting
    from somaseg.training.labelled_images import each_image
    from somaseg.training.sweep import Scoring, load_run, plan_runs, run_sweep
    from somaseg.training.sweep_data import SweepData
    from somaseg.training.sweep_table import format_table, summarise

    recipe, output, scoring = _flags.recipe_from_flags(SINGLE_IMAGE), Path(FLAGS.output), Scoring()
    _flags.quiet_retracing()
    name = f"{_flags.dataset_name()} {FLAGS.split}"
    samples = _flags.read_samples(FLAGS.split)
    images = each_image(samples)[: FLAGS.images]
    settings, rows = [], []
    for one in tqdm(images, unit="image", disable=None):
        setting = Setting(one.ids[0], recipe, Reported(0.005, 0.6, 0.6))
        data = SweepData(f"{name}, {one.ids[0]} alone", one, one)
        (run,) = plan_runs([setting], [recipe.seed], data, FLAGS.preset)
        rows.append(run_sweep([run], data, output, preset=FLAGS.preset, scoring=scoring))
        labels = load_run(run, output, preset=FLAGS.preset, scoring=scoring)(one.images[0]).labels
        iou, caption = float(rows[-1]["train_iou"].iloc[0]), f"{data.caption} Trained and scored on this one image."
        save_validation_panels(one, [labels], [iou], output / "panels", heading="fitted", caption=caption)
        settings.append(setting)
    whole = SweepData(name, samples, samples)
    rows = pd.concat(rows, ignore_index=True)
    table = format_table(summarise(settings, rows), f"{whole.caption} Each image fitted and scored alone.")
    told = f"{len(rows)} fits, mean loss {rows['loss'].mean():.4f} (report: 0.005 of one image, IoU 0.6)."
    for column, statistics in (("train_iou", "left by the training"), ("precise_train_iou", "taken anew")):
        iou = rows[column]
        told += (
            f" With batch norm statistics {statistics} the IoU is {iou.min():.3f} to {iou.max():.3f}, mean "
            f"{iou.mean():.3f}; {int((iou >= FLAGS.goal).sum())} of {len(rows)} reach {FLAGS.goal:g}."
        )
    with replace_when_whole(output / "table.md") as partial:
        partial.write_text(f"{table}\n\n{told}\n")
    print(f"\n{table}\n\n{told}\nLook at {output}/panels/*.png")


if __name__ == "__main__":
    _flags.run_main(main)
