"""What a few labelled images of one's own are worth: fine-tune `soma` on those of one simulated lab, score on others.

    python benchmarks/own_images.py [--labs 0 1 2 3] [--images 4 16] [--validation 5]
                                    [--recipes own_images transfer] [--best-epoch]

A lab is one draw of `somaseg.simulation.variety.draw_unseen_parameters`: a microscope and neurons beyond all that
`soma` was trained on, the same in all its images, which are SIMULATED. It labels some images to train on and a few to
validate; 20 others are scored. What launch/finetune.py and launch/evaluate.py do is done here.
"""

import argparse
import dataclasses
import sys
import tempfile
import time
from pathlib import Path

PRESET = "soma"
SPLITS = {"train": 0, "validation": 10_000, "test": 20_000}
TEST_IMAGES = 20
SCORES = {
    "iou": "iou_per_image",
    "precision": "precision_at_0.50_pooled",
    "recall": "recall_at_0.50_pooled",
    "f1": "f1_at_0.50_pooled",
    "merged": "merged_share",
}


def images_of(lab, split, count):
    """`Samples` of so many images of a lab; the first of them are the same for every count."""
    import numpy as np

    from somaseg.data.datasets import Samples
    from somaseg.simulation import simulate_still
    from somaseg.simulation.variety import draw_unseen_parameters

    parameters = draw_unseen_parameters(np.random.default_rng((77, lab)))
    seeds = [100_000 * (lab + 1) + SPLITS[split] + number for number in range(count)]
    stills = [simulate_still(parameters, seed=seed) for seed in seeds]
    return Samples.from_arrays((f"lab_{lab}_{seed}", one.image, one.instances) for seed, one in zip(seeds, stills))


def score(segmenter, samples):
    """The scores of SCORES on labelled images."""
    from somaseg.segmentation.evaluation import score_images

    predictions = [segmenter(image).labels for image in samples.images]
    summary = score_images(zip(samples.ids, samples.instances, predictions)).summary()
    return {column: summary[key] for column, key in SCORES.items()}


def fine_tune(recipe, lab, count, validation_count):
    """(segmenter, seconds) after training by a recipe on `count` images of a lab; others of it validate."""
    import keras

    from somaseg import Segmenter
    from somaseg.models import UNet
    from somaseg.training.runs import retrained_settings, save_preset, train

    training, validation = images_of(lab, "train", count), images_of(lab, "validation", validation_count)
    keras.utils.set_random_seed(recipe.seed)
    network = UNet.from_preset(PRESET)
    settings = retrained_settings(PRESET, network, training, diameter_px=recipe.diameter_px)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as run:
        history = train(network, recipe, training, validation, run, verbose=0, tensorboard=False)
        seconds = time.monotonic() - begin
        folder = Path(run) / "preset"
        save_preset(network, recipe, history, folder, dataset=f"simulated lab {lab}", run=run, settings=settings)
        return Segmenter.from_preset(folder), seconds


def print_table(rows):
    """One line per recipe and number of images: means over the labs."""
    import pandas as pd

    table, numbers = pd.DataFrame(rows), [*SCORES, "seconds"]
    print("SIMULATED images. Means over labs; F1 of each lab.")
    print("| recipe | labelled images | " + " | ".join(numbers) + " | f1 of each |", "|---" * 9 + "|", sep="\n")
    for (recipe, count), own in table.groupby(["recipe", "labelled_images"], sort=False):
        means = [f"{own[name].mean():.3f}" for name in SCORES] + [f"{own['seconds'].mean():.0f}"]
        print(f"| {recipe} | {count} | " + " | ".join(means) + f" | {', '.join(f'{f1:.3f}' for f1 in own['f1'])} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labs", nargs="+", type=int, default=[0, 1, 2, 3])
    parser.add_argument("--images", nargs="+", type=int, default=[4, 16], help="labelled to train on")
    parser.add_argument("--validation", type=int, default=5, help="labelled to validate on")
    parser.add_argument("--recipes", nargs="+", default=["own_images"], help="of somaseg/training/recipes.py")
    parser.add_argument("--best-epoch", action="store_true", help="keep the best epoch also where a recipe does not")
    options = parser.parse_args()

    from somaseg import Segmenter
    from somaseg.training.recipes import RECIPES

    rows = []
    wanted = [("untouched", 0)] + [(recipe, count) for recipe in options.recipes for count in options.images]
    for name, count in wanted:
        for lab in options.labs:
            if count:
                recipe = RECIPES[name]
                if options.best_epoch:
                    recipe = dataclasses.replace(recipe, last_epoch=False)
                segmenter, seconds = fine_tune(recipe, lab, count, options.validation)
            else:
                segmenter, seconds = Segmenter.from_preset(PRESET), 0.0
            scores = score(segmenter, images_of(lab, "test", TEST_IMAGES))
            rows.append({"recipe": name, "labelled_images": count, **scores, "seconds": seconds})
            print(f"lab {lab}, {name}, {count} images: F1 {scores['f1']:.3f}", file=sys.stderr, flush=True)
    print_table(rows)


if __name__ == "__main__":
    main()
