"""Labelled images in memory: from a TFDS builder or an .npz file, packed so that a crop of any of them is one look-up.

`Samples` is NumPy only; TensorFlow and TFDS are imported where a builder is read, so that a machine without them trains
from the .npz file that `Samples.save` writes.
"""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from somaseg.data.intensity import as_rgb, contrast_limits, merge_false_colour, stretch
from somaseg.files import replace_when_whole


@dataclass(frozen=True)
class Samples:
    """Images of any sizes with their instances.

    Attributes:
        ids: list of str.
        images: list of uint8 (H, W, 3). False colour is merged (`merge_false_colour`), and an image of more than 8 bits
            is stretched, when it is added.
        instances: list of uint16 (H, W), 0 is background.
        limits: float32 (n, 2), the `contrast_limits` of each image.
        weights: None where every pixel counts, else a list of uint8 (H, W), or None, for each image: 0 where a pixel
            is not learnt from because its label is not certain. `save` refuses them: pseudo-labels are not data.
    """

    ids: list
    images: list
    instances: list
    limits: np.ndarray
    weights: list | None = None

    def __len__(self):
        return len(self.ids)

    @classmethod
    def from_arrays(cls, triples):
        """Pack an iterable of (id, image, instances); image (H, W[, C]) of any real dtype, instances integer (H, W).

        Raises:
            ValueError: no image at all, or one (named) whose instances have another height or width, or labels
                that 16 bits do not hold.
        """
        ids, images, instances, limits = [], [], [], []
        for name, image, labels in triples:
            image, labels = merge_false_colour(as_rgb(image)), np.asarray(labels).squeeze()
            if labels.shape != image.shape[:2]:
                raise ValueError(f"{name}: image is {image.shape[:2]} but its instances are {labels.shape}.")
            if labels.size and not 0 <= labels.min() <= labels.max() <= 65_535:
                raise ValueError(f"{name}: labels must be 0 to 65535, got {labels.min()} to {labels.max()}.")
            bounds = contrast_limits(image)
            if image.dtype != np.uint8:
                image, bounds = stretch(image, bounds), (0.0, 255.0)
            ids.append(str(name))
            images.append(np.ascontiguousarray(image))
            instances.append(np.ascontiguousarray(labels, dtype=np.uint16))
            limits.append(bounds)
        if not ids:
            raise ValueError("The data set holds no image.")
        return cls(ids, images, instances, np.asarray(limits, np.float32))

    @classmethod
    def concatenate(cls, parts):
        """All images of a list of `Samples`, one part after the other."""
        weighted = any(part.weights is not None for part in parts)
        return cls(
            ids=[name for part in parts for name in part.ids],
            images=[image for part in parts for image in part.images],
            instances=[labels for part in parts for labels in part.instances],
            limits=np.concatenate([part.limits for part in parts]),
            weights=[weight for part in parts for weight in part.weights or [None] * len(part)] if weighted else None,
        )

    def stretched(self, index):
        """Image `index` as the network sees it in `somaseg.Segmenter`: uint8 (H, W, 3), contrast stretched."""
        return stretch(self.images[index], self.limits[index])

    def save(self, path):
        """Write everything to one compressed .npz file, whole or not at all."""
        if self.weights is not None:
            raise ValueError("Samples whose pixels have weights are pseudo-labelled and are not saved.")
        arrays = {"ids": np.asarray(self.ids), "limits": self.limits}
        for i, (image, labels) in enumerate(zip(self.images, self.instances)):
            arrays[f"image_{i}"] = image
            arrays[f"instances_{i}"] = labels
        with replace_when_whole(path) as partial, open(partial, "wb") as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def load(cls, path):
        """Read what `save` wrote.

        Raises:
            ValueError: the file is not one that `save` wrote.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                ids = [str(name) for name in arrays["ids"]]
                images = [arrays[f"image_{i}"] for i in range(len(ids))]
                instances = [arrays[f"instances_{i}"] for i in range(len(ids))]
                limits = arrays["limits"]
        except (
            *(KeyError, OSError, ValueError, EOFError, TypeError, NotImplementedError),
            *(zipfile.BadZipFile, zlib.error),
        ) as error:
            raise ValueError(f"{path} is not a data set written by Samples.save: {error}") from error
        return cls(ids, images, instances, limits)


def load_samples(dataset, split, *, data_dir=None, manual_dir=None):
    """The samples of one split.

    Args:
        dataset: str, a TFDS name such as `"dsb2018"` or `"neuron_soma/lab"`, or the path of a folder with
            `<split>.npz`, written by `Samples.save`.
        split: str, such as `"train"` or `"validation[:10]"` (slices for TFDS only).
        data_dir: where TFDS keeps built data sets; None for its default, ~/tensorflow_datasets.
        manual_dir: where the builder finds files that it cannot download.

    Returns:
        `Samples`, sorted by id.
    """
    path = Path(dataset)
    if (path / f"{split}.npz").is_file():
        return Samples.load(path / f"{split}.npz")
    if files := sorted(file.name for file in path.glob("*.npz")):
        raise ValueError(f"{path} holds no {split}.npz; it has {', '.join(files)}.")
    from somaseg.data.builders import read_builder

    triples = (
        (x["id"].decode(), x["image"], x["instances"])
        for x in read_builder(dataset, split, data_dir=data_dir, manual_dir=manual_dir)
    )
    return Samples.from_arrays(sorted(triples, key=lambda triple: triple[0]))


def equivalent_diameters(labels):
    """Diameters in pixels of the discs with the areas of the instances of a label image: float (n,).

    >>> equivalent_diameters(np.ones((2, 2), int)).round(2).tolist()
    [2.26]
    """
    areas = np.bincount(np.asarray(labels).ravel())[1:]
    return np.sqrt(areas[areas > 0] * (4 / np.pi))


def median_diameter(instances):
    """Median of the `equivalent_diameters` of a label image that has at least one instance: float, pixels."""
    return float(np.median(equivalent_diameters(instances)))
