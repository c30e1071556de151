"""`somaseg segment`: images in, soma outlines out."""

from pathlib import Path

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
    scale = segment.add_mutually_exclusive_group()
    scale.add_argument("--um-per-px", type=float, metavar="UM", help="size of a pixel, if the preset knows its own")
    scale.add_argument(
        "--diameter", metavar="PX", help='typical diameter of the somas in pixels, or "auto" to estimate it and tell'
    )
    segment.add_argument("--overwrite", action="store_true", help="replace results that are there")
    segment.add_argument("--quiet", action="store_true", help="no progress bar")
    segment.set_defaults(run=run, framework=True)


def run(options):
    from tqdm import tqdm

    from somaseg.models import presets
    from somaseg.segmentation.batch import find_images, segment_files
    from somaseg.segmentation.segmenter import Segmenter

    paths = find_images(options.inputs)
    folder = presets.find_preset(options.preset)
    chosen = {"threshold": options.threshold, "minimum_area_px": options.min_area}
    segmenter = Segmenter.from_preset(
        options.preset, **{key: value for key, value in chosen.items() if value is not None}
    )
    defaults = Segmenter.preset_settings(options.preset)
    tell(
        f"preset {options.preset}: threshold {segmenter.threshold} (default {defaults['threshold']}), "
        f"minimum area {segmenter.minimum_area_px} px (default {defaults['minimum_area_px']})"
    )
    diameter = _diameter(options.diameter, segmenter, paths)
    run = {"preset": options.preset, "weights_sha256": presets.read_metadata(folder)["weights_sha256"]}
    with tqdm(total=len(paths), unit="image", disable=options.quiet or None) as bar:
        result = segment_files(
            segmenter,
            paths,
            options.output,
            um_per_px=options.um_per_px,
            diameter_px=diameter,
            overwrite=options.overwrite,
            run={**run, "defaults": defaults},
            progress=lambda name: bar.update(),
        )
    for name, reason in result.failed.items():
        tell_error(f"error: {name}: {one_line(reason)}")
    share = result.network_seconds / result.seconds if result.seconds else 0.0
    tell(
        f"{len(result.done)} of {len(paths)} images done, {result.object_count} objects, {result.seconds:.1f} s "
        f"({share:.0%} in the network). Look at {Path(options.output)}/*_overlay.png"
    )
    return 1 if result.failed else 0


_LOOKED_AT = 5


def _diameter(given, segmenter, paths):
    """--diameter in pixels, or None; "auto" is the median over the first images in which somas are found."""
    import statistics

    from somaseg.segmentation.reading import read_image

    if given != "auto":
        try:
            return None if given is None else float(given)
        except ValueError:
            raise ValueError(f'--diameter must be a number of pixels or "auto", got {given!r}.') from None
    found = [segmenter.estimate_diameter(read_image(path)) for path in paths[:_LOOKED_AT]]
    found = [diameter for diameter in found if diameter is not None]
    if not found:
        tell(f"no soma found in the first {len(paths[:_LOOKED_AT])} images: their size is left as it is")
        return None
    diameter = round(statistics.median(found), 1)
    tell(f"estimated diameter: {diameter:g} px (the preset learnt from {segmenter.diameter_px:g} px)")
    return diameter
