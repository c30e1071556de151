"""A file of tracks in, a folder with the numbers of their migration out: what `somaseg migrate` does."""

from dataclasses import asdict
from pathlib import Path

from somaseg import __version__
from somaseg.folders import refuse_existing, whole_folder
from somaseg.json_files import write_json
from somaseg.migration.measures import Migration, MigrationParameters, measure_migration
from somaseg.migration.track_files import read_tracks
from somaseg.tracking.tables import write_table

MIGRATION_FILES = ("cells.csv", "saltations.csv", "summary.json")


def measure_track_file(
    path, output, *, parameters=MigrationParameters(), overwrite=False, progress=None, **units
) -> Migration:
    """Read tracks, measure their migration, and write cells.csv, saltations.csv and summary.json, whole or not at all.

    Args:
        path: tracks of any program, see `somaseg.migration.track_files.read_tracks`.
        output: folder. Files of other names in it are left alone.
        parameters: `MigrationParameters`.
        overwrite: bool, replace the three files where they are there.
        progress: None, or a function called with (stage, done, total).
        **units: um_per_px, minutes_per_frame, as `read_tracks` takes them.

    Returns:
        `Migration`; its summary also holds where tracks and units came from, and the parameters.

    Raises:
        FileExistsError: one of the files is there and `overwrite` is False.
        ValueError: pixels=True, for thresholds, noise and all columns are in um and hours; and, like
            FileNotFoundError, see `read_tracks`.
    """
    if units.get("pixels"):
        raise ValueError(
            "Migration is not measured in pixels and frames: its thresholds, noise and tables are in um and hours. "
            "Leave out --pixels, and give --um-per-px and --minutes-per-frame where the file does not tell them."
        )
    if not overwrite:
        refuse_existing(output, MIGRATION_FILES)
    found = read_tracks(path, **{**units, "pixels": None})
    migration = measure_migration(found.tracks, found.calibration, parameters=parameters, progress=progress)
    summary = migration.summary
    if found.units_from["um_per_px"] == "um":
        summary["um_per_px"] = None
    if found.simulated:
        summary["simulated"] = True
    summary |= {
        "tracks_file": str(Path(path)),
        "tracks_by": found.program,
        "units_from": found.units_from,
        "parameters": asdict(parameters),
        "somaseg_version": __version__,
        "warnings": [*found.warnings, *summary.pop("warnings")],
    }
    with whole_folder(output, ours=MIGRATION_FILES, overwrite=overwrite) as partial:
        write_table(partial / "cells.csv", migration.cells)
        write_table(partial / "saltations.csv", migration.saltations)
        write_json(partial / "summary.json", summary)
    return migration
