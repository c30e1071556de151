"""`somaseg export`: a preset as SavedModel and .tflite."""

from somaseg.commands.telling import tell


def add_to(verbs):
    export = verbs.add_parser(
        "export",
        help="a preset as SavedModel and .tflite",
        description="Write a preset for TensorFlow Serving (a versioned SavedModel) and LiteRT (.tflite). "
        'All take "image", float32 (N, H, W, 3) in 0..255, and give "probability", float32 (N, H, W, 1).',
        epilog="example: somaseg export --preset soma -o served/",
    )
    export.add_argument("--preset", default="soma", help="name or folder of a preset (default: %(default)s)")
    export.add_argument("-o", "--output", required=True, metavar="DIR", help="folder for the exported model")
    export.add_argument(
        "--formats",
        nargs="+",
        default=["saved_model", "fp32", "fp16"],
        choices=["saved_model", "fp32", "fp16", "int8"],
        help="what to write (default: %(default)s); int8 needs --representative",
    )
    export.add_argument(
        "--version", type=int, default=1, help="version number of the SavedModel (default: %(default)s)"
    )
    export.add_argument(
        "--representative", metavar="FOLDER", help="images like those to be segmented, to calibrate int8"
    )
    export.add_argument("--overwrite", action="store_true", help="replace an export that is there")
    export.set_defaults(run=run, framework=True)


def run(options):
    from somaseg.export import export_preset

    for path in export_preset(
        options.preset,
        options.output,
        formats=options.formats,
        version=options.version,
        representative=options.representative,
        overwrite=options.overwrite,
    ):
        tell(f"wrote {path}")
    return 0
