"""`somaseg segment`: images in, soma outlines out."""

from pathlib import Path

from somaseg.commands.runtimes import add_flips_flag, add_runtime_flag, open_segmenter, runtime_facts
from somaseg.commands.server import add_server_flags, open_remote_segmenter
from somaseg.commands.telling import one_line, tell, tell_error


def add_to(verbs):
    segment = verbs.add_parser(
        "segment",
        help="images in, soma outlines out",
        description="Find the somas in images. Writes <name>_labels.tif (0 background, 1..n somas), "
        "<name>_overlay.png (outlines over the image) and one objects.csv (position, area, intensity and "
        "probability of each soma). A run that was stopped goes on when the same command is given again.",
        epilog="example: somaseg segment images/ -o result --preset soma",
    )
    segment.add_argument(
        "inputs", nargs="+", metavar="IMAGE_OR_FOLDER", help="PNG, JPEG or TIFF files, or folders of them"
    )
    segment.add_argument("-o", "--output", required=True, metavar="DIR", help="folder for the results")
    segment.add_argument(
        "--preset", default="soma", help="name of a shipped preset, or a preset folder (default: %(default)s)"
    )
    segment.add_argument(
        "--threshold",
        type=float,
        help="probability above which a pixel is soma, 0 to 1 (default: the preset's)",
    )
    segment.add_argument(
        "--min-area", type=int, metavar="PX", help="drop objects of fewer pixels (default: the preset's)"
    )
    add_runtime_flag(segment)
    add_flips_flag(segment)
    scale = segment.add_mutually_exclusive_group()
    scale.add_argument("--um-per-px", type=float, metavar="UM", help="size of a pixel, if the preset knows its own")
    scale.add_argument(
        "--diameter", metavar="PX", help='typical diameter of the somas in pixels, or "auto" to estimate it and tell'
    )
    segment.add_argument("--overwrite", action="store_true", help="replace results that are there")
    segment.add_argument("--quiet", action="store_true", help="no progress bar")
    add_server_flags(segment)
    segment.set_defaults(run=run)


def run(options):
    if options.server is None:
        return _run(options)
    from somaseg.segmentation.batch import JOURNAL
    from somaseg.serving import ServerError

    try:
        return _run(options)
    except ServerError as error:
        kept = " What is done is kept: the same command goes on." if (Path(options.output) / JOURNAL).exists() else ""
        tell_error(f"error: {one_line(error)}{kept}")
        return 1


def _run(options):
    from tqdm import tqdm

    from somaseg.segmentation.batch import find_images, segment_files

    paths = find_images(options.inputs)
    chosen = {"threshold": options.threshold, "minimum_area_px": options.min_area, "flips": options.flips}
    open_any = _open_local if options.server is None else open_remote_segmenter
    segmenter, defaults, facts = open_any(options, **chosen)
    tell(
        f"preset {facts['preset']}: threshold {segmenter.threshold} (default {defaults['threshold']}), "
        f"minimum area {segmenter.minimum_area_px} px (default {defaults['minimum_area_px']})"
    )
    if options.um_per_px is not None and segmenter.um_per_px is None:
        tell("warning: this preset does not know the size of its pixels: --um-per-px changes nothing; give --diameter")
    diameter = _diameter(options.diameter, segmenter, paths)
    told = diameter is not None or (options.um_per_px is not None and segmenter.um_per_px is not None)
    with tqdm(total=len(paths), unit="image", disable=options.quiet or None) as bar:
        result = segment_files(
            segmenter,
            paths,
            options.output,
            um_per_px=options.um_per_px,
            diameter_px=diameter,
            overwrite=options.overwrite,
            run={**facts, "defaults": defaults},
            progress=lambda name: bar.update(),
        )
    for text in _warnings(result.warnings):
        tell(f"warning: {text}")
    for name, reason in result.failed.items():
        tell_error(f"error: {name}: {one_line(reason)}")
    if segmenter.estimates_diameter and not told and result.magnifications:
        factors = sorted(result.magnifications.values())
        tell(
            f"scale estimated for each image: enlarged {factors[0]:g} to {factors[-1]:g} times, so that the somas have "
            f"the {segmenter.diameter_px:g} px that the preset learnt from (--diameter PX gives it)"
        )
    share = result.network_seconds / result.seconds if result.seconds else 0.0
    tell(
        f"{len(result.done)} of {len(paths)} images done, {result.object_count} objects, {result.seconds:.1f} s "
        f"({share:.0%} in the network). Look at {Path(options.output)}/*_overlay.png"
    )
    return 1 if result.failed else 0


def _open_local(options, **settings):
    """The segmenter of --preset, its settings as stored, and the facts for run.json."""
    from somaseg.models import presets

    segmenter = open_segmenter(options.preset, options.runtime, **settings)
    from somaseg.segmentation.segmenter import Segmenter

    weights = presets.read_metadata(presets.find_preset(options.preset))["weights_sha256"]
    facts = {"preset": options.preset, "weights_sha256": weights, **runtime_facts(segmenter)}
    return segmenter, Segmenter.preset_settings(options.preset), facts


def _warnings(found):
    """A line for each thing that files say: whose file, of how many more, and what."""
    names = {}
    for name, text in found.items():
        names.setdefault(text, []).append(name)
    for text, those in names.items():
        yield f"{those[0]}{f' and {len(those) - 1} more' if len(those) > 1 else ''}: {text}"


_LOOKED_AT = 5


def _diameter(given, segmenter, paths):
    """--diameter in pixels, or None; "auto" is the median over the first images, of those in which somas are found.

    An image that cannot be read or segmented is passed over; it is named when its turn comes.
    """
    import statistics

    from somaseg.segmentation.reading import read_image

    if given != "auto":
        try:
            return None if given is None else float(given)
        except ValueError:
            raise ValueError(f'--diameter must be a number of pixels or "auto", got {given!r}.') from None
    segmenter.magnification(diameter_px=1.0)  # refuses a preset that knows no diameter
    looked_at = []
    for path in paths:
        if len(looked_at) == _LOOKED_AT:
            break
        try:
            looked_at.append(segmenter.estimate_diameter(read_image(path)))
        except (ValueError, OSError, MemoryError):
            continue
    found = [diameter for diameter in looked_at if diameter is not None]
    if not found:
        tell(f"no soma found in the first {len(looked_at)} images: their size is left as it is")
        return None
    diameter = round(statistics.median(found), 1)
    tell(f"estimated diameter: {diameter:g} px (the preset learnt from {segmenter.diameter_px:g} px)")
    return diameter
