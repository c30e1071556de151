"""Self-training (Lee 2013, "Pseudo-Label"): a network trained on few labelled images labels others, and is trained once
more on both. Only pixels that it was certain of are learnt from; the others have no part in the loss.
"""

import dataclasses
from pathlib import Path

import numpy as np

from somaseg.data.datasets import Samples
from somaseg.segmentation.reading import SUFFIXES, read_image
from somaseg.segmentation.segmenter import Segmenter
from somaseg.training.labelled_images import split_labelled
from somaseg.training.runs import train

TEACHER, STUDENT = "teacher", "student"


def self_train(network, recipe, train_samples, validation_samples, folder, *, unlabelled=None, **options):
    """Train a teacher on the labelled images, then `network` on these and on what the teacher is certain of.

    Both start from the weights that `network` has now and take the same number of steps, so that a gain is not one of
    longer training.

    Args:
        network: `somaseg.models.UNet`, trained in place.
        recipe: `somaseg.training.recipes.Recipe` with `unlabelled_images`, of which the teacher uses the rest.
        train_samples, validation_samples: `somaseg.data.datasets.Samples`, labelled.
        folder: where the two runs are kept, as teacher/ and student/; unfinished ones in it go on.
        unlabelled: `Samples` whose instances are not looked at; None for those training images that
            `recipe.labelled_images` leaves out.
        **options: as for `somaseg.training.runs.train`.

    Returns:
        History of the student, as of `train`.

    Raises:
        ValueError: there are not so many unlabelled images.
    """
    folder, start = Path(folder), network.get_weights()
    unlabelled = choose_unlabelled(recipe, train_samples, unlabelled)
    alone = dataclasses.replace(recipe, unlabelled_images=0)
    train(network, alone, train_samples, validation_samples, folder / TEACHER, **options)
    settings = {"smoothing_px": recipe.smoothing_px}
    pseudo = pseudo_label(Segmenter(network, **settings), unlabelled, certainty=recipe.certainty)
    network.set_weights(start)
    longer = student_recipe(recipe, len(train_samples), len(pseudo))
    return train(network, longer, train_samples, validation_samples, folder / STUDENT, extra=pseudo, **options)


def pseudo_label(segmenter, samples, *, certainty):
    """Label images by a segmenter; pixels that it is not certain of get the weight 0.

    A pixel is certain soma when its probability is at least `certainty` and it belongs to a soma that the segmenter
    finds, and certain ground when its probability is at most 1 - `certainty`.

    Args:
        segmenter: `somaseg.segmentation.segmenter.Segmenter`.
        samples: `Samples`; their instances are not looked at.
        certainty: float, 0.5 or more and below 1.

    Returns:
        `Samples` with weights.
    """
    instances, weights = [], []
    for image in samples.images:
        found = segmenter(image)
        soma = (found.probability >= certainty) & (found.labels > 0)
        ground = found.probability <= 1 - certainty
        instances.append(np.where(soma, found.labels, 0).astype(np.uint16))
        weights.append((soma | ground).astype(np.uint8))
    return Samples(list(samples.ids), list(samples.images), instances, samples.limits, weights)


def choose_unlabelled(recipe, train_samples, unlabelled):
    """The first `recipe.unlabelled_images` of a shuffled pool: `unlabelled`, or the training images not labelled."""
    pool = unlabelled
    if pool is None:
        used = recipe.labelled_images or len(train_samples)
        _, pool = split_labelled(train_samples, used, seed=recipe.seed)
    count = 0 if pool is None else len(pool)
    if not 1 <= recipe.unlabelled_images <= count:
        raise ValueError(
            f"unlabelled_images must be 1 to {count}, the unlabelled images there are, got "
            f"{recipe.unlabelled_images}. Give a folder of more, or use fewer labelled_images."
        )
    return split_labelled(pool, recipe.unlabelled_images, seed=recipe.seed)[0]


def student_recipe(recipe, train_images, unlabelled_images):
    """`recipe` with its epochs and cool-down shortened to as many steps as the labelled images alone would take.

    >>> from somaseg.training.recipes import Recipe
    >>> teacher = Recipe(batch_size=4, epochs=90, cooldown_epochs=30, labelled_images=4)
    >>> shorter = student_recipe(teacher, train_images=32, unlabelled_images=8)  # 4 steps an epoch instead of 1
    >>> shorter.epochs, shorter.cooldown_epochs
    (22, 8)
    """
    variants = 3 if recipe.threefold else 1
    labelled = recipe.labelled_images or train_images
    together = labelled * max(1, round(unlabelled_images / labelled)) + unlabelled_images
    share = -(-labelled * variants // recipe.batch_size) / -(-together * variants // recipe.batch_size)
    return dataclasses.replace(
        recipe,
        epochs=max(1, round(recipe.epochs * share)),
        cooldown_epochs=round(recipe.cooldown_epochs * share),
    )


def read_unlabelled(folder):
    """The images of a folder as `Samples` without instances.

    Args:
        folder: path with PNG, JPEG or TIFF images, each of one plane; files named `*_masks.*` are left out.

    Raises:
        ValueError: there is no image, or one cannot be read.
    """
    folder = Path(folder)
    paths = sorted(
        path
        for path in (folder.iterdir() if folder.is_dir() else ())
        if path.suffix.lower() in SUFFIXES and not path.stem.endswith("_masks")
    )
    if not paths:
        raise ValueError(f"{folder} holds no image named {', '.join(SUFFIXES)}. Give a folder of single images.")
    images = ((path.name, read_image(path)) for path in paths)
    return Samples.from_arrays((name, image, np.zeros(image.shape[:2], np.uint16)) for name, image in images)
