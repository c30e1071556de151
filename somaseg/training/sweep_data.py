"""What a sweep trains and scores on, known by its content: the same pixels and labels are the same data."""

import functools
import hashlib
from dataclasses import dataclass

import numpy as np

from somaseg.data.datasets import Samples


@dataclass(frozen=True, eq=False)
class SweepData:
    """Images of a sweep.

    Attributes:
        name: str, of the data set.
        train, validation: `somaseg.data.datasets.Samples`.
        unlabelled: `Samples` for self-training, or None for those training images that a recipe does not use.
    """

    name: str
    train: Samples
    validation: Samples
    unlabelled: Samples | None = None

    @functools.cached_property
    def fingerprint(self):
        """Twelve hexadecimal digits that differ when a pixel, a label or a name does."""
        digest = hashlib.sha256()
        for part in (self.train, self.validation, self.unlabelled):
            digest.update(b"next part")
            for name, image, labels in zip(part.ids, part.images, part.instances) if part else ():
                digest.update(repr((name, image.shape, image.dtype.str)).encode())
                digest.update(np.ascontiguousarray(image))
                digest.update(np.ascontiguousarray(labels))
        return digest.hexdigest()[:12]

    @property
    def caption(self):
        """What every figure and table says of the data.

        >>> from somaseg.data.datasets import Samples
        >>> black = np.zeros((16, 16), np.uint8)
        >>> samples = Samples.from_arrays([("simulated_0", black, black)])
        >>> SweepData("neuron_soma/simulated", samples, samples).caption
        'Simulated stills, no real image: 1 to train, 1 to validate (neuron_soma/simulated).'
        """
        simulated = all(name.startswith("simulated") for name in [*self.train.ids, *self.validation.ids])
        kind = "Simulated stills, no real image" if simulated else "Labelled images"
        return f"{kind}: {len(self.train)} to train, {len(self.validation)} to validate ({self.name})."
