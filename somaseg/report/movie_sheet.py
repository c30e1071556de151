"""A contact sheet of a movie: some frames side by side with the outlines of their labels, to see what is in it."""

import cv2
import numpy as np

from somaseg.files import replace_when_whole

_GAP_PX = 6
_TITLE_PX = 28
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_PERCENTILES = (1.0, 99.8)


def draw_movie_sheet(frames, labels, times_min, *, title, tiles=6, columns=3, side_px=512):
    """Frames spread evenly over the movie, each with outlines and track ids: uint8 RGB (height, width, 3).

    A track has the same colour in all frames. All frames share one contrast, so that bleaching and faults show.

    Args:
        frames: (T, Y, X) of any integer or float dtype.
        labels: (T, Y, X) integers, 0 = background.
        times_min: (T,) time of each frame in minutes.
        title: str, printed on top.
        tiles: int, number of frames shown, at most T.
        columns: int, frames per row.
        side_px: int, length of the longer side of each frame on the sheet.

    Raises:
        ValueError: the shapes do not fit each other, or a number is below 1.
    """
    frames, labels = np.asarray(frames), np.asarray(labels)
    if frames.ndim != 3 or frames.shape != labels.shape or len(times_min) != len(frames) or 0 in frames.shape:
        raise ValueError(
            f"frames and labels must both be (T, Y, X) with T times, got {frames.shape}, {labels.shape} and "
            f"{len(times_min)} times."
        )
    for name, value in (("tiles", tiles), ("columns", columns), ("side_px", side_px)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}.")
    shown = np.unique(np.linspace(0, len(frames) - 1, min(tiles, len(frames))).round().astype(int))
    low, high = np.percentile(frames[shown], _PERCENTILES)
    pictures = [
        _tile(frames[i], labels[i], (low, max(high, low + 1)), side_px, f"frame {i}, {times_min[i]:g} min")
        for i in shown
    ]
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    height, width = pictures[0].shape[:2]
    sheet = np.full((_TITLE_PX + rows * (height + _GAP_PX), columns * (width + _GAP_PX) - _GAP_PX, 3), 255, np.uint8)
    for number, picture in enumerate(pictures):
        y = _TITLE_PX + (number // columns) * (height + _GAP_PX)
        x = (number % columns) * (width + _GAP_PX)
        sheet[y : y + height, x : x + width] = picture
    cv2.putText(sheet, title, (4, 20), _FONT, 0.55, (0, 0, 0), 1, cv2.LINE_AA)
    return sheet


def save_simulated_movie_sheet(movie, path, *, name="movie", tiles=6, columns=3, side_px=512):
    """Save the contact sheet of a `somaseg.simulation.movies.SimulatedMovie` with its true outlines as PNG.

    The title says SIMULATED, `name` and the seed.
    """
    p = movie.parameters
    title = f"SIMULATED {name}, seed {movie.seed}, {p.um_per_px:g} um/px: true outlines"
    sheet = draw_movie_sheet(
        movie.frames, movie.labels, p.times_min, title=title, tiles=tiles, columns=columns, side_px=side_px
    )
    coded, content = cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    if not coded:
        raise ValueError(f"a sheet of shape {sheet.shape} could not be coded as PNG.")
    with replace_when_whole(path) as partial:
        partial.write_bytes(content.tobytes())


def _tile(frame, labels, limits, side_px, caption):
    factor = side_px / max(frame.shape)
    size = (max(1, round(frame.shape[1] * factor)), max(1, round(frame.shape[0] * factor)))
    levels = np.clip((frame - limits[0]) * (255.0 / (limits[1] - limits[0])), 0, 255).astype(np.uint8)
    gray = cv2.resize(levels, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    picture = cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB)
    large = cv2.resize(labels.astype(np.int32), size, interpolation=cv2.INTER_NEAREST)
    for label in np.unique(large)[1:].tolist():
        colour = _colour(label)
        mask = (large == label).astype(np.uint8)
        outlines = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
        cv2.drawContours(picture, outlines, -1, colour, 1)
        x, y = outlines[0].reshape(-1, 2).max(axis=0)
        cv2.putText(picture, str(label), (int(x) + 2, int(y)), _FONT, 0.35, colour, 1, cv2.LINE_AA)
    cv2.putText(picture, caption, (5, 15), _FONT, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return picture


def _colour(label):
    """A clear colour for each label; neighbours in number differ most (golden angle)."""
    hsv = np.uint8([[[(label * 0.618034 * 180) % 180, 170, 255]]])
    return tuple(int(value) for value in cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0])
