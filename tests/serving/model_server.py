"""A small server that speaks TensorFlow Serving's REST and gRPC interfaces, for tests.

It runs SavedModels the way the C++ server does: loaded by tag into a session, fed and fetched by the tensor names that
the signature definitions give. Paths, bodies and error texts are those of TensorFlow Serving's source.
"""

import base64
import json
import re
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

HTTP = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}


class Failure(Exception):
    def __init__(self, code, text):
        super().__init__(text)
        self.code, self.text = code, text


class Servable:
    """A SavedModel in a session of its own."""

    def __init__(self, folder):
        self.session = tf.compat.v1.Session(graph=tf.Graph())
        with self.session.graph.as_default():
            self.meta_graph = tf.compat.v1.saved_model.loader.load(self.session, ["serve"], str(folder))

    def signature(self, name, *, missing):
        name = name or "serving_default"
        if name not in self.meta_graph.signature_def:
            raise missing(name)
        return self.meta_graph.signature_def[name]

    def run(self, request):
        """A PredictRequest to arrays by output name."""
        signature = self.signature(
            request.model_spec.signature_name,
            missing=lambda name: Failure("FAILED_PRECONDITION", f'Serving signature key "{name}" not found.'),
        )
        if set(request.inputs) != set(signature.inputs):
            raise Failure(
                "INVALID_ARGUMENT",
                f"input size does not match signature: {len(request.inputs)}!={len(signature.inputs)}. Sent extra: "
                f"{set(request.inputs) - set(signature.inputs)}.",
            )
        feed = {signature.inputs[name].name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
        fetch = {name: info.name for name, info in signature.outputs.items()}
        try:
            return self.session.run(fetch, feed)
        except tf.errors.OpError as error:
            raise Failure(tf_code(error), error.message) from error


def tf_code(error):
    names = {code.value[0]: code.name for code in grpc.StatusCode}
    return names[error.error_code]


class ModelServer:
    """Serves models over REST and gRPC on free ports of this machine.

    `before` is called at each prediction but "describe", and may raise a Failure or wait; `most_bytes` is the largest
    body taken; `tls` the files of a certificate and its key, for both, as a proxy before the server has them.
    """

    def __init__(self, models, *, states=None, rest_port=0, most_bytes=None, tls=None):
        self.models, self.states = models, states or {}
        self.before, self.count, self.under_way, self.most_under_way = lambda: None, 0, 0, 0
        self.largest = {"request": 0, "answer": 0}
        self.most_bytes, self._lock = most_bytes, threading.Lock()
        self._rest = ThreadingHTTPServer(("127.0.0.1", rest_port), type("Handler", (_Handler,), {"models": self}))
        self._rest.daemon_threads = True
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self._rest.socket = context.wrap_socket(self._rest.socket, server_side=True)
        threading.Thread(target=self._rest.serve_forever, args=(0.02,), daemon=True).start()
        options = [("grpc.max_receive_message_length", most_bytes or -1), ("grpc.so_reuseport", 0)]
        self._grpc = grpc.server(ThreadPoolExecutor(8), options=options)
        service = _Service(self)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, self._grpc)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(service, self._grpc)
        if tls is None:
            grpc_port = self._grpc.add_insecure_port("127.0.0.1:0")
        else:
            certificate, key = (path.read_bytes() for path in tls)
            secret = grpc.ssl_server_credentials([(key, certificate)])
            grpc_port = self._grpc.add_secure_port("127.0.0.1:0", secret)
        self._grpc.start()
        self.addresses = {"rest": f"127.0.0.1:{self._rest.server_port}", "grpc": f"127.0.0.1:{grpc_port}"}

    def stop(self):
        self._rest.shutdown()
        self._rest.server_close()
        self._grpc.stop(0).wait()

    def servable(self, model, version):
        versions = self.models.get(model, {})
        ready = [number for number in versions if self.states.get((model, number), "AVAILABLE") == "AVAILABLE"]
        if version is None and ready:
            version = max(ready)
        if version not in ready:
            wanted = f"Latest({model})" if version is None else f"Specific({model}, {version})"
            raise Failure("NOT_FOUND", f"Servable not found for request: {wanted}")
        return versions[version]

    def predict(self, request):
        spec = request.model_spec
        servable = self.servable(spec.name, spec.version.value if spec.HasField("version") else None)
        if spec.signature_name == "describe":
            return servable.run(request)
        with self._lock:
            self.count += 1
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            self.before()
            return servable.run(request)
        finally:
            with self._lock:
                self.under_way -= 1

    def status(self, model, version):
        if model not in self.models:
            raise Failure("NOT_FOUND", f"Could not find any versions of model {model}")
        if version is not None and version not in self.models[model]:
            raise Failure("NOT_FOUND", f"Could not find version {version} of model {model}")
        answer = get_model_status_pb2.GetModelStatusResponse()
        for number in sorted(self.models[model], reverse=True):
            if version in (None, number):
                state = self.states.get((model, number), "AVAILABLE")
                answer.model_version_status.add(version=number, state=state)
        return answer


class _Service:
    """Both gRPC services; classify, regress and the rest are not there."""

    Classify = Regress = MultiInference = HandleReloadConfigRequest = PredictStreamed = None

    def __init__(self, models):
        self.models = models

    def Predict(self, request, context):
        answer = predict_pb2.PredictResponse()
        outputs = self._told(context, self.models.predict, request)
        for name, values in outputs.items():
            answer.outputs[name].CopyFrom(tf.make_tensor_proto(values))
        return answer

    def GetModelStatus(self, request, context):
        spec = request.model_spec
        return self._told(
            context, self.models.status, spec.name, spec.version.value if spec.HasField("version") else None
        )

    def GetModelMetadata(self, request, context):
        servable = self._told(context, self.models.servable, request.model_spec.name, None)
        answer = get_model_metadata_pb2.GetModelMetadataResponse()
        answer.model_spec.name = request.model_spec.name
        signatures = get_model_metadata_pb2.SignatureDefMap(signature_def=servable.meta_graph.signature_def)
        answer.metadata["signature_def"].Pack(signatures)
        return answer

    def _told(self, context, function, *arguments):
        try:
            return function(*arguments)
        except Failure as failure:
            context.abort(grpc.StatusCode[failure.code], failure.text)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    POST = re.compile(r"(?i)/v1/models/([^/:]+)(?:/versions/(\d+))?:predict")
    GET = re.compile(r"(?i)/v1/models/([^/:]+)(?:/versions/(\d+))?(/metadata)?")

    def do_POST(self):
        size = int(self.headers["Content-Length"])
        self.models.largest["request"] = max(size, self.models.largest["request"])
        if self.models.most_bytes and size > self.models.most_bytes:
            self.close_connection = True
            return self._send(413, b"<html>413 Request Entity Too Large</html>")
        body = self.rfile.read(size)
        self._answer(self.POST, lambda model, version: self._predict(model, version, body))

    def do_GET(self):
        self._answer(self.GET, self._tell)

    def log_message(self, *_):
        pass

    def _answer(self, pattern, function):
        matched = pattern.fullmatch(self.path)
        try:
            if not matched:
                raise Failure("INVALID_ARGUMENT", f"Malformed request: {self.command} {self.path}")
            model, version, *more = matched.groups()
            code, text = 200, function(model, None if version is None else int(version), *more)
        except Failure as failure:
            code, text = HTTP[failure.code], json.dumps({"error": failure.text})
        self._send(code, text.encode())

    def _send(self, code, body):
        self.models.largest["answer"] = max(len(body), self.models.largest["answer"])
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _tell(self, model, version, metadata):
        if not metadata:
            return json_format.MessageToJson(self.models.status(model, version))
        signatures = self.models.servable(model, version).meta_graph.signature_def
        told = json_format.MessageToDict(
            get_model_metadata_pb2.SignatureDefMap(signature_def=signatures), preserving_proto_field_name=True
        )
        return json.dumps({"model_spec": {"name": model}, "metadata": {"signature_def": told}})

    def _predict(self, model, version, body):
        try:
            document = json.loads(body)
        except ValueError as error:
            raise Failure("INVALID_ARGUMENT", f"JSON Parse error: {error}") from error
        if ("instances" in document) == ("inputs" in document):
            raise Failure("INVALID_ARGUMENT", "Missing 'inputs' or 'instances' key")
        request = predict_pb2.PredictRequest()
        request.model_spec.name = model
        request.model_spec.signature_name = document.get("signature_name", "")
        if version is not None:
            request.model_spec.version.value = version
        wanted = self.models.servable(model, version).signature(
            request.model_spec.signature_name,
            missing=lambda name: Failure(
                "INVALID_ARGUMENT", f'Serving signature name: "{name}" not found in signature def'
            ),
        )
        for name, values in _columns(document, sorted(wanted.inputs)).items():
            if name not in wanted.inputs:
                raise Failure("INVALID_ARGUMENT", f"JSON object: does not have named input: {name}")
            kind = tf.as_dtype(wanted.inputs[name].dtype)
            request.inputs[name].CopyFrom(tf.make_tensor_proto(np.array(_decoded(values), kind.as_numpy_dtype), kind))
        columns = {name: _encoded(name, values) for name, values in self.models.predict(request).items()}
        if "inputs" in document:
            return json.dumps({"outputs": columns if len(columns) > 1 else next(iter(columns.values()))})
        if len(columns) == 1:
            return json.dumps({"predictions": next(iter(columns.values()))})
        return json.dumps({"predictions": [dict(zip(columns, row)) for row in zip(*columns.values())]})


def _columns(document, names):
    """The values of each input; a plain list or value belongs to the only one."""
    if "inputs" in document:
        given = document["inputs"]
        return given if isinstance(given, dict) and set(given) != {"b64"} else {names[0]: given}
    rows = document["instances"]
    if isinstance(rows[0], dict) and set(rows[0]) != {"b64"}:
        return {name: [row[name] for row in rows] for name in rows[0]}
    return {names[0]: rows}


def _decoded(value):
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value


def _encoded(name, values):
    if values.dtype != object:
        return values.tolist()
    if name.endswith("_bytes"):
        return [{"b64": base64.b64encode(value).decode()} for value in values]
    return [value.decode() for value in values]
