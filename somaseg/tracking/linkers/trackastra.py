"""Trackastra (BSD-3): a transformer that looks at pictures and masks says which somas belong together.

Its weights (general_2d) are downloaded by the package itself when it is first used. All frames are in memory at once.
"""

import numpy as np
import pandas as pd

try:
    from trackastra.model import Trackastra
except ImportError as error:
    raise ImportError("The linker trackastra is not installed: pip install trackastra.") from error

MODEL = "general_2d"


def link(somas, *, max_step_um, max_gap_frames, stack, model=None):
    """See `somaseg.tracking.linkers.Linker`; `model` is a `trackastra.model.Trackastra`, or None for `MODEL`.

    Gaps are closed as far as its window of frames allows. It measures steps in the image: drift is movement to it.

    Raises:
        ValueError: there are no pictures.
    """
    if stack is None or stack.image(0) is None:
        raise ValueError("The linker trackastra looks at pictures: give the movie with --images.")
    model = Trackastra.from_pretrained(MODEL) if model is None else model
    frames = range(stack.frame_count)
    images = np.stack([_grey(stack.image(t)) for t in frames])
    masks = np.stack([stack.labels(t).astype(np.int32) for t in frames])
    graph, _ = model.track(
        images,
        masks,
        mode="greedy_nodiv",
        max_distance=int(np.ceil(max_step_um / stack.um_per_px)),
        delta_t=min(max_gap_frames + 1, model.transformer.config["window"] - 1),
    )
    place = pd.Series(np.arange(len(somas)), pd.MultiIndex.from_frame(somas[["frame", "label"]]))
    row_of = {node: place[int(known["time"]), int(known["label"])] for node, known in graph.nodes(data=True)}
    ids, count = np.zeros(len(somas), np.int64), 0
    for node in sorted(row_of, key=lambda node: graph.nodes[node]["time"]):
        before = list(graph.predecessors(node))
        if before:
            ids[row_of[node]] = ids[row_of[before[0]]]
        else:
            count += 1
            ids[row_of[node]] = count
    return ids


def _grey(image):
    image = np.asarray(image, np.float32)
    return image if image.ndim == 2 else image.mean(axis=2)
