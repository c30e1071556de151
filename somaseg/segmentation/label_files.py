"""From two files or folders of label images to pairs of truth and prediction, matched by name, read one at a time."""

from pathlib import Path

import cv2
import numpy as np
import tifffile

from somaseg.segmentation.reading import SeveralImagesError, read_planes

SUFFIXES = (".tif", ".tiff", ".png", ".npy")
_WORDS = ("labels", "label", "masks", "mask")


def read_labels(path):
    """Read a label image or a stack of them.

    Args:
        path: TIFF (one plane, or a stack such as labels.tif of `somaseg analyze` or one written plane by plane), PNG of
            8 or 16 bit, or .npy.

    Returns:
        integer (H, W), or (planes, H, W) of a stack, 0 = background. Floats are taken when they are whole numbers.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is damaged, is of another kind, holds colours or channels, images of several sizes, or
            values that are no labels.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path}: labels are read from {', '.join(SUFFIXES)}, not from {path.suffix or 'this'}.")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file.")
    read = {".png": _read_png, ".npy": _read_npy}.get(path.suffix.lower(), _read_tiff)
    labels = read(path)
    if labels.ndim not in (2, 3) or 0 in labels.shape:
        raise ValueError(f"{path}: expected labels (H, W) or a stack (planes, H, W), got {labels.shape}.")
    if labels.ndim == 3 and labels.shape[-1] <= 4 < labels.shape[0]:
        raise ValueError(f"{path}: {labels.shape} looks like colours. A label image has one number per pixel.")
    return _whole_numbers(path, labels)


def pair_label_files(prediction, truth):
    """Match predicted with true label images by the names of their files.

    The name is the file's without suffix and without `_labels` or `_masks` (`_label`, `_mask`). Where a folder has
    files that are named so, only these are taken: images may lie beside them. Two single files are a pair whatever
    their names.

    Args:
        prediction: a label file or a folder of them.
        truth: the same.

    Returns:
        list of (name, truth path, prediction path), sorted by name, and the list of predictions without a truth.

    Raises:
        FileNotFoundError: one does not exist, or a folder holds no label image.
        ValueError: a truth has no prediction, or two files have the same name.
    """
    prediction, truth = Path(prediction), Path(truth)
    true, predicted = label_files(truth), label_files(prediction)
    if truth.is_file() and prediction.is_file():
        return [(next(iter(true)), truth, prediction)], []
    missing = [name for name in true if name not in predicted]
    if missing:
        told = ", ".join(missing[:3]) + (" ..." if len(missing) > 3 else "")
        raise ValueError(
            f"{prediction}: no prediction for {len(missing)} of {len(true)} truths of {truth}: {told}. Files are "
            "matched by name, without suffix and _labels or _masks. Take out truths that are not to be scored."
        )
    pairs = [(name, path, predicted[name]) for name, path in sorted(true.items())]
    return pairs, [path for name, path in sorted(predicted.items()) if name not in true]


def read_label_pairs(pairs, *, progress=None):
    """Yield (name, truth (H, W), prediction (H, W)) of each pair; of a stack each plane, as "NAME plane 0" and so on.

    Args:
        pairs: iterable of (name, truth path, prediction path).
        progress: None, or a function called without arguments when a file is done.

    Raises:
        ValueError: a file cannot be read, or the two differ in shape.
    """
    for name, truth_path, prediction_path in pairs:
        truth, prediction = read_labels(truth_path), read_labels(prediction_path)
        if truth.shape != prediction.shape:
            raise ValueError(f"{truth_path} is {truth.shape}, {prediction_path} is {prediction.shape}: not a pair.")
        if truth.ndim == 2:
            yield name, truth, prediction
        else:
            yield from ((f"{name} plane {i}", *planes) for i, planes in enumerate(zip(truth, prediction)))
        if progress is not None:
            progress()


def label_files(path):
    """{name: path} of the label images in a folder (not in folders within), or of a single file."""
    if path.is_file():
        return {_name(path): path}
    if not path.is_dir():
        raise FileNotFoundError(f"{path}: no such file or folder.")
    found = sorted(x for x in path.iterdir() if x.suffix.lower() in SUFFIXES and x.name[0] != "." and x.is_file())
    found = [x for x in found if _is_named_so(x)] or [x for x in found if not x.stem.endswith("_overlay")]
    if not found:
        raise FileNotFoundError(f"{path}: no label image in this folder ({', '.join(SUFFIXES)}).")
    names = {}
    for file in found:
        if _name(file) in names:
            raise ValueError(f"{names[_name(file)]} and {file} have the same name, {_name(file)}. Take one away.")
        names[_name(file)] = file
    return names


def _is_named_so(path):
    return path.stem in _WORDS or path.stem.endswith(tuple(f"_{word}" for word in _WORDS))


def _name(path):
    for word in _WORDS:
        if path.stem.endswith(f"_{word}"):
            return path.stem.removesuffix(f"_{word}")
    return path.stem


def _read_png(path):
    content = path.read_bytes()
    pixels = None
    if content.startswith(b"\x89PNG") and b"IEND" in content[-16:]:  # the decoder would fill up what is missing
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError(f"{path}: the file is damaged, cut short, or no PNG.")
    if pixels.ndim != 2:
        raise ValueError(f"{path}: {pixels.shape[-1]} colours per pixel. A label image has one number per pixel.")
    return pixels


def _read_npy(path):
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f"{path}: cannot be read as .npy ({error}).") from error


def _read_tiff(path):
    try:
        with tifffile.TiffFile(path) as file:
            announced = (file.imagej_metadata or {}).get("images")
            labels, axes = read_planes(path, file)
    except (MemoryError, SeveralImagesError):
        raise
    except Exception as error:  # tifffile and its codecs raise many kinds for a damaged file
        raise ValueError(f"{path}: the TIFF cannot be read, it may be cut short: {error}") from error
    kept = [i for i, length in enumerate(labels.shape) if length != 1 or axes[i] in "YX"]
    labels, axes = labels.reshape([labels.shape[i] for i in kept]), "".join(axes[i] for i in kept)
    if not axes.endswith("YX") or len(axes) > 3 or axes[0] in "CS":
        raise ValueError(f"{path}: expected labels (H, W) or a stack of them, got {labels.shape} in the axes {axes}.")
    if announced is not None and announced != (len(labels) if labels.ndim == 3 else 1):
        raise ValueError(
            f"{path}: {announced} planes announced, {labels.shape} there. The file is cut short or damaged."
        )
    return labels


def _whole_numbers(path, labels):
    if labels.dtype.kind == "b":
        return labels.astype(np.uint8)
    if labels.dtype.kind == "f":
        if not np.isfinite(labels).all() or (labels != np.rint(labels)).any():
            raise ValueError(f"{path}: labels are whole numbers, this file holds others ({labels.dtype}).")
        labels = labels.astype(np.int64)
    if labels.dtype.kind not in "ui" or (labels.dtype.kind == "i" and labels.min() < 0):
        raise ValueError(f"{path}: labels are whole numbers from 0, got {labels.dtype}, smallest {labels.min()}.")
    return labels
