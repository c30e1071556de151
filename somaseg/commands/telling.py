"""What a command says to its user."""

import contextlib
import errno
import sys


def tell(text):
    """Print at once; a reader that has gone away is no error."""
    with contextlib.suppress(BrokenPipeError):
        print(text, flush=True)


def tell_error(text):
    """Print at once on standard error, after the program's name; `text` begins with what it is, such as "error: "."""
    with contextlib.suppress(BrokenPipeError):
        print(f"somaseg: {text}", file=sys.stderr, flush=True)


def one_line(error):
    """What an error says, on one line, with what to do where the system does not say it."""
    if isinstance(error, MemoryError):
        return "out of memory. Close other programs, or segment fewer or smaller images at once."
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"{error}. Make room, then give the same command again."
    return " ".join(str(error).split()) or type(error).__name__
