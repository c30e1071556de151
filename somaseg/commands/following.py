"""What the commands that follow cells have in common: flags of units and of linking, and what is told at the end."""

import contextlib
from pathlib import Path

from somaseg.commands.telling import tell


def add_unit_flags(verb):
    verb.add_argument("--um-per-px", type=float, metavar="UM", help="size of a pixel, where the file does not tell")
    verb.add_argument("--minutes-per-frame", type=float, metavar="MIN", help="time from frame to frame, likewise")
    verb.add_argument("--pixels", action="store_true", help="work in pixels and frames on purpose")


def add_plane_flags(verb, *, of="of several"):
    verb.add_argument("--channel", metavar="C", help=f"{of}: number from 0, or name")
    verb.add_argument("--z", metavar="Z", help=f'{of} slices: number from 0, "max", or "time" if z is time')
    verb.add_argument("--allow-truncated", action="store_true", help="take what can be read of a damaged file")


def add_linking_flags(verb, *, linkers, least_frames=1):
    verb.add_argument(
        "--linker",
        choices=linkers,
        default="somaseg",
        metavar="NAME",
        help=f"{', '.join(linkers)} (default: %(default)s; some are extras to install)",
    )
    verb.add_argument(
        "--max-step-um", type=float, metavar="UM", help="longest step per frame (default: four soma diameters)"
    )
    verb.add_argument(
        "--max-gap-frames", type=int, metavar="N", help="frames a soma may be missing (default: those of 75 min)"
    )
    verb.add_argument(
        "--least-frames",
        type=int,
        default=least_frames,
        metavar="N",
        help="leave out tracks of fewer frames (default: %(default)s)",
    )


def add_migration_flags(verb):
    verb.add_argument(
        "--axis-deg", type=float, metavar="DEG", help="where cells should go: 0 right, 90 up; for FMI and the V-test"
    )


def add_writing_flags(verb):
    verb.add_argument("--overwrite", action="store_true", help="replace a result that is there")
    verb.add_argument("--quiet", action="store_true", help="no progress bar")


def unit_arguments(options):
    """Keyword arguments of `open_movie` from the flags of units and planes that the command has."""
    arguments = {
        name: getattr(options, name)
        for name in ("um_per_px", "minutes_per_frame", "pixels", "allow_truncated")
        if hasattr(options, name)
    }
    planes = {name: _number_or_name(getattr(options, name)) for name in ("channel", "z") if hasattr(options, name)}
    return {**arguments, **planes}


def linking_arguments(options):
    """linker and linking from the flags."""
    from somaseg.tracking.linking_parameters import LinkingParameters

    linking = LinkingParameters(
        max_step_um=options.max_step_um, max_gap_frames=options.max_gap_frames, least_frames=options.least_frames
    )
    return {"linker": options.linker, "linking": linking}


def migration_arguments(options):
    """migration from the flags."""
    from somaseg.migration.measures import MigrationParameters

    return {"migration": MigrationParameters(axis_deg=options.axis_deg)}


@contextlib.contextmanager
def progress_bar(quiet):
    """Yield a function of (stage, done, total) that shows a bar."""
    from tqdm import tqdm

    with tqdm(unit="frame", disable=quiet or None) as bar:

        def progress(stage, done, total):
            bar.set_description(stage)
            bar.total, bar.n = total, done
            bar.refresh()

        yield progress


def tell_analysis(found, output):
    """Warnings, what was found, and where to look."""
    for warning in found.warnings:
        tell(f"warning: {warning}")
    network = f" ({found.network_seconds / found.seconds:.0%} in the network)" if found.network_seconds else ""
    tell(
        f"{found.frames} frames, {found.somas} somas in {found.tracks} tracks, {found.seconds:.1f} s{network}. "
        f"Look at {Path(output)}/{'report.html' if (Path(output) / 'report.html').exists() else 'overlay.mp4'}"
    )


def _number_or_name(text):
    return int(text) if text is not None and text.isdecimal() else text
