"""trackpy (BSD-3): Crocker and Grier's linking of particles, by squared distances, with a memory over gaps."""

import numpy as np

try:
    import trackpy
except ImportError as error:
    raise ImportError("The linker trackpy is not installed: pip install 'somaseg[linkers]'.") from error


def link(somas, *, max_step_um, max_gap_frames, stack=None):
    """See `somaseg.tracking.linkers.Linker`. Where too many somas are within reach, the reach is lowered there."""
    trackpy.quiet()
    rows = somas[["frame", "y_um", "x_um"]].assign(row=np.arange(len(somas)))
    linked = trackpy.link(
        rows,
        search_range=max_step_um,
        memory=max_gap_frames,
        pos_columns=["y_um", "x_um"],
        adaptive_stop=max_step_um / 4,
        adaptive_step=0.9,
    )
    return linked.set_index("row")["particle"].reindex(rows["row"]).to_numpy() + 1
