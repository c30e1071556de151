"""Tracks from label images that are there already, of any segmenter; the second half of the main job."""

import contextlib
from dataclasses import asdict
from types import SimpleNamespace

from somaseg.folders import refuse_existing
from somaseg.following import follow, is_simulated, movie_fingerprint
from somaseg.migration.measures import MigrationParameters
from somaseg.movies.reader import open_movie
from somaseg.tracking.label_frames import open_label_frames
from somaseg.tracking.linking_parameters import LinkingParameters
from somaseg.tracking.results import RESULT_FILES


def track(
    labels,
    output,
    *,
    images=None,
    linker="somaseg",
    linking=LinkingParameters(),
    correct_drift=None,
    migration=MigrationParameters(),
    overwrite=False,
    run=None,
    progress=None,
    channel=None,
    z=None,
    um_per_px=None,
    minutes_per_frame=None,
    pixels=False,
    allow_truncated=False,
):
    """Track label images into a result folder, the same as `somaseg.analyze.analyze` writes.

    Args:
        labels: path, anything that `somaseg.tracking.label_frames.open_label_frames` opens. Labels need not be the same
            from frame to frame; where they are, `linker` "labels" keeps them as track ids.
        output: folder of the result.
        images: path of the movie that the labels are of, or None. Without it mean_intensity is empty, drift is not
            measured, and the overlay is drawn on black.
        linker, linking, migration, overwrite, progress: as of `analyze`.
        correct_drift: bool; None: when there are images.
        run: dict of facts for run.json.
        channel, z: which plane of the images, as of `somaseg.movies.reader.open_movie`.
        um_per_px, minutes_per_frame, pixels, allow_truncated: as of `open_movie`. Without them units are those of the
            images, or of the labels where there are none.

    Returns:
        `somaseg.following.Analysis`.

    Raises:
        FileExistsError: `output` holds a result and `overwrite` is False.
        ValueError: labels and images differ in frames or size, or drift is to be corrected without images; and, like
            FileNotFoundError and ImportError, as `open_movie`, `open_label_frames` and `link_with` say.
    """
    refuse_existing(output, RESULT_FILES, overwrite=overwrite)
    correct_drift = images is not None if correct_drift is None else correct_drift
    if images is None and (correct_drift or channel is not None or z is not None):
        what = "Drift is measured in images" if correct_drift else "A channel or depth is one of the images"
        raise ValueError(f"{what}, and there are only labels. Give the movie with --images.")
    units = {"um_per_px": um_per_px, "minutes_per_frame": minutes_per_frame, "pixels": pixels}
    with contextlib.ExitStack() as opened:
        movie = None
        if images is not None:
            movie = opened.enter_context(
                open_movie(images, channel=channel, z=z, **units, allow_truncated=allow_truncated)
            )
            if not pixels:
                units = asdict(movie.calibration)
        frames = opened.enter_context(open_label_frames(labels, **units, allow_truncated=allow_truncated))
        if movie is not None:
            _check_sizes(frames.movie, movie)
            movie.warnings.extend(warning for warning in frames.movie.warnings if warning not in movie.warnings)
        simulated = any(is_simulated(one.path) for one in (frames.movie, movie) if one is not None)
        facts = {
            "labels": str(frames.movie.path),
            "labels_description": frames.movie.description,
            "movie": None if movie is None else str(movie.path),
            "simulated": simulated,
        }
        return follow(
            frames.movie if movie is None else movie,
            lambda t, frame, go_on: SimpleNamespace(labels=frames.labels(t), probability=None, network_seconds=0.0),
            output,
            settings={"labels": movie_fingerprint(frames.movie), "run": run or {}},
            linker=linker,
            linking=linking,
            correct_drift=correct_drift,
            migration=migration,
            overwrite=overwrite,
            run={**(run or {}), **facts},
            progress=progress,
            pictures=movie is not None,
        )


def _check_sizes(labels, movie):
    sizes = [(one.frame_count, one.height_px, one.width_px) for one in (labels, movie)]
    if sizes[0] != sizes[1]:
        words = ["{} frames of {} x {} pixels".format(*size) for size in sizes]
        raise ValueError(
            f"{labels.path} has {words[0]}, {movie.path} {words[1]}: they must be of the same movie, frame by frame."
        )
