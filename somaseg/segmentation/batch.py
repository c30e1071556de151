"""Many image files in, label TIFFs, overlays and one table out: whole or not at all, and resumable."""

import dataclasses
import importlib.metadata
import json
import platform
import re
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import tifffile

from somaseg.files import replace_when_whole
from somaseg.segmentation.overlay import draw_overlay, png_bytes
from somaseg.segmentation.reading import SUFFIXES, read_image

JOURNAL = "segment.unfinished.jsonl"
COLUMNS = ["image", "label", "y_px", "x_px", "area_px", "mean_intensity", "probability"]
_OWN = ("_labels", "_overlay", "_masks")
_LEFT_BY_A_KILLED_RUN = re.compile(
    rf"\.[0-9a-f]{{8}}\.partial\.({re.escape(JOURNAL)}|objects\.csv|run\.json|.*_labels\.tif|.*_overlay\.png)"
)


class OutputExistsError(ValueError):
    """The output folder holds results already."""


@dataclasses.dataclass(frozen=True)
class BatchResult:
    """What became of the images: names of those done, {name: reason} of those that failed, objects, seconds.

    `magnifications` is {name: by how much the image was enlarged for the network} of those done, `warnings` {name: what
    its file says that was not followed} of those that have one.
    """

    done: list
    failed: dict
    object_count: int
    seconds: float
    network_seconds: float
    magnifications: dict
    warnings: dict


def find_images(inputs):
    """The image files among `inputs`, files or folders; of a folder the PNG, JPEG and TIFF files directly in it.

    Files that somaseg wrote itself (`*_labels.tif`, `*_overlay.png`) and label images (`*_masks.*`) are passed over.

    Raises:
        FileNotFoundError: an input does not exist, or a folder holds no image.
    """
    paths = []
    for given in map(Path, inputs):
        if given.is_dir():
            found = sorted(
                path
                for path in given.iterdir()
                if path.suffix.lower() in SUFFIXES
                and not path.name.startswith(".")
                and not path.stem.endswith(_OWN)
                and not path.is_dir()
            )
            if not found:
                raise FileNotFoundError(f"{given}: no PNG, JPEG or TIFF file in this folder.")
            paths += found
        elif given.exists():
            paths.append(given)
        else:
            raise FileNotFoundError(f"{given}: no such file or folder.")
    return list(dict.fromkeys(paths))


def segment_files(
    segmenter, paths, output, *, um_per_px=None, diameter_px=None, overwrite=False, run=None, progress=None
):
    """Segment image files into a folder.

    Writes `<stem>_labels.tif` and `<stem>_overlay.png` for each, and at the end objects.csv and run.json. An image that
    cannot be read or segmented is recorded and passed over. What is done is kept in a journal, so that the same call
    goes on after it was killed; what other images or settings made is never taken over.

    Args:
        segmenter: `somaseg.Segmenter`.
        paths: image files.
        output: folder, made if need be.
        um_per_px, diameter_px: of all the images, if known; see `Segmenter.__call__`.
        overwrite: bool, replace results that are there (those of an unfinished run of this call are kept).
        run: dict of facts kept in run.json, such as the preset; a run that is continued must have the same.
        progress: None, or a function called with each path's name when it is done.

    Returns:
        `BatchResult`.

    Raises:
        OutputExistsError: results are there and `overwrite` is False.
        OSError: nothing more can be written (such as a full disk).
    """
    started, output = time.perf_counter(), Path(output)
    paths = list(dict.fromkeys(Path(path) for path in paths))
    if output.exists() and not output.is_dir():
        raise NotADirectoryError(f"{output} is a file. Give a folder with -o.")
    output.mkdir(parents=True, exist_ok=True)
    names = _output_names(paths)
    scale = {"um_per_px": um_per_px, "diameter_px": diameter_px}
    settings = {"run": run or {}, "settings": segmenter.settings(), "images": scale}
    journal = _Journal(output / JOURNAL, settings, dict(zip(names.values(), names)))
    if not overwrite and not journal.continues:
        _refuse_existing(output, names, journal)
    entries, network_seconds = journal.begin(), 0.0
    failed = {}
    for path in paths:
        name = names[path]
        if name not in entries:
            notes = []
            try:
                image = read_image(path, note=notes.append)
                found = segmenter(image, **scale)
                objects = found.objects(image)
                network_seconds += found.network_seconds
            except (ValueError, OSError, MemoryError) as error:
                failed[str(path)] = str(error).removeprefix(f"{path}: ")
            else:
                _write(output, name, image, found)
                entries[name] = journal.add(name, objects, found.magnification, notes)
        if progress is not None:
            progress(path.name)
    table = _table(paths, names, {name: entry["objects"] for name, entry in entries.items()})
    with replace_when_whole(output / "objects.csv") as partial:
        table.to_csv(partial, index=False)
    result = BatchResult(
        list(entries),
        failed,
        len(table),
        time.perf_counter() - started,
        network_seconds,
        {name: entry["magnification"] for name, entry in entries.items()},
        {name: " ".join(entry["warnings"]) for name, entry in entries.items() if entry.get("warnings")},
    )
    with replace_when_whole(output / "run.json") as partial:
        partial.write_text(json.dumps(_facts(settings, result), indent=2) + "\n")
    journal.end()
    return result


class _Journal:
    """One JSON line per finished image; the first line holds the settings that all were made with.

    It is continued when its settings are the same and every image in it is still to be done under the same name.
    """

    def __init__(self, path, settings, sources):
        self.path, self.settings = path, json.loads(json.dumps(settings))
        self.sources = {name: _source(source) for name, source in sources.items()}
        self.found, self.continues, self.entries = path.exists(), False, []
        if self.found:
            first, *entries = _whole_lines(path) or [None]
            ours = {name: source["path"] for name, source in self.sources.items()}
            self.continues = first == self.settings and all(
                entry["source"]["path"] == ours.get(entry["name"]) for entry in entries
            )
            self.entries = entries if self.continues else []

    def begin(self):
        """Start the journal, with what of the last one still holds: {name: entry}."""
        for path in self.path.parent.glob(".*.partial.*"):
            if _LEFT_BY_A_KILLED_RUN.fullmatch(path.name) and path.is_file():
                path.unlink()
        kept = [
            entry
            for entry in self.entries
            if entry["source"] == self.sources[entry["name"]]
            and all(path.exists() for path in _output_files(self.path.parent, entry["name"]))
        ]
        with replace_when_whole(self.path) as partial:
            partial.write_text("".join(json.dumps(line) + "\n" for line in [self.settings, *kept]))
        return {entry["name"]: entry for entry in kept}

    def add(self, name, objects, magnification, warnings):
        entry = {"name": name, "source": self.sources[name], "magnification": round(magnification, 3)}
        entry["warnings"] = warnings
        entry["objects"] = objects.to_dict("records")
        with open(self.path, "a") as file:
            file.write(json.dumps(entry) + "\n")
        return entry

    def end(self):
        self.path.unlink()


def _whole_lines(path):
    """The records of a journal, without a last one that was cut off; none of a file that is no journal."""
    try:
        lines = path.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]
    except ValueError:
        return []


def _source(path):
    return {"path": str(path.resolve()), "changed_ns": path.stat().st_mtime_ns if path.exists() else None}


def _output_files(folder, name):
    return folder / f"{name}_labels.tif", folder / f"{name}_overlay.png"


def _output_names(paths):
    """{path: stem of its outputs}; images of one stem get their suffix, then a number, added."""
    names, taken = {}, set()
    shared = Counter(path.stem for path in paths)
    for path in paths:
        name = path.stem if shared[path.stem] == 1 else f"{path.stem}_{path.suffix.lstrip('.').lower()}"
        number, base = 2, name
        while name in taken:
            name, number = f"{base}_{number}", number + 1
        taken.add(name)
        names[path] = name
    return names


def _refuse_existing(output, names, journal):
    if journal.found:
        raise OutputExistsError(
            f"{output} holds an unfinished run of other images or settings. "
            "Give another folder with -o, or --overwrite."
        )
    files = [output / "objects.csv", output / "run.json"]
    files += [file for name in names.values() for file in _output_files(output, name)]
    existing = [file for file in files if file.exists()]
    if existing:
        raise OutputExistsError(
            f"{existing[0]} exists ({len(existing)} such files). Give another folder with -o, or --overwrite."
        )


def _write(output, name, image, found):
    labels_file, overlay_file = _output_files(output, name)
    with replace_when_whole(labels_file) as partial:
        tifffile.imwrite(partial, found.labels, compression="zlib", metadata={"axes": "YX"})
    with replace_when_whole(overlay_file) as partial:
        partial.write_bytes(png_bytes(draw_overlay(image, found.labels)))


def _table(paths, names, rows):
    """objects.csv: an image is told by its file name, or by its path where two have the same name."""
    shared = Counter(path.name for path in paths)
    records = [
        {"image": path.name if shared[path.name] == 1 else str(path), **record}
        for path in paths
        for record in rows.get(names[path], ())
    ]
    return pd.DataFrame(records, columns=COLUMNS)


def _facts(settings, result):
    import somaseg

    return {
        **settings["run"],
        "settings": settings["settings"],
        "images_scale": settings["images"],
        "magnifications": result.magnifications,
        "versions": {
            "somaseg": somaseg.__version__,
            "keras": importlib.metadata.version("keras"),
            "python": platform.python_version(),
        },
        "images": len(result.done),
        "failed": result.failed,
        "warnings": result.warnings,
        "objects": result.object_count,
        "seconds": round(result.seconds, 3),
        "network_seconds": round(result.network_seconds, 3),
    }
