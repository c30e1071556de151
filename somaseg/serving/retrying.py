"""Ask again when a server is away for a moment: with longer and longer pauses, and never beyond the deadline."""

import random
import time

from somaseg.serving.errors import DeadlineError, Passing, UnreachableServerError

FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 8.0


def ask(send, server, *, deadline_s, retries, pause=time.sleep):
    """Call `send` until it answers.

    The pause before retry k is 0.25 s * 2**k, at most 8 s, shortened at random by up to a half, so that the clients of
    a server that comes back do not all return at the same instant.

    Args:
        send: function of the seconds that are left, which raises `Passing` where it is worth asking again.
        server: its name in messages.
        deadline_s: seconds for all attempts together.
        retries: how many times to ask again.
        pause: function that waits for a number of seconds.

    Returns:
        What `send` returns.

    Raises:
        DeadlineError: the time is up.
        UnreachableServerError: every attempt failed.
    """
    end = time.monotonic() + deadline_s
    for attempt in range(retries + 1):
        left = end - time.monotonic()
        try:
            return send(max(left, 0.001))
        except TimeoutError as error:
            raise _late(server, deadline_s) from error
        except Passing as failure:
            wait = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**attempt) * random.uniform(0.5, 1)
            if attempt == retries:
                raise UnreachableServerError(f"{server} does not answer after {retries} retries: {failure}") from None
            if time.monotonic() + wait >= end:
                raise _late(server, deadline_s, f" (last: {failure})") from None
        pause(wait)
    raise AssertionError("unreachable")


def _late(server, deadline_s, last=""):
    return DeadlineError(
        f"{server} gave no answer within {deadline_s:g} s{last}. It may be busy: allow more with --deadline."
    )
