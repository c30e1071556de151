"""What can go wrong with a server: each kind once, whatever the protocol.

None of these is an OSError or a ValueError: those tell of one image, which is passed over, and these stop a run.
"""


class ServerError(RuntimeError):
    """The server did not give an answer that can be used."""


class UnreachableServerError(ServerError):
    """Nobody answers, or the connection is lost again and again."""


class DeadlineError(ServerError):
    """No answer within the time allowed."""


class MissingModelError(ServerError):
    """The server has no such model, or not in this version."""


class WrongModelError(ServerError):
    """The model is no export of somaseg: it lacks a signature, an input or an output."""


class TooLargeError(ServerError):
    """The request or the answer is larger than the server, or what lies between, lets pass."""


class Passing(Exception):  # noqa: N818
    """A failure that may be gone in a moment; it never leaves this package."""


class NotFound(Exception):  # noqa: N818
    """The server's words for a model or version that it does not have; it never leaves this package."""


def shortened(text, longest=300):
    """What a server said, on one line and not too long.

    >>> shortened("not\\n  found")
    'not found'
    """
    text = " ".join(str(text).split())
    return text if len(text) <= longest else f"{text[:longest]}..."
