"""Label images of single frames, wherever they come from, become a result folder: what analysing and tracking share.

Frames stream through once: labelled, measured, and compared with the tissue's reference; then the somas are linked, and
the result folder is written whole.
"""

import importlib.util
import json
import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from somaseg.migration.measures import MigrationParameters, measure_migration
from somaseg.movies.drift import Drift, DriftEstimator
from somaseg.movies.frame_folder import SUFFIXES
from somaseg.movies.overlay_movie import write_overlay_movie
from somaseg.report.movie_report import write_report
from somaseg.report.plotting import Plotting
from somaseg.segmentation.frame_store import FrameStore
from somaseg.tracking.formats.geff import write_geff
from somaseg.tracking.formats.imagej import write_rois
from somaseg.tracking.formats.trackmate import write_trackmate
from somaseg.tracking.link_tracks import without_brief_tracks
from somaseg.tracking.linkers import find_linker, link_with
from somaseg.tracking.results import TRACK_COLUMNS, Result, write_result
from somaseg.tracking.somas import find_somas, relabel, shared_areas

_FRAMES_WAITING = 1  # labelled and not yet measured; each is held in memory
_HEARS_AFTER_S = 0.5
_ZARR_METADATA = (".zattrs", ".zgroup", "zarr.json")


@dataclass(frozen=True)
class Analysis:
    """What became of a movie.

    Attributes:
        frames, somas, tracks: int, how many.
        warnings: list of str, all that the result folder's summary.json holds too.
        seconds, network_seconds: of this analysis; frames that an earlier, interrupted run segmented count as they
            took then.
    """

    frames: int
    somas: int
    tracks: int
    warnings: list
    seconds: float
    network_seconds: float


def follow(
    movie,
    label,
    output,
    *,
    settings,
    linker,
    linking,
    correct_drift,
    overwrite,
    run,
    migration=MigrationParameters(),
    progress=None,
    pictures=True,
    labelled_at_once=1,
    least_area_px=0,
):
    """Label every frame of a movie, link the somas, measure their migration, and write the result folder.

    Frames that are labelled are kept in a hidden folder beside `output` (in it, where its parent takes no files) until
    the result is whole, so that the same call goes on where it was interrupted.

    Args:
        movie: `somaseg.movies.reader.Movie`.
        label: function from (number of the frame, picture or None, a function to call now and then, which raises when
            the rest is no longer wanted) to an object with labels (Y, X), probability (Y, X) or None, and
            network_seconds.
        output: folder of the result.
        settings: dict, JSON: what the labels depend on besides the movie; frames of other settings are not taken over.
        linker: see `somaseg.tracking.linkers.link_with`. linking: `LinkingParameters`.
        correct_drift: bool, take the drift of the tissue off the positions in um.
        overwrite: bool, replace a result that is there.
        run: dict of facts for run.json.
        migration: `MigrationParameters`; in pixel units nothing of migration is measured.
        progress: None, or a function called with (stage, done, total): "segment", "link", the stages of
            `measure_migration`, or "write".
        pictures: bool; False when the movie's frames are no pictures but labels: nothing is measured in them or drawn.
        labelled_at_once: int, how many frames `label` is called for at the same time, each in a thread.
        least_area_px: int, a smaller soma is one that the image's edge cuts (`edge_area_share` of the segmenter): its
            position is not measured.

    Returns:
        `Analysis`.

    Raises:
        BlockingIOError: another run is writing to `output`.
    """
    start = time.perf_counter()
    progress = progress or (lambda stage, done, total: None)
    output = Path(output)
    find_linker(linker)  # before hours of work
    key = {"movie": movie_fingerprint(movie, output), **settings}
    with FrameStore(output, key) as store, Plotting(store.folder) as plotting:
        image = movie.frame if pictures else lambda t: None
        somas, drift, network_seconds = _label(movie, image, label, labelled_at_once, store, correct_drift, progress)
        if movie.calibration_source["um_per_px"] != "pixels":
            plotting.start()
        if store.emptied:
            movie.warnings.append("An unfinished analysis with other settings was thrown away.")
        somas = _to_tissue(somas, drift, movie.calibration)
        progress("link", 0, 1)
        found = link_with(
            linker,
            somas,
            parameters=linking,
            overlaps=_overlaps(store, drift, movie.frame_count),
            calibration=movie.calibration,
            stack=_Stack(store.labels, image, movie.frame_count, movie.calibration.um_per_px),
        )
        least = min(linking.least_frames, movie.frame_count)
        somas, found = without_brief_tracks(somas, found, least_frames=least)
        progress("link", 1, 1)
        somas["partial"] = (somas["area_px"] < least_area_px).astype(np.uint8)
        result = _result(movie, store, somas, found, drift)
        if run.get("simulated"):
            result.summary["simulated"] = True
        measured = _measure(result, movie, migration, progress, plotting)
        facts = {
            "movie_description": movie.description,
            "units_from": movie.calibration_source,
            "linker": linker if isinstance(linker, str) else linker.__name__,
            "linking": asdict(linking),
            "drift_corrected": bool(correct_drift),
            "migration": asdict(migration),
            **run,
            "time": {"seconds_until_writing": time.perf_counter() - start, "network_seconds": network_seconds},
        }

        def write_more(partial):
            _write_for_other_programs(partial, result, movie, image, run.get("simulated"), progress)
            if measured is not None:
                progress("report", 0, 1)
                plotting.finish(partial / "plots")
                pictures = {"overlay": partial / "overlay.mp4", "plots": partial / "plots"}
                write_report(partial / "report.html", result, measured, run=facts, **pictures)
                progress("report", 1, 1)

        write_result(output, result, run=facts, overwrite=overwrite, write_more=write_more)
        store.remove()
        return Analysis(
            frames=movie.frame_count,
            somas=len(result.tracks),
            tracks=int(result.tracks["track_id"].nunique()),
            warnings=result.summary["warnings"],
            seconds=time.perf_counter() - start,
            network_seconds=network_seconds,
        )


def movie_fingerprint(movie, output=None):
    """What tells this movie from another, and this choice of its planes: dict, JSON. No file in `output` counts."""
    root = movie.path.resolve()
    stats = [(str(file.relative_to(root)), file.stat()) for file in _movie_files(root, output)]
    files = [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
    return {"path": str(movie.path.absolute()), "files": files, "description": movie.description}


def _movie_files(root, output):
    if root.is_file():
        return [root]
    if root.suffix.lower() != ".zarr" and not any((root / name).exists() for name in _ZARR_METADATA):
        return [file for file in sorted(root.iterdir()) if file.suffix.lower() in SUFFIXES and _is_part(file, root)]
    files = [file for file in sorted(root.rglob("*")) if _is_part(file, root)]
    aside = root if output is None else Path(output).resolve()
    return [file for file in files if not file.is_relative_to(aside)] if root in aside.parents else files


def _is_part(file, folder):
    """Whether it is a file of a movie in this folder: nothing hidden but the metadata of an OME-Zarr."""
    names = file.relative_to(folder).parts
    return file.is_file() and not any(name.startswith(".") and not name.startswith(".z") for name in names)


def is_simulated(path):
    """Whether the movie lies in a folder whose run.json says that it is simulated."""
    try:
        return bool(json.loads((Path(path).parent / "run.json").read_text()).get("simulated"))
    except (OSError, ValueError, AttributeError):
        return False


@dataclass(frozen=True)
class _Stack:
    """See `somaseg.tracking.linkers.LabelledStack`."""

    labels: object
    image: object
    frame_count: int
    um_per_px: float


def _label(movie, image, label, at_once, store, correct_drift, progress):
    """(somas of all frames, drift, seconds in the network); frames that the store has are not labelled again.

    A frame is measured, stored and compared with the tissue in a thread, while the next ones are labelled in others.
    """
    tables, seconds = [], []
    estimator, ended = DriftEstimator(), Future()

    def go_on(*_):
        if ended.done():
            raise CancelledError

    def take(t, frame, labelling):
        if labelling is None:
            labels, found, network_seconds = store.load(t)
        else:
            wait([labelling, ended], return_when=FIRST_COMPLETED)
            labelled = labelling.result(0)  # after an error one may still be in the network: it is not waited for
            labels, network_seconds = labelled.labels, labelled.network_seconds
            found = find_somas(labels, frame, labelled.probability, frame=t)
            store.save(t, labels, found, network_seconds)
        tables.append(found)
        seconds.append(network_seconds)
        if correct_drift:
            estimator.add(frame, labels)

    count, waiting, ahead = movie.frame_count, deque(), at_once + _FRAMES_WAITING
    progress("segment", 0, count)
    labelling, taking = ThreadPoolExecutor(at_once), ThreadPoolExecutor(1)  # one, so that frames are taken in order
    try:
        for t in range(count + ahead):
            if t < count:
                frame = image(t) if correct_drift or t not in store else None
                labelled = None if t in store else labelling.submit(label, t, frame, go_on)
                waiting.append(taking.submit(take, t, frame, labelled))
            if t >= ahead:
                _outcome(waiting.popleft())
                progress("segment", t + 1 - ahead, count)
    finally:
        ended.set_result(None)
        labelling.shutdown(wait=False, cancel_futures=True)
        taking.shutdown()  # what is labelled is stored
    still = Drift(np.zeros((movie.frame_count, 2)), (), np.zeros(movie.frame_count, bool), [])
    return pd.concat(tables, ignore_index=True), estimator.finish() if correct_drift else still, sum(seconds)


def _outcome(future):
    """What `future` gives, waited for a little at a time: a wait without an end may never hear of Ctrl+C, on Windows
    and where the system tells another thread of it."""
    while not wait([future], timeout=_HEARS_AFTER_S).done:
        pass
    return future.result()


def _to_tissue(somas, drift, calibration):
    """The somas with y_um, x_um (tissue coordinates) and area_um2."""
    of_soma = drift.drift_px[somas["frame"].to_numpy(np.int64)]
    return somas.assign(
        y_um=(somas["y_px"] - of_soma[:, 0]) * calibration.um_per_px,
        x_um=(somas["x_px"] - of_soma[:, 1]) * calibration.um_per_px,
        area_um2=somas["area_px"] * calibration.um_per_px**2,
    )


def _overlaps(store, drift, frame_count):
    """Which somas lie on which of the next frame, drift taken off to the pixel."""
    tables, before = [], store.labels(0)
    for t in range(frame_count - 1):
        shift = np.rint(drift.drift_px[t + 1] - drift.drift_px[t]).astype(int)
        after = store.labels(t + 1)
        tables.append(shared_areas(before, _shifted_back(after, shift), frame=t))
        before = after
    return pd.concat(tables, ignore_index=True) if tables else None


def _shifted_back(labels, shift):
    """labels moved by -shift (dy, dx) pixels; what comes in from outside is background."""
    moved = np.zeros_like(labels)
    (ty, sy), (tx, sx) = (_spans(step, size) for step, size in zip(shift, labels.shape))
    moved[ty, tx] = labels[sy, sx]
    return moved


def _spans(step, size):
    return slice(max(0, -step), max(0, size - max(0, step))), slice(max(0, step), max(0, size + min(0, step)))


def _result(movie, store, somas, found, drift):
    """The result, its labels in a file of the store."""
    most = int(found.track_ids.max(initial=0))
    shape = (movie.frame_count, movie.height_px, movie.width_px)
    labels = store.scratch("labels.npy", shape, np.uint16 if most < 2**16 else np.uint32)
    frames, names = somas["frame"].to_numpy(), somas["label"].to_numpy()
    order = np.argsort(frames, kind="stable")
    bounds = np.searchsorted(frames[order], np.arange(movie.frame_count + 1))
    for t in range(movie.frame_count):
        rows = order[bounds[t] : bounds[t + 1]]
        track_of = dict(zip(names[rows].tolist(), found.track_ids[rows].tolist()))
        labels[t] = relabel(store.labels(t), track_of, drop_others=True)
    confidence = np.full(len(somas), np.nan)
    confidence[found.links["next_row"].to_numpy(np.int64)] = found.links["confidence"]
    tracks = somas.assign(
        track_id=found.track_ids,
        time_min=somas["frame"] * movie.calibration.minutes_per_frame,
        link_confidence=confidence,
    )
    columns = [*TRACK_COLUMNS, "link_confidence", "partial"]
    tracks = tracks[columns].sort_values(["track_id", "frame"], ignore_index=True)
    dy, dx = drift.drift_px.T
    summary = {
        **found.quality,
        "drift_largest_um": float(np.hypot(dy, dx).max()) * movie.calibration.um_per_px,
        "drift_jump_frames": [int(frame) for frame in drift.jumps],
        "warnings": [*movie.warnings, *drift.warnings, *found.warnings],
    }
    table = pd.DataFrame({"frame": np.arange(len(dy)), "dy_px": dy, "dx_px": dx})
    return Result(movie.calibration, labels, tracks=tracks, drift=table, summary=summary)


def _measure(result, movie, parameters, progress, plotting):
    """Add what is measured of migration to the result, begin to plot it, and return it; None in pixel units."""
    if movie.calibration_source["um_per_px"] == "pixels":
        result.summary["warnings"].append("Migration is not measured in pixels and frames: give units.")
        return None
    um_per_px = movie.calibration.um_per_px
    measured = measure_migration(
        result.tracks,
        movie.calibration,
        parameters=parameters,
        frames=movie.frame_count,
        field_um=(movie.height_px * um_per_px, movie.width_px * um_per_px),
        progress=progress,
        as_seen=lambda seen: plotting.draw(seen, result),
    )
    warnings = [*result.summary.pop("warnings"), *measured.summary["warnings"]]
    result.cells, result.saltations = measured.cells, measured.saltations
    result.summary = {**measured.summary, **result.summary, "warnings": warnings}
    return measured


def _write_for_other_programs(folder, result, movie, image, simulated, progress):
    pixels = movie.calibration_source["um_per_px"] == "pixels"
    write_trackmate(folder / "trackmate.xml", result, pixels=pixels)
    write_rois(folder / "rois.zip", result.labels)
    if importlib.util.find_spec("geff"):  # the extra `geff`
        write_geff(folder / "tracks.geff", result, pixels=pixels)
    black = np.zeros((movie.height_px, movie.width_px), np.uint8)
    frames = (image(t) for t in range(movie.frame_count))
    write_overlay_movie(
        folder / "overlay.mp4",
        (black if frame is None else frame for frame in frames),
        result.labels,
        result.tracks,
        movie.calibration,
        title="SIMULATED" if simulated else None,
        pixels=pixels,
        progress=lambda done: progress("write", done, movie.frame_count),
    )
