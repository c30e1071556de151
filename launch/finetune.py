"""Transfer a preset to other cells by retraining its last layer groups; the defaults are the paper's best model.

    python launch/finetune.py --dataset=neuron_soma/simulated --preset=dsb2018 --run=runs/soma
    python launch/finetune.py --recipe=own_images --preset=soma --dataset=neuron_soma/lab --manual_dir=MY_IMAGES
    python launch/finetune.py --recipe=best --unlabelled_dir=MY_FRAMES ...    # learn from unlabelled images too

Writes what pretrain.py writes; with --unlabelled_dir twice, into teacher/ and student/ of --run. With --save_preset=DIR
the result works as `somaseg segment --preset DIR`: with the threshold, least area and spread of the votes of the
preset it started from (in DIR/preprocessor.json; `launch/evaluate.py` has flags to try others), at the scale of the
images it learnt from.
"""

import _flags
from absl import flags

from somaseg.training.recipes import TRANSFER

FLAGS = flags.FLAGS
_flags.define_training_flags(TRANSFER, dataset="neuron_soma/simulated", run="runs/soma")
flags.DEFINE_string("preset", "dsb2018", "Preset (name or folder) that training starts from.")
flags.DEFINE_string("heads", None, "What the network predicts, see somaseg.models.heads.HEADS (default: the preset's).")
flags.DEFINE_string(
    "unlabelled_dir",
    None,
    "Folder of images without labels to learn from too, by self-training; --unlabelled_images of them (default: all).",
)
flags.DEFINE_float(
    "um_per_px", None, "Size of the training images' pixels, um; kept with the preset, which brings others to it."
)


def main(_):
    import dataclasses
    from pathlib import Path

    import keras

    from somaseg.models.unet import UNet
    from somaseg.training.runs import retrained_settings, train
    from somaseg.training.self_training import STUDENT, read_unlabelled, self_train

    recipe, unlabelled = _flags.recipe_from_flags(TRANSFER), None
    if FLAGS.unlabelled_dir:
        unlabelled = read_unlabelled(FLAGS.unlabelled_dir)
        recipe = dataclasses.replace(recipe, unlabelled_images=recipe.unlabelled_images or len(unlabelled))
    training, validation = _flags.read_training_data()
    keras.utils.set_random_seed(recipe.seed)
    heads = {"heads": FLAGS.heads} if FLAGS.heads else {}
    network = UNet.from_preset(FLAGS.preset, dtype=recipe.dtype_policy(), **heads)
    scale = {"diameter_px": recipe.diameter_px, "um_per_px": FLAGS.um_per_px}
    settings = retrained_settings(FLAGS.preset, network, training, **scale)
    if not recipe.unlabelled_images:
        history = train(network, recipe, training, validation, FLAGS.run)
        _flags.finish(network, recipe, history, settings=settings)
        return
    history = self_train(network, recipe, training, validation, FLAGS.run, unlabelled=unlabelled)
    _flags.finish(network, recipe, history, run=Path(FLAGS.run) / STUDENT, settings=settings)


if __name__ == "__main__":
    _flags.run_main(main)
