"""What the linking of somas into tracks may be told; all else it learns from the movie."""

from dataclasses import dataclass, field, fields

import numpy as np

_GAP_MIN = 75.0


@dataclass(frozen=True)
class LinkingParameters:
    """What linking may be told; all else is learnt from the movie.

    Attributes:
        max_gap_frames: a track goes on after at most so many frames in which its soma was not found; None: those of
            75 min, but 2 to 15 (a cell leaves the focus for 15-60 min).
        max_step_um: no link is longer, per root of the frames that it spans; None: four typical soma diameters.
        area_weight, intensity_weight, shape_weight, overlap_weight: how much the evidence of each counts; 1 as learnt
            (and measured to be best), 0 not at all. Shape is the direction of the long axis.
        merges: bool, whether a mask that looks like two merged somas may carry two tracks through. One of the two has
            the mask, the other a gap, of any length.
        least_frames: tracks of fewer frames are left out, as `without_brief_tracks` says.
        learning_rounds: how often the laws are fitted to the links.

    Raises:
        ValueError: a value outside its limits, named with what was expected.

    >>> LinkingParameters(max_gap_frames=-1)
    Traceback (most recent call last):
    ...
    ValueError: max_gap_frames must be a whole number from 0 to 100, got -1.
    """

    max_gap_frames: int | None = field(default=None, metadata={"limits": (0, 100), "whole": True})
    max_step_um: float | None = field(default=None, metadata={"limits": (1e-3, 1e6)})
    area_weight: float = field(default=1.0, metadata={"limits": (0.0, 10.0)})
    intensity_weight: float = field(default=1.0, metadata={"limits": (0.0, 10.0)})
    shape_weight: float = field(default=1.0, metadata={"limits": (0.0, 10.0)})
    overlap_weight: float = field(default=1.0, metadata={"limits": (0.0, 10.0)})
    merges: bool = True
    least_frames: int = field(default=1, metadata={"limits": (1, 1000), "whole": True})
    learning_rounds: int = field(default=4, metadata={"limits": (1, 50), "whole": True})

    def __post_init__(self):
        if not isinstance(self.merges, bool):
            raise ValueError(f"merges must be True or False, got {self.merges!r}.")
        for entry in fields(self):
            value = getattr(self, entry.name)
            if "limits" not in entry.metadata or (value is None and entry.default is None):
                continue
            low, high = entry.metadata["limits"]
            whole = "whole" in entry.metadata
            is_number = isinstance(value, (int, np.integer) if whole else (int, float, np.integer, np.floating))
            if isinstance(value, bool) or not is_number or not low <= value <= high:
                kind = "a whole number" if whole else "a number"
                raise ValueError(f"{entry.name} must be {kind} from {low} to {high}, got {value!r}.")

    def gap_frames(self, minutes_per_frame: float) -> int:
        """`max_gap_frames`, or what it is by default at this frame interval.

        >>> LinkingParameters().gap_frames(15.0), LinkingParameters(max_gap_frames=0).gap_frames(15.0)
        (5, 0)
        """
        if self.max_gap_frames is not None:
            return self.max_gap_frames
        return int(np.clip(round(_GAP_MIN / minutes_per_frame), 2, 15))

    @property
    def looks_weights(self) -> dict:
        return {
            "log_area": self.area_weight,
            "log_intensity": self.intensity_weight,
            "axis_deg": self.shape_weight,
        }
