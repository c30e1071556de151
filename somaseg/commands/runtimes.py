"""What the commands that run a network have in common: the choice of the runtime, and that it is told."""

from somaseg.commands.telling import tell


def add_runtime_flag(verb):
    verb.add_argument(
        "--runtime",
        choices=["auto", "keras", "litert", "onnx", "openvino"],
        default="auto",
        metavar="NAME",
        help="what runs the network: auto (the fastest of those installed, timed once and kept), keras, litert, onnx, "
        "openvino (default: %(default)s; all find the same somas)",
    )


def add_flips_flag(verb):
    verb.add_argument(
        "--flips",
        action="store_true",
        default=None,
        help="run the network on the mirror images too and average: a little better, in four times the time",
    )


def open_segmenter(preset, runtime, **settings):
    """The segmenter of a preset on a runtime, which is told; TensorFlow is loaded only where it is needed.

    `settings` that are None are left to the preset.
    """
    from somaseg.models.presets import find_preset
    from somaseg.runtimes.opening import needs_framework
    from somaseg.startup import prepare_framework

    find_preset(preset)
    if needs_framework(preset, runtime):
        prepare_framework()
    from somaseg.segmentation.segmenter import Segmenter

    chosen = {name: value for name, value in settings.items() if value is not None}
    segmenter = Segmenter.from_preset(preset, runtime=runtime, note=tell, **chosen)
    how = {"f32": "", "bf16": " in bfloat16"}[segmenter.precision]
    tell(f"runtime: {segmenter.runtime}{how}{' (the fastest that is installed)' if runtime == 'auto' else ''}")
    return segmenter


def runtime_facts(segmenter):
    """What run.json tells of it: the runtime's name, and the precision in which it computes."""
    return {"runtime": segmenter.runtime, "precision": segmenter.precision}
