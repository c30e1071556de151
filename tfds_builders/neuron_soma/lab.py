"""Find the annotated images of a lab: a folder per image, or pairs of image and label image."""

import hashlib
from dataclasses import dataclass

from etils import epath

LAYOUTS = """Accepted, as PNG or TIFF, in the folder or in its sub-folders train/ and validation/:
  <id>/images/<any name>.tif  with  <id>/masks/*.png, one mask per soma
  <id>/<any name>.tif         with  <id>/masks/*.png
  <id>.tif                    with  <id>_masks.tif, a label image (0 background, 1..n somas)"""
SPLITS = ("train", "validation")
VALIDATION_PERCENT = 15
SUFFIXES = (".png", ".tif", ".tiff")
MASKS = "_masks"


@dataclass(frozen=True)
class LabImage:
    """One annotated image: its path, and those of its masks or that of its label image."""

    id: str
    image: epath.Path
    masks: tuple[epath.Path, ...] = ()
    labels: epath.Path | None = None


def find_splits(folder):
    """Return {"train": [LabImage, ...], "validation": [...]} of a lab's folder, sorted by id.

    Sub-folders train/ and validation/ are taken as they are. Without them each image goes where
    its own id sends it, see `split_of`; if that leaves one of the two empty, the image whose id has
    the smallest number validates and the others train.

    Raises:
        FileNotFoundError: there is no image, or there are images without masks (named).
        ValueError: images lie both in and beside train/ and validation/, or an id occurs twice.
    """
    folder = epath.Path(folder)
    given = [name for name in SPLITS if (folder / name).is_dir()]
    beside = find_images(folder, skip=given)
    if given and beside:
        raise ValueError(
            f"{folder}: {_names(beside)} beside {' and '.join(given)}/, expected every image in "
            "one of these. Move them in, or move all images out to have them split by id."
        )
    splits = {name: find_images(folder / name) for name in given}
    if not given:
        splits = _split_by_id(beside)
    ids = [image.id for images in splits.values() for image in images]
    if not ids:
        raise FileNotFoundError(f"{folder}: no annotated image found. {LAYOUTS}")
    twice = sorted({image_id for image_id in ids if ids.count(image_id) > 1})
    if twice:
        raise ValueError(
            f"{folder}: {', '.join(twice)} occurs twice, expected each id once. Rename one of the "
            "two, or take it out if it is the same image."
        )
    return splits


def split_of(image_id):
    """Return the split of an image by the hash of its id: 15 % of all ids validate.

    It depends on nothing but the id, so that adding or removing an image never moves another one.

    >>> split_of("slice_1"), split_of("slice_2")
    ('train', 'validation')
    """
    return "validation" if _number(image_id) < VALIDATION_PERCENT else "train"


def _number(image_id):
    return int.from_bytes(hashlib.sha256(image_id.encode()).digest()[:8], "big") % 100


def _split_by_id(images):
    splits = {name: [image for image in images if split_of(image.id) == name] for name in SPLITS}
    if len(images) > 1 and not all(splits.values()):
        first = min(images, key=lambda image: (_number(image.id), image.id))
        splits = {"train": [image for image in images if image is not first], "validation": [first]}
    return splits


def fingerprint(folder):
    """A hash of the names, sizes and times of the files that `find_splits` finds in a folder."""
    folder, entries = epath.Path(folder), []
    for images in find_splits(folder).values():
        for image in images:
            for path in (image.image, *image.masks, *([image.labels] if image.labels else [])):
                stat = path.stat()
                entries.append((str(path.relative_to(folder)), stat.length, stat.mtime))
    return hashlib.sha256(repr([str(folder.resolve()), *sorted(entries)]).encode()).hexdigest()


def find_images(folder, *, skip=()):
    """Return the `LabImage`s of one folder, sorted by id; sub-folders in `skip` are left out."""
    children = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    files = [path for path in children if path.suffix.lower() in SUFFIXES]
    found = _find_pairs(files)
    for child in children:
        if child.is_dir() and child.name not in skip:
            found += _find_in_image_folder(child)
    without = [image for image in found if not image.masks and image.labels is None]
    if without:
        raise FileNotFoundError(
            f"{folder}: {_names(without)} without masks. {LAYOUTS}\nAn image that shows no soma has one all-black mask."
        )
    return sorted(found, key=lambda image: image.id)


def _find_pairs(files):
    labels = {path.stem.removesuffix(MASKS): path for path in files if path.stem.endswith(MASKS)}
    images = [path for path in files if not path.stem.endswith(MASKS)]
    alone = labels.keys() - {path.stem for path in images}
    if alone:
        raise FileNotFoundError(f"{labels[min(alone)]} has no image, expected {min(alone)}.tif or .png beside it.")
    return [LabImage(path.stem, path, labels=labels.get(path.stem)) for path in images]


def _find_in_image_folder(folder):
    """Return the one image of a folder with its masks, or nothing where it has neither."""
    where = folder / "images" if (folder / "images").is_dir() else folder
    images, masks = _image_files(where), _image_files(folder / "masks")
    if not images and not masks:
        return []
    if len(images) != 1:
        raise FileNotFoundError(f"{where}: {len(images)} images found, expected one. {LAYOUTS}")
    return [LabImage(folder.name, images[0], masks=tuple(masks))]


def _image_files(folder):
    if not folder.is_dir():
        return []
    return sorted(
        path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )


def _names(images):
    ids = [image.id for image in images]
    return ", ".join(ids[:5]) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")
