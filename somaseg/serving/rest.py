"""TensorFlow Serving's REST interface, which KServe's V1 protocol is too: JSON, with files in base64.

It needs nothing but Python's standard library.
"""

import base64
import binascii
import contextlib
import http.client
import json
import socket
import ssl
import urllib.parse

from somaseg.serving.errors import (
    NotFound,
    Passing,
    ServerError,
    TooLargeError,
    UnreachableServerError,
    WrongModelError,
    shortened,
)

PORT = 8501
_PASSING = {429: "too many requests", 502: "bad gateway", 503: "unavailable", 504: "timed out on the server"}


class Rest:
    """Predictions and status over HTTP; a connection for each request, so that none is stale.

    Args:
        server: "HOST:PORT", or a URL, such as "https://HOST/PREFIX".
        model: name.
        version: int, or None for the latest.
    """

    def __init__(self, server, model, version=None):
        url = urllib.parse.urlsplit(server if "://" in server else f"http://{server}")
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError(f"A REST server is given as HOST:PORT or http(s)://HOST:PORT, got {server!r}.")
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        port = url.port or (443 if url.scheme == "https" else PORT)
        self.server = f"{url.hostname}:{port}"
        self._connect = lambda timeout_s: kind(url.hostname, port, timeout=timeout_s)
        self._models = f"{url.path.rstrip('/')}/v1/models/{urllib.parse.quote(model, safe='')}"
        self._path = self._models if version is None else f"{self._models}/versions/{version}"

    def predict(self, signature, name, values, *, timeout_s):
        """Run a signature.

        Args:
            signature: its name.
            name: of its one input.
            values: list of bytes, one for each image.
            timeout_s: for this attempt.

        Returns:
            Dict from output names to lists of bytes.

        Raises:
            Passing, NotFound, TimeoutError, ServerError: see `somaseg.serving.errors`.
        """
        rows = [{name: {"b64": base64.b64encode(value).decode()}} for value in values]
        body = json.dumps({"signature_name": signature, "instances": rows}).encode()
        answer = self._json("POST", f"{self._path}:predict", body, timeout_s)
        try:
            predictions = answer["predictions"]
            if not all(isinstance(row, dict) and "b64" not in row for row in predictions):  # one output has no name
                predictions = [{"": row} for row in predictions]
            return {key: [_content(row[key]) for row in predictions] for key in predictions[0]}
        except (KeyError, TypeError, IndexError, ValueError) as error:
            raise WrongModelError(f"{self.server} answered with something else than predictions.") from error

    def versions(self, *, timeout_s):
        """The model's versions and their states, such as {1: "AVAILABLE"}."""
        answer = self._json("GET", self._models, None, timeout_s)
        listed = answer.get("model_version_status", []) if isinstance(answer, dict) else []
        return {int(entry["version"]): entry["state"] for entry in listed}

    def _json(self, method, path, body, timeout_s):
        status, content = self._request(method, path, body, timeout_s)
        try:
            answer = json.loads(content)
        except ValueError:
            answer = None
        said = shortened(
            answer["error"] if isinstance(answer, dict) and "error" in answer else content.decode("latin1")
        )
        if status == 200 and answer is not None:
            return answer
        if status in _PASSING:
            raise Passing(f"{_PASSING[status]} ({said})")
        if status == 404:
            raise NotFound(said)
        if status == 413:
            raise TooLargeError(
                f"{self.server} takes no request of {len(body or b'') / 1e6:.1f} MB (413). Use smaller tiles (--tile), "
                "or raise the limit of what lies before the server."
            )
        raise refusal(self.server, said or f"HTTP {status}")

    def _request(self, method, path, body, timeout_s):
        connection = self._connect(timeout_s)
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused while sending: it may say why
                connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        except TimeoutError:
            raise
        except socket.gaierror as error:
            raise UnreachableServerError(f"{self.server}: no such host ({error.strerror}).") from error
        except ssl.SSLCertVerificationError as error:
            raise untrusted(self.server, error.verify_message) from error
        except (http.client.HTTPException, OSError) as error:
            what = shortened(error) or type(error).__name__
            raise Passing(f"{what}. Is the server running, and is this its REST port (usually {PORT})?") from error
        finally:
            connection.close()


def untrusted(server, said):
    """The error for a certificate that nobody vouches for here."""
    return UnreachableServerError(
        f"{server}: its certificate is not trusted here ({said}). For a certificate of your own, name the file with it "
        "in the environment variable SSL_CERT_FILE."
    )


def refusal(server, said):
    """The error for a request that a server understood and did not take, by its own words."""
    if any(words in said for words in ("different shapes and padding", "images of one request must have one size")):
        return Passing(said)  # the server put requests of several clients into one batch
    if "ignature" in said or "input tensor alias" in said or "named input" in said:
        return WrongModelError(
            f"The model on {server} is no export of this somaseg ({said}). Write it anew with somaseg export."
        )
    return ServerError(f"{server} refused the request: {said}")


def _content(value):
    """Bytes come as {"b64": ...}, text as text."""
    if isinstance(value, dict):
        try:
            return base64.b64decode(value["b64"], validate=True)
        except binascii.Error as error:
            raise ValueError("no base64") from error
    return str(value).encode()
