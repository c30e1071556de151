"""Simulate labelled images of neurons to train on: frames of movies by many labs, and stills of every look.

    python launch/simulate_training_set.py --output=simulated_set
    python launch/finetune.py --recipe=soma --dataset=simulated_set --preset=nuclei --run=runs/soma

    python launch/simulate_training_set.py --output=simulated_set --unseen=50
    python launch/evaluate.py --preset=soma --dataset=simulated_set --split=unseen

Writes train.npz and validation.npz, or with --unseen only unseen.npz: stills of conditions that are not in the others.
The same seed gives the same images. All of them are simulated.
"""

from pathlib import Path

import _flags
from absl import flags

FLAGS = flags.FLAGS
flags.DEFINE_string("output", None, "Folder for the two files.", required=True)
flags.DEFINE_integer("movies", 150, "Movies to train on, of two frames each, every one recorded differently.", 1)
flags.DEFINE_integer("stills", 200, "Stills to train on, of all looks in turn.", 0)
flags.DEFINE_float("validation_share", 0.1, "As many more to validate on.", 0.01, 1.0)
flags.DEFINE_float("handled_share", 0.0, "Share that was resized, denoised, sharpened, compressed ... since.", 0.0, 1.0)
flags.DEFINE_integer("unseen", 0, "Only stills to test on, this many, of conditions never trained on.", 0)
flags.DEFINE_integer("seed", 1, "The seed of it all.", 0)


def main(_):
    if FLAGS.unseen:
        _save("unseen", FLAGS.unseen, _unseen_stills(FLAGS.unseen))
        return
    for part, split in enumerate(("train", "validation")):
        share = 1.0 if split == "train" else FLAGS.validation_share
        images = _images(part, round(FLAGS.movies * share), round(FLAGS.stills * share))
        _save(split, 2 * round(FLAGS.movies * share) + round(FLAGS.stills * share), images)


def _save(split, total, images):
    from tqdm import tqdm

    from somaseg.data.datasets import Samples

    samples = Samples.from_arrays(tqdm(images, total=total, desc=split, unit="image", disable=None))
    path = Path(FLAGS.output) / f"{split}.npz"
    samples.save(path)
    print(f"wrote {path}: {len(samples)} simulated images")


def _images(part, movies, stills):
    """(id, image, instances) one after the other; `part` keeps the seeds of the splits apart."""
    import numpy as np

    from somaseg.simulation import LOOKS, simulate_movie, simulate_still
    from somaseg.simulation.variety import draw_movie_parameters, draw_still_parameters

    for number in range(movies):
        rng = np.random.default_rng((FLAGS.seed, part, 0, number))
        movie = simulate_movie(draw_movie_parameters(rng), seed=int(rng.integers(2**31)))
        for t, (frame, labels) in enumerate(zip(movie.frames, movie.labels)):
            yield f"simulated_movie_{number:04d}_{t}", _handled(frame, (part, 0, number, t)), labels
    for number in range(stills):
        rng = np.random.default_rng((FLAGS.seed, part, 1, number))
        look = list(LOOKS)[number % len(LOOKS)]
        still = simulate_still(draw_still_parameters(look, rng=rng), seed=int(rng.integers(2**31)))
        yield f"simulated_{look}_{number:04d}", _handled(still.image, (part, 1, number, 0)), still.instances


def _handled(image, which):
    """The image, or in a share of them what `somaseg.simulation.handling` makes of it."""
    import numpy as np

    from somaseg.data.intensity import normalize_contrast
    from somaseg.simulation.handling import handle_picture

    rng = np.random.default_rng((FLAGS.seed, *which, 1))
    if rng.random() >= FLAGS.handled_share:
        return image
    return handle_picture(normalize_contrast(image), rng=rng)


def _unseen_stills(count):
    import numpy as np

    from somaseg.simulation import simulate_still
    from somaseg.simulation.variety import draw_unseen_parameters

    for number in range(count):
        rng = np.random.default_rng((FLAGS.seed, 2, number))
        still = simulate_still(draw_unseen_parameters(rng), seed=int(rng.integers(2**31)))
        yield f"simulated_unseen_{number:04d}", still.image, still.instances


if __name__ == "__main__":
    _flags.run_main(main)
