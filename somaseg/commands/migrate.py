"""`somaseg migrate`: tracks of any program in; cells, saltations and the movie's numbers out."""

import argparse
from pathlib import Path

from somaseg.commands.following import add_writing_flags, progress_bar
from somaseg.commands.telling import tell


def add_to(verbs):
    migrate = verbs.add_parser(
        "migrate",
        help="tracks in (of any program); migration statistics out",
        description="Measure migration from tracks: saltations, speeds, pauses, directions, persistence. Writes "
        "cells.csv, saltations.csv and summary.json. TRACKS is a result folder or its tracks.csv, TrackMate's XML or "
        "CSV of spots, a table of Manual Tracking or of the ibidi tool, a folder of the Cell Tracking Challenge, "
        "or an idtracker.ai session. Units come from the file or from the flags, never from a guess.",
        epilog="example: somaseg migrate tracks.xml -o migration --axis-deg 90",
    )
    migrate.add_argument("tracks", metavar="TRACKS", help="file or folder of tracks")
    migrate.add_argument("-o", "--output", required=True, metavar="DIR", help="folder for the tables")
    migrate.add_argument("--um-per-px", type=float, metavar="UM", help="size of a pixel, where the file does not tell")
    migrate.add_argument("--minutes-per-frame", type=float, metavar="MIN", help="time from frame to frame, likewise")
    migrate.add_argument("--pixels", action="store_true", help=argparse.SUPPRESS)  # refused, and told why
    migrate.add_argument(
        "--axis-deg",
        type=float,
        metavar="DEG",
        help="direction to ask about, such as that to the other organoid: 0 is to the right, 90 up on screen",
    )
    migrate.add_argument(
        "--on-speed", type=float, metavar="UM_PER_H", help="least speed of a step that starts a saltation"
    )
    migrate.add_argument(
        "--off-speed", type=float, metavar="UM_PER_H", help="least speed of a step that goes on with one"
    )
    migrate.add_argument(
        "--no-interval-correction", action="store_true", help="do not estimate what the frame interval hides"
    )
    add_writing_flags(migrate)
    migrate.set_defaults(run=run)


def run(options):
    from somaseg.migration.measures import MigrationParameters
    from somaseg.migration.saltations.saltation import SaltationParameters
    from somaseg.migration.track_migration import measure_track_file

    thresholds = {"on_speed_um_per_h": options.on_speed, "off_speed_um_per_h": options.off_speed}
    parameters = MigrationParameters(
        saltations=SaltationParameters(**{name: value for name, value in thresholds.items() if value is not None}),
        axis_deg=options.axis_deg,
        correct_interval=not options.no_interval_correction,
    )
    with progress_bar(options.quiet) as progress:
        migration = measure_track_file(
            options.tracks,
            options.output,
            parameters=parameters,
            overwrite=options.overwrite,
            progress=progress,
            um_per_px=options.um_per_px,
            minutes_per_frame=options.minutes_per_frame,
            pixels=options.pixels,
        )
    summary = migration.summary
    for warning in summary["warnings"]:
        tell(f"warning: {warning}")
    tell(
        f"{summary['cells']} cells, {summary['hours']:.4g} h, {summary['saltations']} saltations at "
        f"{summary['minutes_per_frame']:g} min between frames. Look at {Path(options.output)}/summary.json"
    )
    return 0
