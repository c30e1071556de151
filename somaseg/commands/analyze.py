"""`somaseg analyze`: a movie in; soma outlines, tracks and the files that other programs open out."""

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
from somaseg.commands.runtimes import add_flips_flag, add_runtime_flag, open_segmenter, runtime_facts

# Here and in track.py by name: importing the linkers would make `somaseg --help` slow.
LINKERS = ("somaseg", "laptrack", "trackpy", "btrack", "trackastra", "hungarian")


def add_to(verbs):
    analyze = verbs.add_parser(
        "analyze",
        help="a movie in; outlines, tracks and migration statistics out",
        description="Segment the somas of a movie, follow them and measure how they migrate. Writes report.html and "
        "overlay.mp4 to look at, cells.csv, saltations.csv, labels.tif (value = track), tracks.csv, drift.csv, plots/, "
        "trackmate.xml, rois.zip, ctc/, summary.json and run.json. The movie is a TIFF stack, a folder of images, AVI, "
        "MP4 or MOV. A run that was stopped goes on when the same command is given again.",
        epilog="example: somaseg analyze movie.tif -o result --um-per-px 0.65 --minutes-per-frame 15",
    )
    analyze.add_argument("movie", metavar="MOVIE", help="file or folder of frames")
    analyze.add_argument("-o", "--output", required=True, metavar="DIR", help="folder for the result")
    analyze.add_argument("--preset", default="soma", help="name or folder of a preset (default: %(default)s)")
    add_runtime_flag(analyze)
    add_flips_flag(analyze)
    add_unit_flags(analyze)
    add_plane_flags(analyze)
    analyze.add_argument("--threshold", type=float, help="probability above which a pixel is soma (default: preset's)")
    analyze.add_argument("--min-area", type=int, metavar="PX", help="drop smaller somas (default: the preset's)")
    analyze.add_argument("--no-drift", action="store_true", help="do not take the drift of the tissue off")
    add_linking_flags(analyze, linkers=LINKERS, least_frames=2)
    add_migration_flags(analyze)
    add_writing_flags(analyze)
    analyze.set_defaults(run=run)


def run(options):
    from somaseg.analyze import analyze
    from somaseg.folders import refuse_existing
    from somaseg.models import presets
    from somaseg.movies.reader import open_movie
    from somaseg.segmentation.segmenter import Segmenter
    from somaseg.tracking.results import RESULT_FILES

    # What can be wrong with the input is told before a network is opened, which may take a minute.
    refuse_existing(options.output, RESULT_FILES, overwrite=options.overwrite)
    folder = presets.find_preset(options.preset)
    with open_movie(options.movie, **unit_arguments(options)) as movie:
        segmenter = open_segmenter(
            options.preset,
            options.runtime,
            threshold=options.threshold,
            minimum_area_px=options.min_area,
            flips=options.flips,
        )
        weights = presets.read_metadata(folder)["weights_sha256"]
        facts = {"preset": options.preset, "weights_sha256": weights, **runtime_facts(segmenter)}
        with progress_bar(options.quiet) as progress:
            found = analyze(
                movie,
                options.output,
                segmenter,
                correct_drift=not options.no_drift,
                overwrite=options.overwrite,
                run={**facts, "defaults": Segmenter.preset_settings(options.preset)},
                progress=progress,
                **linking_arguments(options),
                **migration_arguments(options),
            )
    tell_analysis(found, options.output)
    return 0
