"""Fields of a frozen dataclass that know their limits, and the refusal of a value outside them.

>>> from dataclasses import dataclass
>>> @dataclass(frozen=True)
... class Light:
...     photons: float = number(100.0, 0.0, 1e6)
...     def __post_init__(self):
...         check_limits(self)
>>> Light(photons=-1)
Traceback (most recent call last):
...
ValueError: photons must be a number from 0.0 to 1000000.0, got -1.
"""

import math
import numbers
from collections.abc import Mapping
from dataclasses import field, fields


def number(default, low, high):
    """A real number from `low` to `high`."""
    return field(default=default, metadata={"kind": "number", "limits": (low, high)})


def integer(default, low, high):
    """A whole number from `low` to `high`."""
    return field(default=default, metadata={"kind": "integer", "limits": (low, high)})


def pair(default, low, high):
    """A pair (low, high) of numbers within the limits."""
    return field(default=default, metadata={"kind": "pair", "limits": (low, high)})


def number_or_pair(default, low, high):
    """A number, or a pair of whole numbers, within the limits."""
    return field(default=default, metadata={"kind": "number or pair", "limits": (low, high)})


def switch(default):
    """True or False."""
    return field(default=default, metadata={"kind": "switch"})


def choice(default, choices):
    """One of `choices`."""
    return field(default=default, metadata={"kind": "choice", "choices": tuple(choices)})


def check_limits(parameters) -> None:
    """Refuse a value outside its limits; for `__post_init__` of a frozen dataclass.

    Lists become tuples, and 64.0 becomes 64 where a whole number is expected, as JSON of another program may have it.

    Fields without limits, such as a nested dataclass, are left alone.

    Raises:
        ValueError: naming the parameter, what was expected, and the value.
    """
    for entry in fields(parameters):
        if "kind" not in entry.metadata:
            continue
        value, expected = getattr(parameters, entry.name), expectation(entry.metadata)
        if not fits(value, entry.metadata):
            raise ValueError(f"{entry.name} must be {expected}, got {value!r}.")
        plain = _plain(value, entry.metadata)
        if type(plain) is not type(value):
            object.__setattr__(parameters, entry.name, plain)


def refuse_unknown(cls, values: Mapping, what: str) -> None:
    """Raise a ValueError when `values` has a key that is no field of the dataclass `cls`."""
    known = [entry.name for entry in fields(cls)]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ValueError(f"Unknown {what} {unknown}. Known: {', '.join(known)}.")


def expectation(rules: Mapping) -> str:
    """What a field with this metadata must be, in words."""
    if rules["kind"] == "switch":
        return "True or False"
    if rules["kind"] == "choice":
        return "one of " + ", ".join(repr(choice) for choice in rules["choices"])
    low, high = rules["limits"]
    kinds = {
        "number": "a number",
        "integer": "a whole number",
        "pair": "a pair (low, high), low <= high,",
        "number or pair": "a number, or a pair (low, high) of whole numbers, low <= high,",
    }
    return f"{kinds[rules['kind']]} from {low} to {high}"


def fits(value, rules: Mapping) -> bool:
    """Whether a value is what a field with this metadata must be."""
    kind = rules["kind"]
    if kind == "switch":
        return isinstance(value, bool)
    if kind == "choice":
        return value in rules["choices"] and not isinstance(value, bool)
    if isinstance(value, (tuple, list)):
        whole = kind == "number or pair"
        return (
            kind in ("pair", "number or pair")
            and len(value) == 2
            and all(_is_within(item, rules["limits"], whole) for item in value)
            and value[0] <= value[1]
        )
    return kind != "pair" and _is_within(value, rules["limits"], kind == "integer")


def _plain(value, rules):
    """A fitting value in the type of its kind."""
    if rules["kind"] == "choice":
        return next(choice for choice in rules["choices"] if choice == value)
    if rules["kind"] == "integer":
        return int(value)
    if isinstance(value, (tuple, list)):
        return tuple(value)
    return value


def _is_within(value, limits, whole):
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return False
    if not math.isfinite(value) or (whole and value != int(value)):
        return False
    return limits[0] <= value <= limits[1]
