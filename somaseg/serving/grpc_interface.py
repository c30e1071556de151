"""TensorFlow Serving's gRPC interface: less work and fewer bytes than REST, but it needs tensorflow-serving-api.

Its messages are built on TensorFlow's own, so that TensorFlow is imported; no network is loaded.
"""

import os
import urllib.parse
from pathlib import Path

from somaseg.serving.errors import NotFound, Passing, TooLargeError, UnreachableServerError, WrongModelError, shortened
from somaseg.serving.rest import refusal, untrusted

PORT, TLS_PORT = 8500, 443


class Grpc:
    """Predictions and status over one gRPC channel, which threads may share.

    Args:
        server: "HOST:PORT"; "https://HOST:PORT" for TLS (443 if there is no port), with the certificates in the file
            that the environment variable SSL_CERT_FILE names, or those that gRPC brings.
        model: name.
        version: int, or None for the latest.

    Raises:
        ValueError: `server` is no address, or the file that SSL_CERT_FILE names cannot be read.
        ImportError: tensorflow-serving-api is not installed (extra `serving`).
    """

    def __init__(self, server, model, version=None):
        self._grpc, self._messages = _packages()
        url = urllib.parse.urlsplit(server if "://" in server else f"http://{server}")
        if url.scheme not in ("http", "https", "grpc") or not url.hostname or url.path.strip("/"):
            raise ValueError(f"A gRPC server is given as HOST:PORT or https://HOST:PORT, got {server!r}.")
        host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
        self.server = f"{host}:{url.port or (TLS_PORT if url.scheme == 'https' else PORT)}"
        unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        if url.scheme == "https":
            secret = self._grpc.ssl_channel_credentials(_certificates())
            channel = self._grpc.secure_channel(self.server, secret, options=unlimited)
        else:
            channel = self._grpc.insecure_channel(self.server, options=unlimited)
        self._predict = self._messages.PredictionServiceStub(channel).Predict
        self._status = self._messages.ModelServiceStub(channel).GetModelStatus
        self._model, self._version, self._channel = model, version, channel

    def predict(self, signature, name, values, *, timeout_s):
        """As `somaseg.serving.rest.Rest.predict`."""
        request = self._messages.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = self._model, signature
        if self._version is not None:
            request.model_spec.version.value = self._version
        tensor = request.inputs[name]
        tensor.dtype = self._messages.DT_STRING
        tensor.tensor_shape.dim.add().size = len(values)
        tensor.string_val.extend(values)
        outputs = self._call(self._predict, request, timeout_s).outputs
        if any(output.dtype != self._messages.DT_STRING for output in outputs.values()):
            raise WrongModelError(f"{self.server} answered with something else than predictions.")
        return {key: list(output.string_val) for key, output in outputs.items()}

    def versions(self, *, timeout_s):
        """As `somaseg.serving.rest.Rest.versions`."""
        request = self._messages.GetModelStatusRequest()
        request.model_spec.name = self._model
        answer = self._call(self._status, request, timeout_s)
        state = self._messages.ModelVersionStatus.State
        return {entry.version: state.Name(entry.state) for entry in answer.model_version_status}

    def _call(self, method, request, timeout_s):
        try:
            return method(request, timeout=timeout_s)
        except self._grpc.RpcError as error:
            raise self._told(error, request) from error

    def _told(self, error, request):
        code, said, codes = error.code(), shortened(error.details()), self._grpc.StatusCode
        if code == codes.DEADLINE_EXCEEDED:
            return TimeoutError(said)
        if code == codes.NOT_FOUND:
            return NotFound(said)
        if code == codes.UNAVAILABLE and "DNS" in said:
            return UnreachableServerError(f"{self.server}: no such host ({said}).")
        if code == codes.UNAVAILABLE and "CERTIFICATE_VERIFY_FAILED" in said:
            return untrusted(self.server, said)
        if code == codes.UNIMPLEMENTED:
            return WrongModelError(f"{self.server} speaks gRPC, but is no TensorFlow Serving ({said}).")
        if "larger than max" in said or "too large" in said:
            return TooLargeError(
                f"{self.server} takes no message of {request.ByteSize() / 1e6:.1f} MB ({said}). Use smaller tiles "
                "(--tile), or raise the server's limit (grpc.max_receive_message_length)."
            )
        if code in (codes.UNAVAILABLE, codes.RESOURCE_EXHAUSTED, codes.ABORTED, codes.CANCELLED):
            return Passing(f"{said}. Is the server running, and is this its gRPC port (usually {PORT})?")
        return refusal(self.server, said)


def _certificates():
    """Those that the user trusts, as Python's ssl reads SSL_CERT_FILE; None for those that gRPC brings."""
    path = os.environ.get("SSL_CERT_FILE")
    try:
        return Path(path).read_bytes() if path else None
    except OSError as error:
        raise ValueError(f"The file {path} that SSL_CERT_FILE names cannot be read: {error.strerror}.") from error


def _packages():
    try:
        import grpc
        from tensorflow_serving.apis import (
            get_model_status_pb2,
            model_service_pb2_grpc,
            predict_pb2,
            prediction_service_pb2_grpc,
        )
    except ImportError as error:
        raise ImportError(
            'gRPC needs the package tensorflow-serving-api: pip install "somaseg[serving]"; or use --protocol rest.'
        ) from error

    class Messages:
        PredictRequest = predict_pb2.PredictRequest
        PredictionServiceStub = prediction_service_pb2_grpc.PredictionServiceStub
        ModelServiceStub = model_service_pb2_grpc.ModelServiceStub
        GetModelStatusRequest = get_model_status_pb2.GetModelStatusRequest
        ModelVersionStatus = get_model_status_pb2.ModelVersionStatus
        DT_STRING = 7  # tensorflow/core/framework/types.proto

    return grpc, Messages
