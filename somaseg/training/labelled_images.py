"""Samples taken apart and put together: how many labelled images a training uses, and what it uses besides."""

import numpy as np

from somaseg.data.datasets import Samples


def split_labelled(samples, count, *, seed):
    """Choose `count` images by the seed; of one seed, a smaller choice is part of every larger one.

    Args:
        samples: `somaseg.data.datasets.Samples`.
        count: int.
        seed: int.

    Returns:
        (chosen, rest), `Samples` in the order of `samples`; rest is None where nothing is left.

    Raises:
        ValueError: there are not so many images.
    """
    if not 1 <= count <= len(samples):
        raise ValueError(f"labelled_images must be 1 to {len(samples)}, the images there are, got {count}.")
    order = np.random.default_rng((seed, len(samples))).permutation(len(samples))
    rest = np.sort(order[count:])
    return _take(samples, np.sort(order[:count])), _take(samples, rest) if len(rest) else None


def join_samples(labelled, extra):
    """Both one after the other; labelled ones that are fewer are repeated as a whole, so as not to be drowned."""
    return Samples.concatenate([labelled] * max(1, round(len(extra) / len(labelled))) + [extra])


def each_image(samples):
    """List of `Samples` of one image each."""
    return [_take(samples, np.array([index])) for index in range(len(samples))]


def _take(samples, indices):
    weights = samples.weights and [samples.weights[i] for i in indices]
    lists = ([values[i] for i in indices] for values in (samples.ids, samples.images, samples.instances))
    return Samples(*lists, samples.limits[indices], weights)
