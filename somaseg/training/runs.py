"""One training run in one folder: it can be killed at any moment and goes on from its last whole epoch.

The folder holds recipe.json, history.csv (one row per epoch), curves.png, and checkpoints/: state.json names the files
of the last and the best epoch. state.json is replaced only when the files that it names are whole on disk.
"""

import contextlib
import json
from pathlib import Path

import keras
import numpy as np

from somaseg.data.datasets import median_diameter
from somaseg.data.pipeline import CropBatches, as_tf_dataset
from somaseg.files import replace_when_whole
from somaseg.models.groups import freeze_all_but_last
from somaseg.models.presets import find_preset, read_config, read_preprocessor
from somaseg.training.checkpoints import BEST_BY, Checkpoints
from somaseg.training.fixed_examples import fixed_batches
from somaseg.training.frozen_statistics import hold_statistics, let_statistics_move
from somaseg.training.frozen_trunk import TailTrainer, can_be_cut, cut_network
from somaseg.training.labelled_images import join_samples, split_labelled
from somaseg.training.precise_statistics import SettleStatistics, settle_statistics
from somaseg.training.recipes import Recipe
from somaseg.training.trainer import SegmentationTrainer

LENGTH = ("epochs", "cooldown_epochs")  # a run may be made longer or shorter, all else must stay


def train(network, recipe, train_samples, validation_samples, folder, *, extra=None, verbose="auto", tensorboard=True):
    """Train `network` in place by `recipe` and leave it with the weights of its best epoch.

    The best epoch is the one with the highest mean validation IoU per image (`val_iou`), on the centre crops. Of a
    recipe with `last_epoch` it is the last one whose weights are left.

    Args:
        network: `somaseg.models.UNet`; its weights are where training starts.
        recipe: `somaseg.training.recipes.Recipe`.
        train_samples, validation_samples: `somaseg.data.datasets.Samples`.
        folder: where the run is kept. If it holds an unfinished run of the same recipe, that run goes on; a finished
            one is only read.
        extra: `Samples` to train on besides, such as pseudo-labelled ones; `recipe.labelled_images` is not about them.
        verbose: as for `keras.Model.fit`; "auto" shows a progress bar.
        tensorboard: bool, also write TensorBoard logs (TensorFlow only).

    Returns:
        History: list of dicts, one per epoch, as in history.csv.

    Raises:
        ValueError: the folder holds a run of another recipe.
    """
    folder = Path(folder)
    _claim(folder, recipe)
    if recipe.labelled_images is not None:
        train_samples, _ = split_labelled(train_samples, recipe.labelled_images, seed=recipe.seed)
    if extra is not None:
        train_samples = join_samples(train_samples, extra)
    trainer, trunk = _make_trainer(network, recipe, jit_compile=_worth_compiling())

    checkpoints = Checkpoints(folder)
    batches = _training_batches(recipe, train_samples)
    validation = CropBatches(
        validation_samples,
        batch_size=recipe.batch_size,
        crop_size=recipe.crop_size,
        diameter_px=recipe.diameter_px,
        smoothing_px=recipe.smoothing_px,
    )
    checkpoints.restore(trainer)
    batches.epoch = len(checkpoints.history)
    if batches.epoch < recipe.epochs:
        if recipe.fixed_examples:
            batches = fixed_batches(batches, recipe.augmentation(), trunk)
            validation = fixed_batches(validation, (), trunk)
        callbacks = [
            keras.callbacks.LearningRateScheduler(lambda epoch, _: recipe.learning_rate_at(epoch)),
            checkpoints,
        ]
        if recipe.precise_statistics:
            callbacks.append(SettleStatistics(batches))
        fit_on, evaluate_on, steps = batches, validation, None
        if keras.backend.backend() == "tensorflow":
            fit_on, steps = as_tf_dataset(batches, recipe.epochs), batches.num_batches
            evaluate_on = as_tf_dataset(validation, 1)
            if tensorboard:
                callbacks.append(keras.callbacks.TensorBoard(folder / "tensorboard"))
        else:  # Keras ends an epoch of a PyDataset once more than there are epochs
            callbacks.append(
                keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _: setattr(batches, "epoch", epoch))
            )
        trainer.fit(
            fit_on,
            epochs=recipe.epochs,
            initial_epoch=batches.epoch,
            steps_per_epoch=steps,
            validation_data=evaluate_on,
            callbacks=callbacks,
            shuffle=False,  # else Keras shuffles the batches of a PyDataset once more, by no seed
            verbose=verbose,
        )
    elif not (folder / "curves.png").exists():  # killed at the very end
        checkpoints.draw_curves()
    if not recipe.last_epoch:
        checkpoints.load_best(trainer.network)
    return checkpoints.history


def load_last_epoch(network, folder):
    """Give `network` the weights that the last epoch of a run left it with, whichever epoch was the best.

    Raises:
        ValueError: `folder` holds no run, or a run of another network.
    """
    folder = Path(folder)
    if not (folder / "checkpoints" / "state.json").exists():
        raise ValueError(f"{folder} holds no run: there is no checkpoints/state.json in it.")
    recipe = Recipe.from_dict(json.loads((folder / "recipe.json").read_text()))
    with _trainer_for_a_while(network, recipe) as (trainer, _):  # a checkpoint has what this recipe trains alone
        Checkpoints(folder).restore(trainer)


def settle_network(network, recipe, train_samples):
    """Give the batch norms of `network` that `recipe` trains precise statistics over the examples that it trains on.

    See `somaseg.training.precise_statistics`; this is for a network that was trained without.
    """
    with _trainer_for_a_while(network, recipe) as (trainer, trunk):
        batches = _training_batches(recipe, train_samples)
        if recipe.fixed_examples:
            batches = fixed_batches(batches, recipe.augmentation(), trunk)
        settle_statistics(trainer, batches)


def _training_batches(recipe, samples):
    return CropBatches(
        samples,
        batch_size=recipe.batch_size,
        crop_size=recipe.crop_size,
        seed=recipe.seed,
        threefold=recipe.threefold,
        raw_rate=recipe.raw_rate,
        zoom=recipe.zoom,
        diameter_px=recipe.diameter_px,
        smoothing_px=recipe.smoothing_px,
    )


@contextlib.contextmanager
def _trainer_for_a_while(network, recipe):
    """What `_make_trainer` gives; afterwards the layers of `network` are frozen or not as before."""
    trainable = [layer.trainable for layer in network.layers]
    try:
        yield _make_trainer(network, recipe, jit_compile=False)
    finally:
        hold_statistics(network)
        for layer, was in zip(network.layers, trainable):
            layer.trainable = was


def _make_trainer(network, recipe, *, jit_compile):
    """The compiled trainer, with all its variables made so that a checkpoint can be put into them, and its trunk.

    The trunk is the model of what is frozen where that is computed once (`can_be_cut`), else None.
    """
    hold_statistics(network)  # of an earlier recipe
    if recipe.trainable_groups is not None:
        freeze_all_but_last(network, recipe.trainable_groups)
    if recipe.moving_statistics:
        let_statistics_move(network)
    trunk = None
    if can_be_cut(network, recipe):
        trunk, tail = cut_network(network)
        trainer = TailTrainer(tail, (), recipe.overlap_weight)
    else:
        augmentation = () if recipe.fixed_examples else recipe.augmentation()
        trainer = SegmentationTrainer(network, augmentation, recipe.overlap_weight)
    trainer.compile(optimizer=recipe.optimizer(), jit_compile=jit_compile)
    size = 2 ** (network.depth - 1)
    image = np.zeros((1, size, size, network.input_channels), np.float32)
    inputs = {"image": image} if trunk is None else trunk.features(image)
    trainer({**inputs, "instances": np.zeros((1, size, size, 1), np.int32)}, training=False)
    trainer.optimizer.build(trainer.trainable_variables)
    return trainer, trunk


def _claim(folder, recipe):
    path = folder / "recipe.json"
    if path.exists():
        stored = {**Recipe().to_dict(), **json.loads(path.read_text())}  # of before a setting was there
        if stored == recipe.to_dict():
            return
        differences = {
            key: (stored.get(key), value)
            for key, value in recipe.to_dict().items()
            if stored.get(key) != value and key not in LENGTH
        }
        if differences:
            told = ", ".join(f"{key} {old!r} there, {new!r} now" for key, (old, new) in differences.items())
            raise ValueError(f"{folder} holds a run of another recipe ({told}). Give another folder.")
    with replace_when_whole(path) as partial:
        partial.write_text(json.dumps(recipe.to_dict(), indent=2))


def _worth_compiling():
    """XLA is 1.2 to 1.8 times slower than TensorFlow's own kernels on CPU; on JAX there is nothing else."""
    if keras.backend.backend() == "jax":
        return True
    return bool(keras.distribution.list_devices("gpu"))


def save_preset(network, recipe, history, folder, *, dataset, run, settings=None, description=""):
    """Write a trained network as a preset folder, with its recipe, its history in short and its curves.

    Args:
        network: `somaseg.models.UNet`, as `train` left it.
        recipe: the `Recipe` it was trained by.
        history: what `train` returned.
        folder: where the preset goes; preprocessor.json in it is kept if it is there.
        dataset: str, what it was trained on.
        run: folder of the run; its curves.png is copied.
        settings: None, or dict of settings of `somaseg.Segmenter`, such as `retrained_settings` gives.
        description: str, one line, shown by `somaseg presets`.
    """
    folder = Path(folder)
    best = max(history, key=lambda row: row[BEST_BY])
    metadata = {
        "description": description or f"trained on {dataset}",
        "dataset": dataset,
        "recipe": recipe.to_dict(),
        "epochs_trained": len(history),
        "best_epoch": best,
        "last_epoch": history[-1],
    }
    trained_at = {"smoothing_px": recipe.smoothing_px}
    if recipe.diameter_px is not None:
        trained_at |= {"diameter_px": recipe.diameter_px, "estimates_diameter": True}
    preprocessor = read_preprocessor(folder) or {**(settings or {}), **trained_at}
    network.save_to_preset(folder, preprocessor=preprocessor, metadata=metadata)
    with replace_when_whole(folder / "curves.png") as partial:
        partial.write_bytes((Path(run) / "curves.png").read_bytes())


def retrained_settings(preset, network, samples, *, diameter_px=None, um_per_px=None):
    """The settings of `somaseg.Segmenter` for a network that started from a preset and learnt from other images.

    Threshold, least areas and spread of the votes are the preset's where the heads are the same, area and spread in
    proportion to the diameters. The scale is that of the images.

    Args:
        preset: name or folder.
        network: `somaseg.models.UNet`.
        samples: `somaseg.data.datasets.Samples` that it learnt from.
        diameter_px: None, or the diameter that they were brought to.
        um_per_px: None, or the size of their pixels.

    Returns:
        dict, without what is not known.
    """
    folder = find_preset(preset)
    stored = read_preprocessor(folder) if read_config(folder)["network"]["heads"] == network.heads else {}
    kept = ("threshold", "minimum_area_px", "edge_area_share", "vote_spread_px")
    settings = {name: stored[name] for name in kept if name in stored}
    found = [median_diameter(instances) for instances in samples.instances if instances.any()]
    if diameter_px is None and found:
        diameter_px = round(float(np.median(found)), 1)
    if diameter_px is not None and stored.get("diameter_px"):
        factor = diameter_px / stored["diameter_px"]
        settings["minimum_area_px"] = round(stored.get("minimum_area_px", 20) * factor**2)
        if "vote_spread_px" in stored:
            settings["vote_spread_px"] = round(stored["vote_spread_px"] * factor, 2)
    scale = {"diameter_px": diameter_px, "um_per_px": um_per_px}
    return {**settings, **{name: value for name, value in scale.items() if value is not None}}
