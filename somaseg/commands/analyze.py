"""`somaseg analyze`: a movie in; soma outlines, tracks and the files that other programs open out."""

from pathlib import Path

from somaseg.commands.telling import tell


def add_to(verbs):
    analyze = verbs.add_parser(
        "analyze",
        help="a movie in; outlines and tracks out",
        description="Segment the somas of a movie and follow them. Writes overlay.mp4 to look at, labels.tif (value = "
        "track), tracks.csv, drift.csv, trackmate.xml, rois.zip, ctc/, summary.json and run.json. The movie is a "
        "TIFF stack, a folder of images, AVI, MP4 or MOV. A run that was stopped goes on when the same command is "
        "given again.",
        epilog="example: somaseg analyze movie.tif -o result --um-per-px 0.65 --minutes-per-frame 15",
    )
    analyze.add_argument("movie", metavar="MOVIE", help="file or folder of frames")
    analyze.add_argument("-o", "--output", required=True, metavar="DIR", help="folder for the result")
    analyze.add_argument("--preset", default="soma", help="name or folder of a preset (default: %(default)s)")
    analyze.add_argument("--um-per-px", type=float, metavar="UM", help="size of a pixel, where the file does not tell")
    analyze.add_argument("--minutes-per-frame", type=float, metavar="MIN", help="time from frame to frame, likewise")
    analyze.add_argument("--pixels", action="store_true", help="work in pixels and frames on purpose")
    analyze.add_argument("--channel", metavar="C", help="of several: number from 0, or name")
    analyze.add_argument("--z", metavar="Z", help='of several slices: number from 0, "max", or "time" if z is time')
    analyze.add_argument("--allow-truncated", action="store_true", help="take what can be read of a damaged file")
    analyze.add_argument("--threshold", type=float, help="probability above which a pixel is soma (default: preset's)")
    analyze.add_argument("--min-area", type=int, metavar="PX", help="drop smaller somas (default: the preset's)")
    analyze.add_argument("--no-drift", action="store_true", help="do not take the drift of the tissue off")
    analyze.add_argument("--overwrite", action="store_true", help="replace a result that is there")
    analyze.add_argument("--quiet", action="store_true", help="no progress bar")
    analyze.set_defaults(run=run)


def run(options):
    from tqdm import tqdm

    from somaseg.analyze import analyze
    from somaseg.models import presets
    from somaseg.segmentation.segmenter import Segmenter

    folder = presets.find_preset(options.preset)
    chosen = {"threshold": options.threshold, "minimum_area_px": options.min_area}
    segmenter = Segmenter.from_preset(
        options.preset, **{key: value for key, value in chosen.items() if value is not None}
    )
    facts = {"preset": options.preset, "weights_sha256": presets.read_metadata(folder)["weights_sha256"]}
    with tqdm(unit="frame", disable=options.quiet or None) as bar:

        def progress(stage, done, total):
            bar.set_description(stage)
            bar.total, bar.n = total, done
            bar.refresh()

        found = analyze(
            options.movie,
            options.output,
            segmenter,
            correct_drift=not options.no_drift,
            overwrite=options.overwrite,
            run={**facts, "defaults": Segmenter.preset_settings(options.preset)},
            progress=progress,
            channel=_number_or_name(options.channel),
            z=_number_or_name(options.z),
            um_per_px=options.um_per_px,
            minutes_per_frame=options.minutes_per_frame,
            pixels=options.pixels,
            allow_truncated=options.allow_truncated,
        )
    for warning in found.warnings:
        tell(f"warning: {warning}")
    tell(
        f"{found.frames} frames, {found.somas} somas in {found.tracks} tracks, {found.seconds:.1f} s "
        f"({found.network_seconds / found.seconds:.0%} in the network). Look at {Path(options.output)}/overlay.mp4"
    )
    return 0


def _number_or_name(text):
    return int(text) if text is not None and text.isdecimal() else text
