"""From tracks to all that is told of a movie's migration: one function under `analyze`, `migrate` and Python."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from somaseg.migration.arrest import ArrestParameters, find_arrested
from somaseg.migration.cells import measure_cells, noise_floor_um
from somaseg.migration.directions import summarize_directions
from somaseg.migration.msd import mean_square_displacement
from somaseg.migration.outline_steps import without_outline_steps
from somaseg.migration.partial_somas import without_partial_somas
from somaseg.migration.pauses import find_pauses, pause_survival
from somaseg.migration.random_walk import fit_fuerth, fuerth_msd_um2
from somaseg.migration.saltations.detection_limit import above_errors
from somaseg.migration.saltations.interval_correction import correct_for_interval
from somaseg.migration.saltations.position_noise import measure_position_noise
from somaseg.migration.saltations.saltation import SaltationParameters, find_saltations
from somaseg.migration.saltations.threshold_sensitivity import threshold_sensitivity
from somaseg.migration.steps import find_steps
from somaseg.migration.summary import summarize
from somaseg.migration.turning import direction_autocorrelation
from somaseg.migration.unsure_ends import without_unsure_ends
from somaseg.movies.calibration import Calibration

_NO_CELLS = "There are no cells: nothing was measured."
_FEW_CELLS = 10
_MANY_SEEN_ONCE = 0.2


@dataclass(frozen=True)
class MigrationParameters:
    """How migration is measured.

    Attributes:
        saltations: `SaltationParameters`.
        arrest: `ArrestParameters`.
        axis_deg: direction given beforehand (0 = +x, counter-clockwise on screen) for FMI and V-test, or None.
        correct_interval: bool, estimate what the frame interval hides of the saltations.

    Raises:
        ValueError: an axis outside -360..360.

    >>> MigrationParameters(axis_deg=400)
    Traceback (most recent call last):
        ...
    ValueError: axis_deg must be a number from -360 to 360 or None, got 400.
    """

    saltations: SaltationParameters = field(default_factory=SaltationParameters)
    arrest: ArrestParameters = field(default_factory=ArrestParameters)
    axis_deg: float | None = None
    correct_interval: bool = True

    def __post_init__(self):
        axis = self.axis_deg
        if axis is not None and not (isinstance(axis, int | float) and -360 <= axis <= 360):
            raise ValueError(f"axis_deg must be a number from -360 to 360 or None, got {axis!r}.")


@dataclass(frozen=True, eq=False)
class Migration:
    """What was measured of a movie.

    Attributes:
        cells: `pandas.DataFrame`, one row per track (cells.csv), see `somaseg.migration.cells`.
        saltations: `pandas.DataFrame`, one row per saltation (saltations.csv).
        summary: dict, the movie as a whole (summary.json), see `somaseg.migration.summary`; with "warnings", a list of
            str.
        curves: dict of `pandas.DataFrame`: "msd" (lag_min, msd_um2, n, cells, fit_um2), "direction_autocorrelation"
            (lag_min, value, n, cells), "pause_survival" (pause_min, survival, survival_low, survival_high),
            "threshold_sensitivity" (on_speed_um_per_h, ...), "directions" (track_id, direction_deg: one per cell that
            has one).
    """

    cells: pd.DataFrame
    saltations: pd.DataFrame
    summary: dict
    curves: dict


def measure_migration(
    tracks: pd.DataFrame,
    calibration: Calibration,
    *,
    parameters: MigrationParameters = MigrationParameters(),
    frames: int | None = None,
    field_um: tuple[float, float] | None = None,
    progress=None,
    as_seen=None,
) -> Migration:
    """Measure the migration of a movie's cells.

    Args:
        tracks: `pandas.DataFrame` with track_id, frame (whole numbers), y_um and x_um (in the tissue, drift taken off).
            Tracks may have gaps, begin and end anywhere, and be none at all. Where there is partial, somas that lie
            mostly outside the image are left out first (`somaseg.migration.partial_somas`). Where there is
            link_confidence, ends that hang on an unsure link are taken off (`somaseg.migration.unsure_ends`) and too
            few saltations are not counted (`somaseg.migration.saltations.detection_limit`); where there is area_um2,
            what outlines move while their somas stay is taken off (`somaseg.migration.outline_steps`).
        calibration: `Calibration`.
        parameters: `MigrationParameters`.
        frames: int, number of frames of the movie, told in the summary; None where it is not known.
        field_um: (height, width) of the field of view, so that the random walk is not judged by the cells that
            stay in it; None where it is not known.
        progress: None, or a function called with (stage, done, total).
        as_seen: None, or a function called with the `Migration` as it is without the interval correction, which takes
            longest: for work that can begin beside it.

    Returns:
        `Migration`.

    Raises:
        ValueError: tracks without a needed column, or with values that cannot be; see
            `somaseg.migration.displacements.checked_tracks`.

    >>> tracks = pd.DataFrame({"track_id": 1, "frame": range(12), "y_um": 0.0, "x_um": [0] * 6 + [15] * 6})
    >>> migration = measure_migration(tracks, Calibration(0.65, 10))
    >>> migration.cells[["saltation_count", "net_displacement_um", "arrested"]].values.tolist()
    [[1, 15.0, False]]
    """
    progress = progress or (lambda stage, done, total: None)
    minutes = calibration.minutes_per_frame
    progress("saltations", 0, 1)
    seen_enough, partial_somas = without_partial_somas(tracks)
    linked, unsure_ends = without_unsure_ends(seen_enough)
    tracks, outline_steps = without_outline_steps(linked)
    noise = measure_position_noise(tracks)
    given = {"minutes_per_frame": minutes, "noise_um": noise.sigma_um}
    seen = find_saltations(tracks, **given, parameters=parameters.saltations, drift=noise.drift)
    by_a_program = "link_confidence" in linked
    saltations, of_errors = above_errors(seen, by_a_program=by_a_program)
    pauses = find_pauses(saltations.steps, minutes_per_frame=minutes)
    survival = pause_survival(pauses)
    arrested = find_arrested(tracks, saltations.table, **given, parameters=parameters.arrest)
    progress("saltations", 1, 1)

    progress("random walk", 0, 1)
    going = tracks[~tracks["track_id"].isin(arrested.index[arrested.fillna(False).astype(bool)])]
    msd = mean_square_displacement(going, minutes_per_frame=minutes, field_um=field_um)
    walk = fit_fuerth(msd)
    progress("random walk", 1, 1)
    curves = {
        "msd": _with_fit(msd.table(), walk),
        "direction_autocorrelation": direction_autocorrelation(
            find_steps(going, minutes_per_frame=minutes), minimum_um=noise_floor_um(saltations)
        ),
        "pause_survival": survival.curve,
        "threshold_sensitivity": threshold_sensitivity(
            tracks, **given, parameters=parameters.saltations, drift=noise.drift, by_a_program=by_a_program
        ),
    }

    def migration(corrected):
        cells = measure_cells(
            tracks,
            saltations,
            pauses=pauses,
            arrested=arrested,
            corrected=None if corrected is None else corrected.cells,
            axis_deg=parameters.axis_deg,
        )
        summary = summarize(
            calibration=calibration,
            cells=cells,
            outline_steps=outline_steps,
            unsure_ends=unsure_ends,
            partial_somas=partial_somas,
            saltations=saltations,
            not_counted=len(seen.table) - len(saltations.table),
            pauses=pauses,
            survival=survival,
            noise=noise,
            corrected=corrected,
            directions=summarize_directions(cells["direction_deg"], axis_deg=parameters.axis_deg),
            walk=walk,
        )
        if frames is not None:
            summary = {"frames": int(frames), **summary}
        of_correction = corrected.warnings if corrected else []
        warnings = [*noise.warnings, *of_errors, *saltations.warnings, *of_correction, *walk.warnings]
        summary["warnings"] = list(dict.fromkeys([*_of_numbers(cells), *warnings])) if len(cells) else [_NO_CELLS]
        of_cells = cells.loc[cells["direction_deg"].notna(), ["track_id", "direction_deg"]].reset_index(drop=True)
        return Migration(cells, saltations.table, summary, {**curves, "directions": of_cells})

    uncorrected = migration(None) if as_seen is not None or not parameters.correct_interval else None
    if as_seen is not None:
        as_seen(uncorrected)
    if not parameters.correct_interval:
        return uncorrected
    return migration(
        correct_for_interval(
            tracks,
            saltations,
            **given,
            tail=noise.tail,
            progress=lambda done, total: progress("interval correction", done, total),
        )
    )


def _of_numbers(cells):
    """What to know of how many cells there are, and for how long."""
    told = []
    if len(cells) < _FEW_CELLS:
        cells_there_are = "There is only 1 cell" if len(cells) == 1 else f"There are only {len(cells)} cells"
        told.append(f"{cells_there_are}: averages and intervals rest upon little.")
    once = int((cells["duration_h"] == 0).sum())
    if once > _MANY_SEEN_ONCE * len(cells):
        told.append(f"{once} of {len(cells)} tracks are of a single frame and tell nothing of movement.")
    return told


def _with_fit(table, walk):
    if not np.isfinite(walk.persistence_min):
        return table.assign(fit_um2=np.nan)
    law = fuerth_msd_um2(
        table["lag_min"],
        speed_um_per_h=walk.speed_um_per_h,
        persistence_min=walk.persistence_min,
        noise_um=walk.noise_um,
    )
    return table.assign(fit_um2=law)
