"""The flags that the training scripts share: one per field of a recipe, and where data and results are."""

import dataclasses
import logging
import sys
import typing
from pathlib import Path

from absl import app, flags

from somaseg.startup import prepare_framework

prepare_framework()
flags.disclaim_key_flags()  # --help of a script lists the flags that are defined here as its own

FLAGS = flags.FLAGS
_HELP = {
    "learning_rate": "Adam's learning rate.",
    "overlap_weight": "Weight of the soft IoU loss beside the binary cross-entropy.",
    "weight_decay": "L2, added to the gradient before Adam's moments (the kind the paper used).",
    "batch_size": "Crops per step.",
    "epochs": "Passes over the training set; a run may be made longer or shorter later.",
    "cooldown_epochs": "Last epochs over which the learning rate falls linearly towards zero.",
    "crop_size": "Side of the square crops in pixels, a multiple of 16.",
    "trainable_groups": "Layer groups retrained, counted from the output; none given: all.",
    "threefold": "The paper's set: each example as it is, mirrored, and elastically deformed.",
    "flips": "Mirror left-right and up-down at random (not with --threefold).",
    "elastic_rate": "Share of the crops that are deformed (not with --threefold).",
    "elastic_alpha": "Amplitude of the elastic deformation, pixels.",
    "elastic_sigma": "Smoothness of the elastic deformation, pixels.",
    "imaging_rate": "Share of the crops whose gamma, gain, stain and noise are varied.",
    "raw_rate": "Share of the crops left at raw intensities instead of contrast-stretched.",
    "zoom": "Crops are magnified by a random factor, log-uniform in 1/zoom..zoom.",
    "diameter_px": "Bring every image to the scale where its instances have this median diameter; none given: do not.",
    "smoothing_px": "Gaussian smoothing of the crops against noise, pixels.",
    "fixed_examples": "Draw crops and augmentation once instead of afresh in every epoch.",
    "moving_statistics": "Batch norms of frozen groups use and update the statistics of the batch.",
    "precise_statistics": "Take batch norm statistics anew over the training examples after each epoch.",
    "labelled_images": "Number of training images used, chosen by the seed; none given: all.",
    "unlabelled_images": "Number of unlabelled images whose certain pixels are trained on too; 0: none.",
    "certainty": "Probability above which the class of an unlabelled pixel is taken for its label.",
    "last_epoch": "Keep the network as the last epoch left it, instead of as the best one on validation images did.",
    "seed": "Of crops, order, augmentation and fresh weights.",
    "mixed_precision": "Compute in bfloat16, keep weights in float32.",
}


def define_training_flags(recipe, *, dataset, run):
    """Define the flags of a recipe (see `define_recipe_flags`) and those for data and results of one training."""
    define_data_flags(dataset)
    flags.DEFINE_string("run", run, "Folder of this run; an unfinished run in it goes on.")
    flags.DEFINE_string("save_preset", None, "Also write the network as a preset folder here.")
    define_recipe_flags(recipe)


def define_data_flags(dataset):
    """Define the flags that say where labelled images are."""
    flags.DEFINE_string(
        "dataset",
        dataset,
        "TFDS name, or a folder with train.npz and validation.npz; several, separated by commas, are used together.",
    )
    flags.DEFINE_string("data_dir", None, "Where TFDS keeps built data sets (default: ~/tensorflow_datasets).")
    flags.DEFINE_string("manual_dir", None, "Folder with the files that the data set is built from.")


def define_recipe_flags(recipe, leave_out=()):
    """Define --recipe, and a flag for each field of `recipe`, whose values are the defaults."""
    from somaseg.training.recipes import RECIPES

    name = next(name for name, known in RECIPES.items() if known == recipe)
    flags.DEFINE_enum("recipe", name, sorted(RECIPES), "What the flags that are not given are taken from.")
    define = {bool: flags.DEFINE_boolean, int: flags.DEFINE_integer, float: flags.DEFINE_float}
    kinds = typing.get_type_hints(type(recipe))
    for field in dataclasses.fields(recipe):
        if field.name not in leave_out:
            kind = next(kind for kind in typing.get_args(kinds[field.name]) or (kinds[field.name],))
            define[kind](field.name, getattr(recipe, field.name), _HELP[field.name])


def recipe_from_flags(recipe):
    """`recipe`, or the one that --recipe names, with the values given on the command line."""
    from somaseg.training.recipes import RECIPES

    if FLAGS["recipe"].present:
        recipe = RECIPES[FLAGS.recipe]
    given = [field.name for field in dataclasses.fields(recipe) if field.name in FLAGS and FLAGS[field.name].present]
    return dataclasses.replace(recipe, **{name: FLAGS[name].value for name in given})


def read_training_data():
    """(train, validation) samples of --dataset."""
    return [read_samples(split) for split in ("train", "validation")]


def read_samples(split):
    """The samples of one split of --dataset, or of all the data sets that it names."""
    from somaseg.data.datasets import Samples, load_samples

    where = {"data_dir": FLAGS.data_dir, "manual_dir": FLAGS.manual_dir}
    names = [FLAGS.dataset] if Path(FLAGS.dataset).is_dir() else FLAGS.dataset.split(",")
    return Samples.concatenate([load_samples(name, split, **where) for name in names])


def dataset_name():
    """--dataset as tables and figures name it: of a folder, its own name."""
    folder = Path(FLAGS.dataset)
    return folder.resolve().name if folder.is_dir() else FLAGS.dataset


def quiet_retracing():
    """Keep TensorFlow from warning that it compiles anew for every network of a series."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def run_main(main):
    """Run `main`; an error that a user can mend is told in one line."""

    def guarded(arguments):
        if len(arguments) > 1:
            raise app.UsageError(f"Not a flag: {arguments[1]}. All options are flags, see --help.")
        try:
            main(arguments)
        except (ValueError, OSError) as error:
            print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
            sys.exit(1)

    app.run(guarded)


def finish(network, recipe, history, run=None, settings=None):
    """Tell how a training ended and, with --save_preset, write the network as a preset; `run` is --run if not given."""
    run = run or FLAGS.run
    kept = history[-1] if recipe.last_epoch else max(history, key=lambda row: row["val_iou"])
    print(
        f"{'last' if recipe.last_epoch else 'best'} epoch, {kept['epoch']} of {len(history)}: validation IoU "
        f"{kept['val_iou']:.4f} per image, {kept['val_pooled_iou']:.4f} pooled (centre crops); last training loss "
        f"{history[-1]['loss']:.4f}. Curves: {run}/curves.png"
    )
    if FLAGS.save_preset:
        from somaseg.training.runs import save_preset

        save_preset(network, recipe, history, FLAGS.save_preset, dataset=FLAGS.dataset, run=run, settings=settings)
        print(f"wrote the preset {FLAGS.save_preset}")
