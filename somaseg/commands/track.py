"""`somaseg track`: label images of any segmenter in; tracks and the files that other programs open out."""

from somaseg.commands import analyze as analyze_command
from somaseg.commands.following import (
    add_linking_flags,
    add_migration_flags,
    add_plane_flags,
    add_unit_flags,
    add_writing_flags,
    linking_arguments,
    migration_arguments,
    progress_bar,
    tell_analysis,
    unit_arguments,
)


def add_to(verbs):
    track = verbs.add_parser(
        "track",
        help="label images in (of any segmenter); tracks out",
        description="Follow the somas of label images that are there already, as Cellpose, StarDist, Fiji or a person "
        "made them: a TIFF stack, a folder with one label image per frame (names in natural order; folders of the "
        "Cell Tracking Challenge and of `somaseg segment` too), or an .npy of (T, Y, X). Writes what `somaseg analyze` "
        "writes. With --images intensity is measured, and the drift of the tissue taken off.",
        epilog="example: somaseg track masks/ --images movie.tif -o result --um-per-px 0.65 --minutes-per-frame 15",
    )
    track.add_argument("labels", metavar="LABELS", help="file or folder of label images")
    track.add_argument("-o", "--output", required=True, metavar="DIR", help="folder for the result")
    track.add_argument("--images", metavar="MOVIE", help="the movie that the labels are of")
    add_unit_flags(track)
    add_plane_flags(track, of="of the images, where there are several")
    track.add_argument("--no-drift", action="store_true", help="do not take the drift of the tissue off")
    add_linking_flags(track, linkers=(*analyze_command.LINKERS, "labels"))
    track.epilog += ". --linker labels: the labels are track ids already, and are kept"
    add_migration_flags(track)
    add_writing_flags(track)
    track.set_defaults(run=run)


def run(options):
    from somaseg.track import track

    with progress_bar(options.quiet) as progress:
        found = track(
            options.labels,
            options.output,
            images=options.images,
            correct_drift=False if options.no_drift else None,
            overwrite=options.overwrite,
            progress=progress,
            **linking_arguments(options),
            **migration_arguments(options),
            **unit_arguments(options),
        )
    tell_analysis(found, options.output)
    return 0
