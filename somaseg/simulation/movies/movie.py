"""Simulated movies of migrating interneurons with known truth: outlines, tracks, saltations and drift.

The motion of the cells is simulated first, on a clock of its own; then each frame is made as a microscope makes it: the
cells are drawn at their depth, the tissue shines around them, the sample drifts and bleaches, and the camera adds its
noise. The truth is the somas that a person could see. It is a simulation, and is to be named so wherever it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from somaseg.simulation.motion import Motion, simulate_motion
from somaseg.simulation.movies.camera import black_frame, frame_dtype, record_frame
from somaseg.simulation.movies.cells import cell_in_frame, draw_cell_looks, is_near_view
from somaseg.simulation.movies.parameters import MovieParameters
from somaseg.simulation.movies.random_streams import RandomStreams
from somaseg.simulation.movies.time_effects import draw_drift_px, draw_faulty_frames, glowing_share
from somaseg.simulation.movies.tissue import Tissue
from somaseg.simulation.pictures.drawing import draw_cell
from somaseg.simulation.pictures.optics import add_glow, vignette
from somaseg.simulation.pictures.visibility import visible_outlines


@dataclass(frozen=True, eq=False)
class SimulatedMovie:
    """A simulated movie and what is true of it.

    Attributes:
        frames: uint8 or, above 8 bits, uint16 (T, Y, X).
        labels: uint16, or uint32 above 65,535 cells, (T, Y, X): the visible part of each visible soma, one 4-connected
            piece, with the track id as value; 0 is background. They fit the frames: those of a black frame are empty,
            those of a repeated frame are those of the frame before.
        motion: `Motion` of all N cells, seen or not, at the true time of each frame.
        drift_px: float (T, 2), where the tissue lies in each frame, (y, x), relative to frame 0. A repeated frame shows
            the tissue where it was in the frame before, and so does its row.
        visible: bool (N, T), whether the cell has a label in the frame.
        missing_frames, blurred_frames: frame numbers.
        parameters, seed: what it was made from.
    """

    frames: np.ndarray
    labels: np.ndarray
    motion: Motion
    drift_px: np.ndarray
    visible: np.ndarray
    missing_frames: tuple[int, ...]
    blurred_frames: tuple[int, ...]
    parameters: MovieParameters
    seed: int


def simulate_movie(
    parameters: MovieParameters = MovieParameters(),
    *,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> SimulatedMovie:
    """Make a simulated movie; the same parameters and seed give the same movie.

    Each element, and each cell within it, has its own stream of random numbers, so that switching one off leaves the
    others where they were.

    Args:
        parameters: `MovieParameters`, for example one of `somaseg.simulation.movie_presets.PRESETS`.
        seed: whole number from 0 on.
        progress: called with (frames done, frames in all) after each frame.

    >>> small = MovieParameters(height_px=64, width_px=96, duration_h=0.5)
    >>> movie = simulate_movie(small, seed=0)
    >>> movie.frames.shape, str(movie.frames.dtype), str(movie.labels.dtype)
    ((2, 64, 96), 'uint16', 'uint16')
    """
    p, streams = parameters, RandomStreams(seed)
    motion = simulate_motion(p.motion, times_min=p.times_min, field_um=p.field_um, seed=streams.seed)
    drift_px = draw_drift_px(p, streams)
    missing, blurred = draw_faulty_frames(p, streams)
    scene = _Scene(p, motion, streams)

    shape = (p.frame_count, p.height_px, p.width_px)
    frames = np.zeros(shape, frame_dtype(p))
    labels = np.zeros(shape, np.uint16 if np.max(motion.track_ids, initial=0) < 2**16 else np.uint32)
    for frame in range(p.frame_count):
        if frame in missing and p.missing_frame_kind == "repeated":
            frames[frame], labels[frame], drift_px[frame] = frames[frame - 1], labels[frame - 1], drift_px[frame - 1]
        elif frame in missing:
            frames[frame] = black_frame(p)
        else:
            blur_um = p.blurred_frame_sigma_um if frame in blurred else 0.0
            light = scene.light(frame, drift_px[frame], blur_um, labels[frame])
            frames[frame] = record_frame(light, p, streams("noise", frame))
        if progress is not None:
            progress(frame + 1, p.frame_count)
    visible = _visible(labels, motion.track_ids)
    faults = tuple(sorted(missing)), tuple(sorted(blurred))
    return SimulatedMovie(frames, labels, motion, drift_px, visible, *faults, p, streams.seed)


class _Scene:
    """What stays the same over the frames: the looks of the cells, the tissue, the optics."""

    def __init__(self, parameters, motion, streams):
        self._p, self._still, self._motion, self._streams = parameters, parameters.as_still(), motion, streams
        self._looks = [draw_cell_looks(int(track_id), parameters, streams) for track_id in motion.track_ids]
        self._tissue = Tissue(parameters, streams)
        self._vignette = vignette(self._still)
        self._glowing = glowing_share(parameters)

    def light(self, frame, drift_px, blur_um, labels):
        """Light of one frame, (H, W) float32 in typical soma peaks; the visible somas are painted into `labels`."""
        p, glowing = self._p, float(self._glowing[frame])
        tissue = self._tissue.light(drift_px) * np.float32(glowing)
        if blur_um:
            tissue = cv2.GaussianBlur(tissue, (0, 0), blur_um / p.um_per_px, borderType=cv2.BORDER_REFLECT)
        light = tissue  # the cells are added to it in place
        cells, patches, track_ids = [], [], []
        for index, track_id in enumerate(self._motion.track_ids):
            where = self._looks[index], self._motion, index, frame, p
            if not is_near_view(*where, drift_px):
                continue
            cell = cell_in_frame(*where, drift_px=drift_px, bleached=glowing, frame_blur_um=blur_um)
            patch = draw_cell(cell, self._still, self._streams("grain", track_id))
            if patch is not None:
                patch.add_to(light)
                cells.append(cell)
                patches.append(patch)
                track_ids.append(track_id)
        signal = add_glow(light, self._still)
        for index, (y, x) in visible_outlines(cells, patches, signal, self._still).items():
            labels[y, x] = track_ids[index]
        return signal * self._vignette


def _visible(labels, track_ids):
    """Whether each cell has a label in each frame, bool (N, T)."""
    seen = [np.unique(frame) for frame in labels]
    return np.array([np.isin(track_ids, ids) for ids in seen], bool).reshape(len(seen), len(track_ids)).T.copy()
