"""`somaseg export-idtracker` and `import-idtracker`: movies for idtracker.ai, and its trajectories as tracks."""

from pathlib import Path

from somaseg.commands.following import add_unit_flags, add_writing_flags, progress_bar, tell_analysis
from somaseg.commands.telling import tell


def add_to(verbs):
    _add_export(verbs)
    _add_import(verbs)


def _add_export(verbs):
    export = verbs.add_parser(
        "export-idtracker",
        help="a video of the somas alone, and settings, for idtracker.ai",
        description="Write somas.avi (somas bright on black, lossless) and idtracker.toml, from a result folder or "
        "from label images. Then run `idtrackerai --load DIR/idtracker.toml --track` where that program is. It "
        "tells individuals apart that stay in view; docs/idtracker.md says how it fares with somas.",
        epilog="example: somaseg export-idtracker result -o for_idtracker",
    )
    export.add_argument("labels", metavar="RESULT", help="result folder, or file or folder of label images")
    export.add_argument("-o", "--output", required=True, metavar="DIR", help="folder for the video and its settings")
    export.add_argument("--images", metavar="MOVIE", help="the movie (default: the one that the result was made of)")
    export.add_argument("--cells", type=int, metavar="N", help="number of cells (default: that of most frames)")
    export.add_argument(
        "--without-identities", action="store_true", help="link without telling cells apart: for cells that come and go"
    )
    add_writing_flags(export)
    export.set_defaults(run=run_export)


def _add_import(verbs):
    command = verbs.add_parser(
        "import-idtracker",
        help="trajectories of idtracker.ai as tracks",
        description="Turn the trajectories of an idtracker.ai session (.h5 or _csv, never .npy or .pickle) into "
        "tracks.csv. With --labels the somas of those label images get the identities, and a whole result folder is "
        "written; somas that the program gave no identity are tracks of their own.",
        epilog="example: somaseg import-idtracker for_idtracker/session_somas --labels result -o by_idtracker",
    )
    command.add_argument("session", metavar="SESSION", help="session_NAME folder, trajectories.h5 or trajectories_csv")
    command.add_argument("-o", "--output", required=True, metavar="DIR", help="folder for the tracks")
    command.add_argument("--labels", metavar="RESULT", help="the result folder or label images that were exported")
    command.add_argument("--images", metavar="MOVIE", help="with --labels: the movie")
    add_unit_flags(command)
    add_writing_flags(command)
    command.set_defaults(run=run_import)


def run_export(options):
    from somaseg.idtracker_exchange import export_idtracker

    with progress_bar(options.quiet) as progress:
        settings = export_idtracker(
            options.labels,
            options.output,
            images=options.images,
            animals=options.cells,
            identities=not options.without_identities,
            overwrite=options.overwrite,
            progress=progress,
        )
    tell(
        f"{settings['number_of_animals']} cells. Now: idtrackerai --load {Path(options.output) / 'idtracker.toml'} "
        "--track (IDTRACKERAI_DISABLE_ANALYTICS=1 keeps it from reporting its use)"
    )
    return 0


def run_import(options):
    from somaseg.idtracker_exchange import import_idtracker, import_idtracker_tracks

    units = {name: getattr(options, name) for name in ("um_per_px", "minutes_per_frame", "pixels")}
    if options.labels is None:
        if options.images is not None:
            raise ValueError("--images goes with --labels: without labels nothing is measured in pictures.")
        tracks = import_idtracker_tracks(options.session, options.output, overwrite=options.overwrite, **units)
        tell(f"{len(tracks)} positions in {tracks['track_id'].nunique()} tracks: {Path(options.output) / 'tracks.csv'}")
        return 0
    with progress_bar(options.quiet) as progress:
        found = import_idtracker(
            options.session,
            options.output,
            labels=options.labels,
            images=options.images,
            overwrite=options.overwrite,
            progress=progress,
            **units,
        )
    tell_analysis(found, options.output)
    return 0
