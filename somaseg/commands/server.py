"""What `somaseg segment --server` has to do with a server: its flags, and the segmenter whose network is there."""

from pathlib import Path

from somaseg.commands.telling import tell


def add_server_flags(verb):
    group = verb.add_argument_group("a network on a server", "The labels are those of a local run; docs/serving.md.")
    group.add_argument(
        "--server", metavar="HOST:PORT", help="run the network on a TensorFlow Serving, or what speaks its interface"
    )
    group.add_argument("--model", metavar="NAME", help="its name there (default: that of --preset)")
    group.add_argument("--model-version", type=int, metavar="N", help="its version there (default: the latest)")
    group.add_argument(
        "--protocol", choices=["rest", "grpc"], default="rest", help="grpc needs the extra serving (default: rest)"
    )
    group.add_argument("--tile", type=int, metavar="PX", help="side of the tiles sent (default: the model's, 1024)")
    group.add_argument(
        "--in-flight", type=int, default=4, metavar="N", help="tiles under way at a time (default: %(default)s)"
    )
    group.add_argument(
        "--deadline", type=float, default=120.0, metavar="S", help="seconds for a tile, with retries (default: 120)"
    )


def open_remote_segmenter(options, **settings):
    """The segmenter that runs on --server, the settings that came with the model, and the facts for run.json.

    `settings` that are None are left to the model.
    """
    if options.protocol == "grpc":  # its messages are TensorFlow's
        from somaseg.startup import prepare_framework

        prepare_framework()
    from somaseg.segmentation.segmenter import DEFAULTS
    from somaseg.serving import Client

    client = Client(
        options.server,
        model=options.model or Path(options.preset).name,
        version=options.model_version,
        protocol=options.protocol,
        deadline_s=options.deadline,
        in_flight=options.in_flight,
    )
    settings = {**settings, "tile_px": options.tile}
    segmenter = client.segmenter(**{name: value for name, value in settings.items() if value is not None})
    tell(f"server {client.server}: model {client.model}, {options.protocol}, {options.in_flight} tiles at a time")
    facts = {
        "preset": client.description.get("preset", client.model),
        "weights_sha256": client.description.get("weights_sha256"),
        "runtime": segmenter.runtime,
    }
    return segmenter, {**DEFAULTS, **client.settings}, facts
