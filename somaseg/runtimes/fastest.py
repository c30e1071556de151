"""Which of several runtimes is the fastest on this machine: timed once, then kept beside the converted models."""

import hashlib
import json
import platform
import time
from pathlib import Path

import numpy as np

from somaseg import __version__
from somaseg.files import replace_when_whole
from somaseg.models import presets
from somaseg.runtimes.choosing import installed_version, thread_count
from somaseg.runtimes.converting import cache_folder

_SIDE_PX = 512
_ROUNDS = 3


def time_runtimes(runs, tell):
    """Seconds that each of `runs` takes for one image of 512 x 512.

    They are asked in turn, so that what else the machine does falls on all of them, and the least of three is taken.

    Args:
        runs: list of functions as `somaseg.runtimes.open_runtime` gives them.
        tell: function called with one line for each that fails.

    Returns:
        Dict of name and seconds, the fastest first, of those that do not fail.
    """
    image = np.random.default_rng(0).uniform(0, 255, (1, _SIDE_PX, _SIDE_PX, 3)).astype(np.float32)
    sound = [run for run in runs if _runs(run, image, tell)]  # the first time they allocate
    seconds = {run.name: [] for run in sound}
    for _ in range(_ROUNDS):
        for run in sound:
            start = time.perf_counter()
            run(image)
            seconds[run.name].append(time.perf_counter() - start)
    return dict(sorted(((name, min(taken)) for name, taken in seconds.items()), key=lambda item: item[1]))


def _runs(run, image, tell):
    try:
        run(image)
    except Exception as error:  # runtimes raise whatever they like
        tell(f"{run.name} cannot be used: {error}")
        return False
    return True


def kept_choice(preset, names):
    """The fastest of the runtimes `names` for the network of a preset, if it was timed here before, else None."""
    path = _choice_path(preset, names)
    try:
        chosen = json.loads(path.read_text())["fastest"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return chosen if chosen in names else None


def keep_choice(preset, names, seconds):
    """Keep what `time_runtimes` found; a cache that cannot be written is no error, it is timed again then."""
    try:
        with replace_when_whole(_choice_path(preset, names)) as partial:
            partial.write_text(json.dumps({"fastest": next(iter(seconds)), "seconds": seconds, **_machine(names)}))
    except OSError:
        pass


def _choice_path(preset, names):
    """Its name holds what the choice depends on: the architecture, the processor, the threads and the versions."""
    network = presets.read_config(presets.find_preset(preset))["network"]
    decides = json.dumps({"network": network, **_machine(names)}, sort_keys=True)
    return cache_folder() / f"fastest-{hashlib.sha256(decides.encode()).hexdigest()[:20]}.json"


def _machine(names):
    versions = {name: installed_version(name) for name in names}
    return {"processor": _processor(), "threads": thread_count(), "versions": {"somaseg": __version__, **versions}}


def _processor():
    """The processor's model and its instruction sets, as far as the system tells them."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    told = {line.split(":")[0].strip(): line.split(":", 1)[1].strip() for line in lines if ":" in line}
    return " ".join([platform.machine(), *(told[key] for key in ("model name", "flags", "Features") if key in told)])
