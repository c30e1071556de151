"""Serve an exported model with KServe's Python server: its V1 and V2 (open inference) protocols.

    pip install kserve tensorflow
    python examples/serving/kserve_model.py --model_name=soma --model_dir=served/soma/1

V1 is TensorFlow Serving's REST interface, so that `somaseg segment --server HOST:8080 --model soma` works as it is.
V2: the one input is the signature's, the parameter "signature_name" chooses it ("uint8" if there is none).
"""

import argparse
import base64

import kserve
import numpy as np
import tensorflow as tf


class ServedModel(kserve.Model):
    """A SavedModel whose signatures take one input each."""

    def __init__(self, name, folder):
        super().__init__(name)
        self.loaded = tf.saved_model.load(folder, tags=["serve"])
        self.ready = True

    def run(self, signature, values):
        function = self.loaded.signatures[signature]
        ((name, spec),) = function.structured_input_signature[1].items()
        return {key: found.numpy() for key, found in function(**{name: tf.constant(values, spec.dtype)}).items()}

    def predict(self, payload, headers=None, response_headers=None):
        if isinstance(payload, dict):
            return self.predict_v1(payload)
        given = payload.inputs[0]
        signature = (payload.parameters or {}).get("signature_name", "uint8")
        found = self.run(getattr(signature, "string_param", signature), given.as_numpy())
        outputs = []
        for name, values in found.items():
            kind = "BYTES" if values.dtype == object else "FP32"
            output = kserve.InferOutput(name, list(values.shape), kind)
            output.set_data_from_numpy(values, binary_data=False)
            outputs.append(output)
        return kserve.InferResponse(payload.id or "", self.name, outputs)

    def predict_v1(self, payload):
        rows = [
            next(iter(row.values())) if isinstance(row, dict) and "b64" not in row else row
            for row in payload["instances"]
        ]
        rows = [base64.b64decode(row["b64"]) if isinstance(row, dict) else row for row in rows]
        found = self.run(payload.get("signature_name", "serving_default"), rows)
        columns = {name: [_for_json(name, value) for value in values] for name, values in found.items()}
        if len(columns) == 1:
            return {"predictions": next(iter(columns.values()))}
        return {"predictions": [dict(zip(columns, row)) for row in zip(*columns.values())]}


def _for_json(name, value):
    if isinstance(value, np.ndarray):
        return value.tolist()
    return {"b64": base64.b64encode(value).decode()} if name.endswith("_bytes") else value.decode()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(parents=[kserve.model_server.parser])
    parser.add_argument("--model_dir", required=True)
    options, _ = parser.parse_known_args()
    kserve.ModelServer(enable_grpc=False).start([ServedModel(options.model_name, options.model_dir)])
