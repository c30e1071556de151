"""The main job: a movie in; soma outlines, tracks, and the files that other programs open out.

One function under Python and the command line. Frames stream through once: segmented, measured, and compared with the
tissue's reference; then the somas are linked, and the result folder is written whole.
"""

import importlib.util
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from somaseg.movies.drift import Drift, DriftEstimator
from somaseg.movies.overlay_movie import write_overlay_movie
from somaseg.movies.reader import open_movie
from somaseg.segmentation.frame_store import FrameStore
from somaseg.tracking.folders import refuse_existing
from somaseg.tracking.formats.geff import write_geff
from somaseg.tracking.formats.imagej import write_rois
from somaseg.tracking.formats.trackmate import write_trackmate
from somaseg.tracking.linking import LinkingParameters, find_somas, link_somas, relabel, shared_areas
from somaseg.tracking.results import RESULT_FILES, TRACK_COLUMNS, Result, write_result


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


def analyze(
    path,
    output,
    segmenter,
    *,
    linking=LinkingParameters(),
    correct_drift=True,
    overwrite=False,
    run=None,
    progress=None,
    **reading,
):
    """Segment and track a movie into a result folder; the contract stands in `somaseg.tracking.results`.

    An interrupted analysis goes on where it stopped when the same is asked for again: segmented frames are kept in a
    hidden folder beside `output` until the result is whole.

    Args:
        path: the movie, anything that `somaseg.movies.reader.open_movie` opens.
        output: folder of the result.
        segmenter: `somaseg.Segmenter`.
        linking: `LinkingParameters`.
        correct_drift: bool, take the drift of the tissue off the positions in um.
        overwrite: bool, replace a result that is there.
        run: dict of facts for run.json, such as the preset and its hash.
        progress: None, or a function called with (stage, done, total): "segment", "link" or "write".
        **reading: keyword arguments of `open_movie`: channel, z, um_per_px, minutes_per_frame, pixels, allow_truncated.

    Returns:
        `Analysis`.

    Raises:
        FileExistsError: `output` holds a result and `overwrite` is False.
        ValueError, FileNotFoundError, ImportError: as `open_movie` says.
    """
    start = time.perf_counter()
    progress = progress or (lambda stage, done, total: None)
    output = Path(output)
    if not overwrite:
        refuse_existing(output, RESULT_FILES)
    with open_movie(path, **reading) as movie:
        key = {"movie": _fingerprint(movie), "segmenter": segmenter.settings(), "run": run or {}}
        store = FrameStore(output.absolute().with_name(f".{output.absolute().name}.unfinished"), key)
        somas, drift, network_seconds = _segment(movie, segmenter, store, correct_drift, progress)
        if store.emptied:
            movie.warnings.append("An unfinished analysis with other settings was thrown away.")
        somas = _to_tissue(somas, drift, movie.calibration)
        progress("link", 0, 1)
        overlaps = _overlaps(store, drift, movie.frame_count)
        found = link_somas(somas, parameters=linking, overlaps=overlaps, calibration=movie.calibration)
        progress("link", 1, 1)
        result = _result(movie, store, somas, found, drift)
        simulated = _is_simulated(movie.path)
        if simulated:
            result.summary["simulated"] = True
        pixels = movie.calibration_source["um_per_px"] == "pixels"
        facts = {
            **(run or {}),
            "movie": str(movie.path),
            "movie_description": movie.description,
            "units_from": movie.calibration_source,
            "segmenter": segmenter.settings(),
            "linking": asdict(linking),
            "drift_corrected": bool(correct_drift),
            "simulated": simulated,
        }

        def write_more(partial):
            facts_of_time = {"seconds": round(time.perf_counter() - start, 2), "network_seconds": network_seconds}
            text = json.loads((partial / "run.json").read_text())
            (partial / "run.json").write_text(json.dumps({**text, "time": facts_of_time}, indent=2))
            write_trackmate(partial / "trackmate.xml", result, pixels=pixels)
            write_rois(partial / "rois.zip", result.labels)
            if importlib.util.find_spec("geff"):  # the extra `geff`
                write_geff(partial / "tracks.geff", result, pixels=pixels)
            write_overlay_movie(
                partial / "overlay.mp4",
                movie.frames(),
                result.labels,
                result.tracks,
                movie.calibration,
                title="SIMULATED" if simulated else None,
                pixels=pixels,
                progress=lambda done: progress("write", done, movie.frame_count),
            )

        write_result(output, result, run=facts, overwrite=overwrite, write_more=write_more)
        store.remove()
    return Analysis(
        frames=len(result.labels),
        somas=len(result.tracks),
        tracks=int(result.tracks["track_id"].nunique()),
        warnings=result.summary["warnings"],
        seconds=time.perf_counter() - start,
        network_seconds=network_seconds,
    )


def _fingerprint(movie):
    """What tells this movie from another, and this choice of its planes."""
    files = [movie.path] if movie.path.is_file() else sorted(p for p in movie.path.rglob("*") if p.is_file())
    stats = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return {"path": str(movie.path.absolute()), "files": stats, "description": movie.description}


def _segment(movie, segmenter, store, correct_drift, progress):
    """(somas of all frames, drift, seconds in the network); frames that the store has are not segmented again."""
    tables, network_seconds = [], 0.0
    estimator = DriftEstimator()
    progress("segment", 0, movie.frame_count)
    for t, frame in enumerate(movie.frames()):
        if t not in store:
            segmented = segmenter(frame)
            found = find_somas(segmented.labels, frame, segmented.probability, frame=t)
            store.save(t, segmented.labels, found, segmented.network_seconds)
        labels, found, seconds = store.load(t)
        tables.append(found)
        network_seconds += seconds
        if correct_drift:
            estimator.add(frame, labels)
        progress("segment", t + 1, movie.frame_count)
    still = Drift(np.zeros((movie.frame_count, 2)), (), np.zeros(movie.frame_count, bool), [])
    return pd.concat(tables, ignore_index=True), estimator.finish() if correct_drift else still, network_seconds


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
    tables = []
    for t in range(frame_count - 1):
        shift = np.rint(drift.drift_px[t + 1] - drift.drift_px[t]).astype(int)
        tables.append(shared_areas(store.labels(t), _shifted_back(store.labels(t + 1), shift), frame=t))
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
        labels[t] = relabel(store.labels(t), dict(zip(names[rows].tolist(), found.track_ids[rows].tolist())))
    confidence = np.full(len(somas), np.nan)
    confidence[found.links["next_row"].to_numpy(np.int64)] = found.links["confidence"]
    tracks = somas.assign(
        track_id=found.track_ids,
        time_min=somas["frame"] * movie.calibration.minutes_per_frame,
        link_confidence=confidence,
    )
    tracks = tracks[[*TRACK_COLUMNS, "link_confidence"]].sort_values(["track_id", "frame"], ignore_index=True)
    dy, dx = drift.drift_px.T
    summary = {
        **found.quality,
        "drift_largest_um": float(np.hypot(dy, dx).max()) * movie.calibration.um_per_px,
        "drift_jump_frames": [int(frame) for frame in drift.jumps],
        "warnings": [*movie.warnings, *drift.warnings, *found.warnings],
    }
    table = pd.DataFrame({"frame": np.arange(len(dy)), "dy_px": dy, "dx_px": dx})
    return Result(movie.calibration, labels, tracks=tracks, drift=table, summary=summary)


def _is_simulated(path):
    """Whether the movie lies in a folder whose run.json says that it is simulated."""
    try:
        return bool(json.loads((Path(path).parent / "run.json").read_text()).get("simulated"))
    except (OSError, ValueError, AttributeError):
        return False
