"""JSON that every reader takes: NumPy's types converted, NaN and infinities as null."""

import dataclasses
import json
import math

import numpy as np
import pandas as pd


def write_json(path, content):
    """Write a dict as indented JSON.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.json"
    >>> write_json(path, {"n": np.int64(3), "speed_um_per_h": float("nan")})
    >>> read_json(path)
    {'n': 3, 'speed_um_per_h': None}
    """
    path.write_text(json.dumps(_plain(content), indent=2, allow_nan=False) + "\n")


def read_json(path):
    """The JSON object in a file as a dict, None when there is no such file; ValueError when it is something else."""
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path}: this is no JSON ({error}).") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a JSON object, got {type(content).__name__}.")
    return content


def _plain(value):
    """`value` in JSON's own types: NumPy's converted, NaN and infinities as null, dataclasses and paths told."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | np.ndarray | pd.Series):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)
