"""What compiled libraries print beside Python, such as codecs and TensorFlow at its start, kept from the screen."""

import contextlib
import os
import sys


@contextlib.contextmanager
def native_messages_dropped():
    """Send what compiled code writes to file descriptor 2 nowhere; Python's exceptions are not touched."""
    try:
        stderr = sys.stderr.fileno()
        kept = os.dup(stderr)
    except (OSError, ValueError, AttributeError):  # no real standard error, as under some test runners
        yield
        return
    sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stderr)
        yield
    finally:
        os.dup2(kept, stderr)
        os.close(kept)
        os.close(nowhere)
