"""The network on a server as a function from a batch to its maps, which `somaseg.Segmenter` takes as its `predict`.

Tiles travel as PNG, prepared at home, so that all tiles of an image share one contrast; maps come back as the bytes of
their numbers. Nothing is lost on the way: the labels are those of the local run.
"""

import json

import cv2
import numpy as np

from somaseg.serving.errors import MissingModelError, NotFound, Passing, WrongModelError
from somaseg.serving.retrying import ask

PROTOCOLS = ("rest", "grpc")
_COMING = ("START", "LOADING", "AVAILABLE")  # the last: it came between the request and the question for it


class Client:
    """A model on a server that speaks TensorFlow Serving's interface.

    Args:
        server: "HOST:PORT" (8501 for REST and 8500 for gRPC if there is no port), or a URL.
        model: its name on the server.
        version: int, or None for the latest that is loaded.
        protocol: "rest", which needs nothing, or "grpc", which needs the extra `serving`.
        deadline_s: seconds for one request with all its retries.
        retries: how many times a request is sent again while the server is away or overloaded.
        in_flight: how many tiles of one image are under way at the same time.

    Attributes:
        description: dict that the model gives of itself, see `somaseg.export.export_saved_model`.
        settings: dict, the settings of `somaseg.Segmenter` that travelled with the model.
        depth: int, number of encoder stages.

    Raises:
        ValueError: an argument has a value that it cannot have.
        ServerError: no server, no such model, or another sort of model, see `somaseg.serving.errors`.
        ImportError: gRPC is asked for and not installed.
    """

    name = "server"

    def __init__(
        self, server, *, model="soma", version=None, protocol="rest", deadline_s=120.0, retries=5, in_flight=4
    ):
        if not deadline_s > 0:
            raise ValueError(f"deadline_s must be more than 0, got {deadline_s!r}.")
        for name, value, least in (("retries", retries, 0), ("in_flight", in_flight, 1)):
            if not isinstance(value, int) or value < least:
                raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}.")
        self._interface = _open(protocol, server, model, version)
        self.server, self.model, self.version = self._interface.server, model, version
        self.deadline_s, self.retries, self.in_flight = deadline_s, retries, in_flight
        self.description = self._describe()
        self.settings = self.description.get("preprocessor", {})
        self.depth = self.description["depth"]

    def __call__(self, batch):
        """The maps of a prepared batch.

        Args:
            batch: (N, H, W, 3), whole numbers in 0..255, H and W at least 16.

        Returns:
            Dict of (N, H, W, 1), named as in `somaseg.models.heads`: float32, offsets float16.

        Raises:
            ServerError: see `somaseg.serving.errors`.
        """
        answers = self._ask("packed", "image_bytes", [_png(image) for image in _checked(batch)])
        if list(answers) == [""] and len(self.description["packed"]) == 1:  # REST gives a single output no name
            answers = {f"{name}_bytes": answers[""] for name in self.description["packed"]}
        shape = (*np.shape(batch)[:3], 1)
        maps = {}
        for name, dtype in self.description["packed"].items():
            if name + "_bytes" not in answers:
                raise WrongModelError(f"The model {self.model} on {self.server} gave no {name}.")
            values = [self._unpacked(content, shape[1:], dtype) for content in answers[name + "_bytes"]]
            maps["mask" if name == "probability" else name] = np.stack(values)
        return maps

    def segmenter(self, **settings):
        """The `somaseg.Segmenter` that runs on this server, with the settings that travelled with the model.

        Args:
            **settings: constructor arguments that replace them.
        """
        from somaseg.segmentation.segmenter import DEFAULTS, Segmenter

        if unknown := sorted(set(self.settings) - set(DEFAULTS)):
            raise WrongModelError(
                f"The model {self.model} on {self.server} has settings {unknown} that this version of somaseg does not "
                "know. Install the version that exported it."
            )
        return Segmenter(predict=self, depth=self.depth, **{**self.settings, **settings})

    def versions(self):
        """The versions of the model that the server knows, and their states, such as {1: "AVAILABLE"}.

        Raises:
            MissingModelError: there is no such model.
        """
        try:
            return self._retrying(lambda left: self._interface.versions(timeout_s=left))
        except NotFound as error:
            raise self._missing(error) from None

    def _describe(self):
        (text,) = next(iter(self._ask("describe", "question", [b""]).values()))
        try:
            description = json.loads(text)
            if isinstance(description["depth"], int) and isinstance(description["packed"], dict):
                return description
        except (ValueError, KeyError, TypeError):
            pass
        raise WrongModelError(f"The model {self.model} on {self.server} is no export of somaseg.")

    def _ask(self, signature, name, values):
        def send(left):
            try:
                return self._interface.predict(signature, name, values, timeout_s=left)
            except NotFound as error:
                raise self._missing(error) from None

        return self._retrying(send)

    def _retrying(self, send):
        return ask(send, self.server, deadline_s=self.deadline_s, retries=self.retries)

    def _missing(self, error):
        """The reason why a model was not found; `Passing` while it is being loaded."""
        try:
            versions = self._interface.versions(timeout_s=min(self.deadline_s, 10))
        except (NotFound, Passing, TimeoutError):
            versions = {}
        coming = [version for version, state in versions.items() if state in _COMING]
        if coming and (self.version is None or self.version in coming):
            return Passing(f"the model {self.model} is being loaded")
        if versions:
            listed = ", ".join(f"{version} ({state.lower()})" for version, state in sorted(versions.items()))
            wanted = "any version ready" if self.version is None else f"version {self.version}"
            return MissingModelError(f"The model {self.model} on {self.server} has not {wanted}; it has {listed}.")
        return MissingModelError(
            f"There is no model {self.model} on {self.server} ({error}). Give its name with --model; "
            "models.config on the server lists them."
        )

    def _unpacked(self, content, shape, dtype):
        count, item = int(np.prod(shape)), np.dtype(dtype).newbyteorder("<")
        head = len(content) - count * item.itemsize
        if not 0 <= head <= 64:
            raise WrongModelError(
                f"{self.server} gave a map of {len(content)} bytes for {shape[0]} x {shape[1]} pixels."
            )
        return np.frombuffer(content, item, offset=head).reshape(shape)


def _open(protocol, server, model, version):
    if protocol not in PROTOCOLS:
        raise ValueError(f"protocol must be one of {PROTOCOLS}, got {protocol!r}.")
    if version is not None and (not isinstance(version, int) or version < 1):
        raise ValueError(f"version must be a whole number of at least 1, got {version!r}.")
    if protocol == "grpc":
        from somaseg.serving.grpc_interface import Grpc

        return Grpc(server, model, version)
    from somaseg.serving.rest import Rest

    return Rest(server, model, version)


def _checked(batch):
    batch = np.asarray(batch)
    if batch.ndim != 4 or batch.shape[-1] != 3:
        raise ValueError(f"A batch must have shape (N, H, W, 3), got {batch.shape}.")
    whole = batch.astype(np.uint8)
    if not np.array_equal(whole, batch):
        raise ValueError("A batch must hold whole numbers in 0..255: prepare images with somaseg.normalize_contrast.")
    return whole


def _png(image):
    """uint8 (H, W, 3) as a PNG file; gray, which most prepared images are, takes a third."""
    gray = (image[..., :1] == image).all()
    pixels = image[..., 0] if gray else image[..., ::-1]  # OpenCV's order is blue, green, red
    return cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()
