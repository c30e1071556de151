"""Somas become tracks by the linker of one's choice, told in the same way whichever it is."""

import importlib
from dataclasses import fields
from typing import Protocol

import numpy as np
import pandas as pd

from somaseg.movies.calibration import Calibration
from somaseg.tracking.link_candidates import Detections, reaches_um
from somaseg.tracking.link_tracks import Linking, linking_of_tracks
from somaseg.tracking.linking import LinkingParameters, link_somas

# "labels" takes the labels for track ids; each of the others is a module here with a function `link`.
LINKERS = ("somaseg", "laptrack", "trackpy", "btrack", "trackastra", "hungarian", "labels")
_FOR_ALL = ("max_step_um", "max_gap_frames")


class LabelledStack(Protocol):
    """A movie with its labels, for linkers that look at pictures."""

    frame_count: int
    um_per_px: float

    def labels(self, frame: int) -> np.ndarray:
        """Integer (Y, X), 0 = background."""

    def image(self, frame: int) -> np.ndarray | None:
        """(Y, X) or (Y, X, 3), or None where there is no picture."""


class Linker(Protocol):
    """What an adapter to another linker must be; it is only called with two frames or more that hold somas."""

    def __call__(
        self, somas: pd.DataFrame, *, max_step_um: float, max_gap_frames: int, stack: LabelledStack | None
    ) -> np.ndarray:
        """A track id for each of the N somas.

        Args:
            somas: one row per soma, in any order: frame, label, y_um, x_um (in tissue coordinates), and what else
                `somaseg.tracking.linking.find_somas` measures.
            max_step_um: no step from one frame to the next is longer.
            max_gap_frames: a track goes on after at most so many frames without its soma.
            stack: the labels and pictures, where there are any.

        Returns:
            whole numbers (N,); below 1 or NaN for a soma that is in no track. No track is in one frame twice.
        """


def link_with(
    linker,
    somas: pd.DataFrame,
    *,
    parameters: LinkingParameters = LinkingParameters(),
    overlaps: pd.DataFrame | None = None,
    calibration: Calibration,
    stack: LabelledStack | None = None,
) -> Linking:
    """Link the somas of a movie into tracks, as `somaseg.tracking.linking.link_somas` does, by any linker.

    Args:
        linker: a name of `LINKERS`, or a `Linker`. "labels" keeps the labels as track ids.
        somas, parameters, overlaps, calibration: as of `link_somas`. Other linkers take max_step_um and max_gap_frames
            alone, by default those of ours (four typical soma diameters; 75 min).
        stack: `LabelledStack`; Trackastra needs one, with pictures.

    Returns:
        `Linking`; the confidence of links is NaN of other linkers than ours.

    Raises:
        ValueError: there is no such linker, it is told what only ours knows, or it gave a track twice in one frame.
        ImportError: it is not installed; the message names what to install.

    >>> somas = pd.DataFrame({"frame": [0, 0, 1, 1], "y_um": [5.0, 50, 51, 4], "x_um": [9.0, 9, 9, 9]})
    >>> link_with("hungarian", somas, calibration=Calibration(0.65, 15)).track_ids.tolist()
    [1, 2, 2, 1]
    """
    if linker == "somaseg":
        return link_somas(somas, parameters=parameters, overlaps=overlaps, calibration=calibration)
    link = find_linker(linker)
    foreign = [
        entry.name
        for entry in fields(parameters)
        if entry.name not in _FOR_ALL and getattr(parameters, entry.name) != entry.default
    ]
    if foreign:
        raise ValueError(f"{foreign[0]} is known to the linker somaseg alone; leave it out, or take that linker.")
    if linker == "labels":
        return linking_of_tracks(somas, somas["label"], calibration=calibration, keep_ids=True)
    ids = np.zeros(len(somas), np.int64)
    if somas["frame"].nunique() > 1:
        max_step_um = float(
            reaches_um(Detections.from_table(somas), max_gap_frames=0, max_step_um=parameters.max_step_um)[0]
        )
        max_gap_frames = parameters.gap_frames(calibration.minutes_per_frame)
        ids = link(somas.reset_index(drop=True), max_step_um=max_step_um, max_gap_frames=max_gap_frames, stack=stack)
    return linking_of_tracks(somas, ids, calibration=calibration)


def find_linker(linker):
    """The function of a linker by its name; a function is given back, "somaseg" and "labels" are None.

    Raises:
        ValueError: there is none of this name.
        ImportError: its package is not installed.
    """
    if callable(linker):
        return linker
    if linker not in LINKERS:
        raise ValueError(f"linker must be one of {', '.join(LINKERS)}, got {linker!r}.")
    if linker in ("somaseg", "labels"):
        return None
    return importlib.import_module(f"somaseg.tracking.linkers.{linker}").link
