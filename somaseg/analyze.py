"""The main job: a movie in; soma outlines, tracks, migration statistics and a report out.

One function under Python and the command line. `somaseg.track` does the same with label images that are there already.
"""

import contextlib

from somaseg.folders import refuse_existing
from somaseg.following import Analysis, follow, is_simulated
from somaseg.migration.measures import MigrationParameters
from somaseg.movies.reader import Movie, open_movie
from somaseg.tracking.linking_parameters import LinkingParameters
from somaseg.tracking.results import RESULT_FILES

__all__ = ["Analysis", "analyze"]

_LARGE_FRAME_PX = 2**22


def analyze(
    path,
    output,
    segmenter,
    *,
    linker="somaseg",
    linking=LinkingParameters(least_frames=2),
    correct_drift=True,
    migration=MigrationParameters(),
    overwrite=False,
    run=None,
    progress=None,
    **reading,
):
    """Segment a movie, track its somas and measure their migration, into a folder.

    What the folder holds stands in `somaseg.tracking.results`.

    An interrupted analysis goes on where it stopped when the same is asked for again: segmented frames are kept in a
    hidden folder beside `output` until the result is whole.

    Args:
        path: the movie, anything that `somaseg.movies.reader.open_movie` opens; or a `Movie`, which stays open.
        output: folder of the result.
        segmenter: `somaseg.Segmenter`; it is called from two threads.
        linker: name or function, see `somaseg.tracking.linkers.link_with`.
        linking: `LinkingParameters`.
        correct_drift: bool, take the drift of the tissue off the positions in um.
        migration: `somaseg.migration.measures.MigrationParameters`.
        overwrite: bool, replace a result that is there.
        run: dict of facts for run.json, such as the preset and its hash.
        progress: None, or a function called with (stage, done, total), see
            `somaseg.following.follow`.
        **reading: keyword arguments of `open_movie`: channel, z, um_per_px, minutes_per_frame, pixels, allow_truncated;
            none with a `Movie`.

    Returns:
        `Analysis`.

    Raises:
        FileExistsError: `output` holds a result and `overwrite` is False.
        TypeError: `reading` beside a `Movie`.
        ValueError, FileNotFoundError, ImportError: as `open_movie` and `link_with` say.
    """
    if isinstance(path, Movie) and reading:
        raise TypeError(f"A movie that is open is read as it was opened, got {sorted(reading)} besides.")
    refuse_existing(output, RESULT_FILES, overwrite=overwrite)
    opened = contextlib.nullcontext(path) if isinstance(path, Movie) else open_movie(path, **reading)
    with opened as movie:
        in_pixels = movie.calibration_source["um_per_px"] == "pixels"
        um_per_px = None if in_pixels else movie.calibration.um_per_px
        scale = _scale(segmenter, movie, um_per_px)
        settings = {"segmenter": segmenter.settings(), "run": run or {}, **scale}
        facts = {"movie": str(movie.path), "segmenter": segmenter.settings(), "simulated": is_simulated(movie.path)}
        facts["frames_scale"] = scale
        return follow(
            movie,
            lambda t, frame, go_on: segmenter(frame, progress=go_on, **scale),
            output,
            settings=settings,
            linker=linker,
            linking=linking,
            correct_drift=correct_drift,
            migration=migration,
            overwrite=overwrite,
            run={**(run or {}), **facts},
            progress=progress,
            # One in the network, one before or after it, which takes half as much memory again.
            labelled_at_once=2 if movie.height_px * movie.width_px <= _LARGE_FRAME_PX else 1,
            least_area_px=_least_area_px(segmenter, scale),
        )


def _least_area_px(segmenter, scale):
    """Of a soma that the edge does not cut; 0 where the segmenter makes no difference."""
    settings = segmenter.settings()
    if settings.get("edge_area_share", 1.0) == 1.0:
        return 0
    return round(settings["minimum_area_px"] / segmenter.magnification(**scale) ** 2)


def _scale(segmenter, movie, um_per_px):
    """The scale of all frames: the size of their pixels, or where a preset goes by diameter, that in the first."""
    settings = segmenter.settings()
    known = um_per_px is not None and settings.get("um_per_px") is not None
    if known or not settings.get("estimates_diameter"):
        return {"um_per_px": um_per_px}
    return {"diameter_px": segmenter.estimate_diameter(movie.frame(0)) or settings["diameter_px"]}
