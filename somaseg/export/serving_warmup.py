"""The requests that TF Serving runs through a model before it says that it is ready: no user waits for the first."""

import importlib.util

import cv2
import numpy as np

NAME = "tf_serving_warmup_requests"
SIDES_PX = (256, 1024)  # of a small image, and of the segmenter's tiles


def can_write_warmup():
    """Whether the messages of TF Serving (extra `serving`) are installed."""
    return importlib.util.find_spec("tensorflow_serving") is not None


def write_warmup(folder, model, *, channels=3):
    """Write the file `tf_serving_warmup_requests`, a TFRecord of PredictionLog, one for each signature and size.

    Args:
        folder: `assets.extra` of a model's version.
        model: the model's name in TF Serving.
        channels: of its images.

    Returns:
        The number of requests; 0, and no file, without tensorflow-serving-api (extra `serving`).
    """
    if not can_write_warmup():
        return 0
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    requests = _requests(channels)
    with tf.io.TFRecordWriter(str(folder / NAME)) as file:
        for signature, name, value in requests:
            request = predict_pb2.PredictRequest()
            request.model_spec.name, request.model_spec.signature_name = model, signature
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
            file.write(log.SerializeToString())
    return len(requests)


def _requests(channels):
    small, large = (_image(side) for side in SIDES_PX)
    pictures = np.repeat(small[None, :, :, None], channels, axis=3)
    requests = [
        ("describe", "question", [b""]),
        ("serving_default", "image", pictures.astype(np.float32)),
        ("uint8", "image", pictures),
    ]
    if channels == 3:
        requests += [("encoded", "image_bytes", [_png(small)])]
        requests += [("packed", "image_bytes", [_png(image)]) for image in (small, large)]
    return requests


def _image(side):
    """A gray ramp with square cells, which compresses to a few kilobytes."""
    image = np.tile(np.linspace(0, 63, side).astype(np.uint8), (side, 1))
    for start in range(16, side - 16, 64):
        image[start : start + 14, start : start + 14] = 255
    return image


def _png(image):
    return cv2.imencode(".png", image)[1].tobytes()
