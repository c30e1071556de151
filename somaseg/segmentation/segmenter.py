"""The segmenter: an image in, somas out. The one function under the Python API and the command line."""

import threading
import time
from dataclasses import replace

import cv2
import numpy as np

from somaseg.data.datasets import equivalent_diameters
from somaseg.data.intensity import normalize_contrast
from somaseg.models import presets
from somaseg.runtimes.keras_runtime import KerasRuntime
from somaseg.runtimes.opening import open_runtime
from somaseg.segmentation.decoding import decode
from somaseg.segmentation.flips import predict_flipped
from somaseg.segmentation.instances import Segmentation
from somaseg.segmentation.scale import (
    OVERSHOOT,
    check_scale,
    fitting_factor,
    resampled,
    resampled_maps,
    within_tolerance,
)
from somaseg.segmentation.tiling import predict_tiled

DEFAULTS = {
    "threshold": 0.5,
    "minimum_area_px": 20,
    "edge_area_share": 1.0,
    "smoothing_px": 0.0,
    "vote_spread_px": 3.0,
    "tile_px": 1024,
    "diameter_px": None,
    "um_per_px": None,
    "estimates_diameter": False,
    "flips": False,
}


class Segmenter:
    """Finds somas in single images of any size.

    Args:
        network: `somaseg.models.UNet` that gives logits, with 3 input channels; or None, and `predict`.
        predict: None, or what runs the network instead of Keras, such as a runtime of `somaseg.runtimes` or the client
            of a server: a function from float32 (N, H, W, 3) in 0..255, H and W multiples of `2 ** (depth - 1)`, to a
            dict of maps, float32 (N, H, W, 1), named as in `somaseg.models.heads`. Its attribute `in_flight`, if it has
            one, says how many tiles may be asked for at the same time, from threads.
        depth: int, with `predict`: the network's number of encoder stages.
        threshold: float in 0..1, a pixel is soma when its probability is above it.
        minimum_area_px: int, smaller regions are dropped.
        edge_area_share: float in 0..1, of a region that the image's edge cuts this share of the least area is enough.
        smoothing_px: float, standard deviation of a Gaussian that is run over the image first, against noise; 0 for
            none.
        vote_spread_px: float, for networks with offsets: how far pixels of one soma disagree about its centre, see
            `somaseg.segmentation.votes.label_by_votes`.
        tile_px: int, an image with a longer side is run in overlapping tiles of this size.
        diameter_px: float or None, typical diameter of the somas that the network learnt from.
        um_per_px: float or None, size of a pixel that the network learnt from.
        estimates_diameter: bool, an image whose scale is not told is brought to the one at which what is found in it
            has the diameter that the network learnt from; it then runs two or three times.
        flips: bool, the network also runs on the three mirror images, and what it says of all four is averaged: a
            little better, in four times the time.

    Areas and distances in pixels are those at the scale that the network learnt from.

    Threads may share a segmenter: its network runs for one image at a time, while others are prepared or decoded.

    Example:

    >>> import somaseg
    >>> segmenter = somaseg.Segmenter(somaseg.UNet(filters=4))
    >>> import numpy as np
    >>> segmenter(np.arange(40 * 50).reshape(40, 50)).labels.shape
    (40, 50)
    """

    def __init__(
        self,
        network=None,
        *,
        predict=None,
        depth=5,
        threshold=DEFAULTS["threshold"],
        minimum_area_px=DEFAULTS["minimum_area_px"],
        edge_area_share=DEFAULTS["edge_area_share"],
        smoothing_px=DEFAULTS["smoothing_px"],
        vote_spread_px=DEFAULTS["vote_spread_px"],
        tile_px=DEFAULTS["tile_px"],
        diameter_px=DEFAULTS["diameter_px"],
        um_per_px=DEFAULTS["um_per_px"],
        estimates_diameter=DEFAULTS["estimates_diameter"],
        flips=DEFAULTS["flips"],
    ):
        if not 0 < threshold < 1:
            raise ValueError(f"threshold must be between 0 and 1, got {threshold!r}.")
        if minimum_area_px < 0:
            raise ValueError(f"minimum_area_px must be 0 or more, got {minimum_area_px!r}.")
        if not 0 <= edge_area_share <= 1:
            raise ValueError(f"edge_area_share must be between 0 and 1, got {edge_area_share!r}.")
        if smoothing_px < 0:
            raise ValueError(f"smoothing_px must be 0 or more, got {smoothing_px!r}.")
        if not vote_spread_px > 0:
            raise ValueError(f"vote_spread_px must be more than 0, got {vote_spread_px!r}.")
        if estimates_diameter and diameter_px is None:
            raise ValueError("estimates_diameter needs diameter_px, the diameter that the network learnt from.")
        if (network is None) == (predict is None):
            raise ValueError("Give either a network or predict, a function that runs one.")
        if predict is not None and not callable(predict):
            raise ValueError(f"predict must be a function from a batch to its maps, got {predict!r}.")
        self._run = KerasRuntime(network) if predict is None else predict
        self._network_is_free = threading.Lock()
        self.network = getattr(self._run, "network", None)
        self.depth = depth if network is None else network.depth
        self.runtime = getattr(self._run, "name", "predict")
        self.precision = getattr(self._run, "precision", None)
        self.threshold = threshold
        self.minimum_area_px = minimum_area_px
        self.edge_area_share = edge_area_share
        self.smoothing_px = smoothing_px
        self.vote_spread_px = vote_spread_px
        self.tile_px = tile_px
        self.diameter_px = check_scale("diameter_px", diameter_px)
        self.um_per_px = check_scale("um_per_px", um_per_px)
        self.estimates_diameter = bool(estimates_diameter)
        self.flips = bool(flips)

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "_network_is_free"}

    def __setstate__(self, state):
        vars(self).update(state, _network_is_free=threading.Lock())

    @classmethod
    def from_preset(cls, preset, *, runtime="keras", note=None, **settings):
        """The segmenter of a shipped preset (by name) or of a preset folder (by path).

        Args:
            preset: name or folder.
            runtime: "keras", "litert", "onnx", "openvino", or "auto" for the fastest that is installed; all find the
                same somas. See `somaseg.runtimes.open_runtime`.
            note: None, or a function called with one line where opening the runtime has something to tell.
            **settings: constructor arguments that replace those stored with the preset.
        """
        settings = {**cls.preset_settings(preset), **settings}
        run = open_runtime(preset, runtime, note=note)
        return cls(predict=run, depth=run.depth, **settings)

    @staticmethod
    def preset_settings(preset):
        """The settings stored with a preset, and the defaults of those that are not.

        Raises:
            CorruptPresetError: its preprocessor.json has a setting that this version does not know.
        """
        folder = presets.find_preset(preset)
        stored = presets.read_preprocessor(folder)
        unknown = sorted(set(stored) - set(DEFAULTS))
        if unknown:
            raise presets.CorruptPresetError(
                f"{folder / 'preprocessor.json'} has settings {unknown} that this version of somaseg does not know."
            )
        return {**DEFAULTS, **stored}

    def __call__(self, image, *, um_per_px=None, diameter_px=None, progress=None):
        """Segment one image.

        An image whose pixel size or soma diameter is given is brought to the scale that the network learnt from, and
        the outlines back to the image's own pixels.

        Args:
            image: (H, W) or (H, W, 1..4) of any real dtype, at least 16x16.
            um_per_px: None, or the size of the image's pixels; no effect where the network's own is not known.
            diameter_px: None, or the typical diameter of the image's somas in its pixels; it goes before `um_per_px`.
            progress: None, or a function called with (tiles done, tiles in all).

        Returns:
            `somaseg.segmentation.Segmentation`.

        Raises:
            ValueError: another shape, NaN or infinite values, a dtype that is no number, or a scale that would
                make the image vanish.
        """
        start = time.perf_counter()
        image = check_image(image)
        factor = self.magnification(um_per_px=um_per_px, diameter_px=diameter_px)
        told = diameter_px is not None or (um_per_px is not None and self.um_per_px is not None)
        if told or not self.estimates_diameter:
            found = self._segment(self._ready(image), factor, progress)
        else:
            found = self._segment_at_own_scale(image, progress)
        return replace(found, seconds=time.perf_counter() - start)

    def _segment_at_own_scale(self, image, progress=None):
        """As `_segment`, at the scale at which what is found has the diameter that the network learnt from."""
        found = self._segment(self._ready(image), 1.0, progress)
        network_seconds = found.network_seconds
        for overshoot in (OVERSHOOT, 1.0):
            factor = fitting_factor(self.diameter_px, found.labels, found.magnification, overshoot)
            if factor is None or factor == found.magnification:
                break
            del found  # of a large image every copy counts
            found = self._segment(self._ready(image), factor, progress)
            network_seconds += found.network_seconds
        return replace(found, network_seconds=network_seconds)

    def _segment(self, ready, factor, progress=None):
        """`Segmentation` of a prepared image that is magnified by `factor` for the network."""
        begin, shape = time.perf_counter(), ready.shape[:2]
        ready = resampled(ready, factor)
        with self._network_is_free:
            start = time.perf_counter()
            maps = predict_tiled(
                self.predict,
                ready,
                depth=self.depth,
                tile_px=self.tile_px,
                in_flight=getattr(self._run, "in_flight", 1),
                progress=progress,
            )
            network_seconds = time.perf_counter() - start
        del ready  # of a large image every copy counts
        maps = resampled_maps(maps, shape)
        labels = decode(
            maps,
            threshold=self.threshold,
            minimum_area_px=round(self.minimum_area_px / factor**2),
            vote_spread_px=self.vote_spread_px / factor,
            edge_area_share=self.edge_area_share,
        )
        return Segmentation(labels, maps["mask"], network_seconds, time.perf_counter() - begin, factor)

    def magnification(self, *, um_per_px=None, diameter_px=None):
        """By how much an image is enlarged (or, below 1, reduced) before the network sees it; 1.0 if nothing is known.

        The network was trained on somas of varied size: less than `somaseg.segmentation.scale.TOLERANCE` is left.

        Raises:
            ValueError: a scale is not positive, or `diameter_px` is given and the network's own is not known.
        """
        check_scale("um_per_px", um_per_px), check_scale("diameter_px", diameter_px)
        if diameter_px is not None:
            if self.diameter_px is None:
                raise ValueError("This preset does not tell the diameter it was trained at, so none can be used.")
            return within_tolerance(self.diameter_px / diameter_px)
        if um_per_px is not None and self.um_per_px is not None:
            return within_tolerance(um_per_px / self.um_per_px)
        return 1.0

    def estimate_diameter(self, image):
        """Median diameter in pixels of the somas of an image, found at the scale that they themselves suggest.

        Returns:
            float, or None where no soma is found.

        Raises:
            ValueError: the network's own diameter is not known.
        """
        if self.diameter_px is None:
            raise ValueError("This preset does not tell the diameter it was trained at, so none can be estimated.")
        found = equivalent_diameters(self._segment_at_own_scale(check_image(image)).labels)
        return float(np.median(found)) if len(found) else None

    def settings(self):
        """The settings of this segmenter, as stored in preprocessor.json."""
        return {name: getattr(self, name) for name in DEFAULTS}

    def _ready(self, image):
        if self.smoothing_px:
            image = cv2.GaussianBlur(image.astype(np.float32), (0, 0), self.smoothing_px)
        return normalize_contrast(image)

    def predict(self, batch):
        """The maps of a batch of prepared images (N, H, W, 3): dict of (N, H, W, 1), see `somaseg.models.heads`."""
        batch = np.asarray(batch, np.float32)
        maps = predict_flipped(self._run, batch) if self.flips else self._run(batch)
        # 16 bits hold an offset to a few hundredths of a pixel, and of a large image every copy counts
        return {name: m.astype(np.float16) if name.startswith("offset") else m for name, m in maps.items()}


def check_image(image):
    """`image` as an array, if the segmenter can take it; a ValueError that says why not otherwise."""
    image = np.asarray(image)
    if image.dtype == bool:
        image = np.where(image, np.uint8(255), np.uint8(0))
    if not (np.issubdtype(image.dtype, np.integer) or np.issubdtype(image.dtype, np.floating)):
        raise ValueError(f"An image must hold real numbers, got {image.dtype}.")
    if image.ndim not in (2, 3) or (image.ndim == 3 and not 1 <= image.shape[-1] <= 4):
        raise ValueError(
            f"An image must have shape (H, W) or (H, W, 1 to 4), got {image.shape}. "
            "Of a stack or movie give one plane at a time."
        )
    if min(image.shape[:2]) < 16:
        raise ValueError(f"An image must be at least 16 x 16 pixels, got {image.shape[0]} x {image.shape[1]}.")
    if np.issubdtype(image.dtype, np.floating):
        bad = int(np.count_nonzero(~np.isfinite(image)))
        if bad:
            raise ValueError(f"{bad} of {image.size} values are NaN or infinite. Replace them before segmenting.")
    return image
