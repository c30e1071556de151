"""Train a grid of recipes from one preset, several seeds each, and set the scores beside the report's.

    python launch/sweep.py                                  # the report's table: baseline and models 1 to 7
    python launch/sweep.py --grid=augmentation,groups,batch_norm,elastic,images,self_training
    python launch/sweep.py --vary=learning_rate=1e-3,3e-3 --vary=overlap_weight=0,1 --recipe=best
    python launch/sweep.py --grid=my_grid.csv               # a column "name" and one for each setting of a recipe

All flags of a recipe hold for every run, but for what the grid itself sets. Writes into --output: results.csv (a row
is added when a run is finished; the same command goes on where it was killed), runs/, and for each grid a folder with
table.md, table.csv, figures/ and panels/ (input, truth and prediction of every validation image by the setting with the
highest mean validation IoU). --plan only says what would be run. Two sweeps at once need two folders.
"""

from pathlib import Path

import _flags
from absl import flags

from somaseg.training.recipes import REPORT

FLAGS = flags.FLAGS
_flags.define_data_flags("neuron_soma/simulated")
_flags.define_recipe_flags(REPORT, leave_out=("seed",))
flags.DEFINE_string("preset", "dsb2018", "Preset (name or folder) that every run starts from.")
flags.DEFINE_string("output", "runs/sweep", "Folder of the sweep.")
flags.DEFINE_list("grid", [], "Names of grids, or files (.json, .csv); default: report, unless --vary is given.")
flags.DEFINE_multi_string("vary", [], "NAME=VALUE,VALUE,...: all combinations of the values of all --vary.")
flags.DEFINE_list("seeds", ["1", "2", "3"], "Seeds of each setting.")
flags.DEFINE_string(
    "unlabelled_dir", None, "Images without labels for self-training (default: training images left out)."
)
flags.DEFINE_float("threshold", 0.5, "Probability above which a pixel is soma.")
flags.DEFINE_integer("minimum_area_px", 20, "Drop smaller objects.")
flags.DEFINE_float("match_iou", 0.5, "IoU from which a soma counts as found: 0.5, 0.55, ... 0.95.")
flags.DEFINE_boolean("plan", False, "Only say which runs are finished and which are to be done.")


def main(_):
    from somaseg.training.grids import GRIDS, read_grid
    from somaseg.training.sweep import Scoring
    from somaseg.training.sweep_data import SweepData

    _flags.quiet_retracing()
    base = _flags.recipe_from_flags(REPORT)
    grids = {}
    for name in FLAGS.grid or ([] if FLAGS.vary else ["report"]):
        grids[Path(name).stem] = GRIDS[name](base) if name in GRIDS else read_grid(name, base)
    if FLAGS.vary:
        grids["varied"] = _varied(base)
    training, validation = _flags.read_training_data()
    unlabelled = None
    if FLAGS.unlabelled_dir:
        from somaseg.training.self_training import read_unlabelled

        unlabelled = read_unlabelled(FLAGS.unlabelled_dir)
    data = SweepData(_flags.dataset_name(), training, validation, unlabelled)
    scoring = Scoring(FLAGS.threshold, FLAGS.minimum_area_px, FLAGS.match_iou)
    seeds = [_whole(seed) for seed in FLAGS.seeds]
    for name, settings in grids.items():
        _sweep(name, settings, seeds, data, scoring)


def _sweep(name, settings, seeds, data, scoring):
    from tqdm import tqdm

    from somaseg.files import replace_when_whole
    from somaseg.report.sweep_figures import save_sweep_figures
    from somaseg.training.sweep import RESULTS, find_row, plan_runs, read_history, run_sweep
    from somaseg.training.sweep_table import format_table, read_rows, summarise

    output, runs = Path(FLAGS.output), plan_runs(settings, seeds, data, FLAGS.preset)
    if FLAGS.plan:
        rows = read_rows(output / RESULTS)
        for run in runs:
            state = "to do" if find_row(rows, run, scoring) is None else "finished"
            print(f"{name}: {run.setting}, seed {run.seed}: {state} ({output / 'runs' / run.identity})")
        return
    with tqdm(total=len(runs), desc=name, unit="run", disable=None) as bar:

        def progress(done, total, run):
            bar.update(done - bar.n)
            bar.set_postfix_str("" if run is None else f"{run.setting}, seed {run.seed}")

        rows = run_sweep(runs, data, output, preset=FLAGS.preset, scoring=scoring, progress=progress)
    summary = summarise(settings, rows)
    counted = (
        f"{data.caption} Whole images, threshold {scoring.threshold:g}, objects of {scoring.minimum_area_px} px and "
        f"more; precision, recall and F1 of somas matched at IoU {scoring.match_iou:g}, pooled."
    )
    table = format_table(summary, counted)
    print(f"\n{name}\n\n{table}\n")
    folder = output / name
    with replace_when_whole(folder / "table.md") as partial:
        partial.write_text(table + "\n")
    with replace_when_whole(folder / "table.csv") as partial:
        summary.to_csv(partial, index=False, lineterminator="\n")
    histories = {}
    for run in runs:
        if run.recipe is not None:
            histories.setdefault(run.setting, []).append(read_history(run, output))
    save_sweep_figures(settings, summary, rows, histories, folder / "figures", data.caption)
    _save_panels(settings, summary, runs, data, scoring, folder / "panels")
    print(f"Look at {folder}/figures/*.png and {folder}/panels/*.png")


def _save_panels(settings, summary, runs, data, scoring, folder):
    from somaseg.report.sweep_figures import final_setting, save_validation_panels
    from somaseg.segmentation.evaluation import union_iou
    from somaseg.training.sweep import load_run

    final = final_setting(settings, summary) or settings[0]
    run = next(run for run in runs if run.setting == final.name)
    segmenter = load_run(run, FLAGS.output, preset=FLAGS.preset, scoring=scoring)
    predictions = [segmenter(image).labels for image in data.validation.images]
    ious = [union_iou(truth, labels) for truth, labels in zip(data.validation.instances, predictions)]
    heading = f"{final.name}, seed {run.seed}"
    save_validation_panels(data.validation, predictions, ious, folder, heading=heading, caption=data.caption)


def _varied(base):
    from somaseg.training.grids import vary

    choices = {}
    for text in FLAGS.vary:
        name, found, values = text.partition("=")
        if not found or not values:
            raise ValueError(f"--vary must be NAME=VALUE,VALUE,..., got {text!r}.")
        choices[name] = values.split(",")
    return vary(base, choices)


def _whole(text):
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"--seeds must be whole numbers such as 1,2,3, got {text!r}.") from None


if __name__ == "__main__":
    _flags.run_main(main)
