"""The client of a server that runs an exported network, such as TensorFlow Serving."""

from somaseg.serving.client import Client
from somaseg.serving.errors import (
    DeadlineError,
    MissingModelError,
    ServerError,
    TooLargeError,
    UnreachableServerError,
    WrongModelError,
)

__all__ = [
    "Client",
    "DeadlineError",
    "MissingModelError",
    "ServerError",
    "TooLargeError",
    "UnreachableServerError",
    "WrongModelError",
]
