"""The command line: `somaseg VERB ...`. It parses, calls one function, and prints; nothing is computed here."""

import argparse
import os
import sys

from somaseg import __version__
from somaseg.commands import (
    analyze,
    compare,
    evaluate,
    export,
    idtracker,
    migrate,
    presets,
    score,
    segment,
    simulate,
    track,
)
from somaseg.commands.telling import one_line, tell_error
from somaseg.startup import prepare_framework


def main(arguments=None):
    """Run one command; returns the exit code: 0 done, 1 an error (told in one line), 2 wrong usage, 130 interrupted."""
    options = _parser().parse_args(arguments)
    if options.framework:
        prepare_framework()
    try:
        return options.run(options)
    except KeyboardInterrupt:
        tell_error("interrupted. The same command goes on where it stopped.")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, OSError, MemoryError, ImportError) as error:
        if os.environ.get("SOMASEG_TRACEBACK"):
            raise
        tell_error(f"error: {one_line(error)}")
        return 1


def _parser():
    parser = argparse.ArgumentParser(
        prog="somaseg",
        description="Find the somas of migrating neurons in movies and images, follow them, measure how they migrate.",
        epilog="somaseg VERB --help tells more. Set SOMASEG_TRACEBACK=1 to see where an error came from.",
    )
    parser.add_argument("--version", action="version", version=f"somaseg {__version__}")
    parser.set_defaults(framework=False)  # the verbs that need one say so
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for verb in (analyze, track, migrate, compare, segment, evaluate, simulate, score, idtracker, export, presets):
        verb.add_to(verbs)
    return parser


if __name__ == "__main__":
    sys.exit(main())
