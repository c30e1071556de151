"""From instances to tracks, the folder that results are kept in, and how right the tracks are."""

from somaseg.tracking.results import (
    CELL_COLUMNS,
    DRIFT_COLUMNS,
    SALTATION_COLUMNS,
    TRACK_COLUMNS,
    Result,
    read_result,
    write_result,
)

__all__ = [
    "CELL_COLUMNS",
    "DRIFT_COLUMNS",
    "SALTATION_COLUMNS",
    "TRACK_COLUMNS",
    "Result",
    "read_result",
    "write_result",
]
