"""`somaseg export`: a preset for servers, small computers and other programs."""

from somaseg.commands.telling import tell


def add_to(verbs):
    export = verbs.add_parser(
        "export",
        help="a preset as SavedModel, .tflite, ONNX, OpenVINO or for the BioImage Model Zoo",
        description="Write a preset for TensorFlow Serving (saved_model, a versioned folder), LiteRT (.tflite: fp32, "
        "fp16, int8), ONNX Runtime (onnx), OpenVINO (openvino) or the BioImage Model Zoo (bioimageio, a .zip). "
        'All take "image", float32 (N, H, W, 3) in 0..255, and give "probability", float32 (N, H, W, 1).',
        epilog="example: somaseg export --preset soma --formats int8 onnx -o exported/",
    )
    export.add_argument("--preset", default="soma", help="name or folder of a preset (default: %(default)s)")
    export.add_argument("-o", "--output", required=True, metavar="DIR", help="folder for the exported model")
    export.add_argument(
        "--formats",
        "--format",
        nargs="+",
        default=["saved_model", "fp32", "fp16"],
        choices=["saved_model", "fp32", "fp16", "int8", "onnx", "openvino", "bioimageio"],
        metavar="FORMAT",
        help="what to write: %(choices)s (default: saved_model fp32 fp16)",
    )
    export.add_argument(
        "--version", type=int, default=1, help="version number of the SavedModel (default: %(default)s)"
    )
    export.add_argument(
        "--size",
        default="free",
        metavar="PX",
        help='"free", or the side of the square image that a .tflite file takes, such as 256 (default: %(default)s)',
    )
    export.add_argument(
        "--representative",
        metavar="FOLDER",
        help="images like those to be segmented, to calibrate int8 (default: simulated stills)",
    )
    export.add_argument("--overwrite", action="store_true", help="replace an export that is there")
    export.set_defaults(run=run, framework=True)


def run(options):
    from somaseg.export import export_preset
    from somaseg.export.serving_warmup import can_write_warmup

    for path in export_preset(
        options.preset,
        options.output,
        formats=options.formats,
        version=options.version,
        size_px=_size_px(options.size),
        representative=options.representative,
        overwrite=options.overwrite,
    ):
        tell(f"wrote {path}")
        if (path / "saved_model.pb").exists() and not can_write_warmup():
            tell('left out its warm-up requests: they need the extra serving, pip install "somaseg[serving]"')
    return 0


def _size_px(given):
    if given == "free":
        return None
    try:
        return int(given)
    except ValueError:
        raise ValueError(f'--size must be "free" or a number of pixels, got {given!r}.') from None
