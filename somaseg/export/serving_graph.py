"""A network with everything a stock server needs around it: decoding, contrast, padding, in a few named signatures.

The network is traced once and all signatures call that one function; its weights are held once, as plain variables.
"""

import json

import tensorflow as tf

from somaseg.export import serving_contrast
from somaseg.models.heads import read_maps

LEAST_PX = 16
PACKED_DTYPES = {"probability": tf.float32, "offset_y": tf.float16, "offset_x": tf.float16}


class ServedNetwork(tf.Module):
    """A network and its signatures.

    Args:
        network: `somaseg.models.UNet` that gives logits.
        description: dict that the signature `describe` answers with.
    """

    def __init__(self, network, description):
        super().__init__()
        self.weights = [variable.value for variable in network.variables]
        self._network, self._description = _Untracked(network), json.dumps(description)
        self._maps = _Untracked(_traced(self._run, _images(network.input_channels, tf.float32)))

    def signatures(self):
        """The signatures by name, as `tf.saved_model.save` takes them."""
        channels = self._network.value.input_channels
        signatures = {
            "serving_default": (self._of_float, _images(channels, tf.float32)),
            "uint8": (self._of_uint8, _images(channels, tf.uint8)),
            "describe": (self._describe, tf.TensorSpec((None,), tf.string, name="question")),
        }
        if channels == 3:
            files = tf.TensorSpec((None,), tf.string, name="image_bytes")
            signatures |= {"encoded": (self._of_files, files), "packed": (self._packed, files)}
        return {name: _traced(function, spec) for name, (function, spec) in signatures.items()}

    def _run(self, image):
        return named_maps(self._network.value, image)

    def _padded(self, image):
        """The maps of float32 (N, H, W, C) of any size: mirrored to the pooling grid, and cut back."""
        height, width = tf.shape(image)[1], tf.shape(image)[2]
        tf.debugging.assert_greater_equal(
            tf.minimum(height, width), LEAST_PX, f"An image must be at least {LEAST_PX} x {LEAST_PX} pixels."
        )
        grid = 2 ** (self._network.value.depth - 1)
        padding = [[0, 0], [0, -height % grid], [0, -width % grid], [0, 0]]
        maps = self._maps.value(tf.pad(image, padding, "SYMMETRIC"))
        return {name: values[:, :height, :width] for name, values in maps.items()}

    def _of_float(self, image):
        return self._padded(image)

    def _of_uint8(self, image):
        return self._padded(tf.cast(image, tf.float32))

    def _of_files(self, image_bytes):
        return self._padded(_decoded(image_bytes, serving_contrast.normalize_contrast))

    def _packed(self, image_bytes):
        maps = self._padded(_decoded(image_bytes, lambda image: tf.cast(image, tf.float32)))
        return {f"{name}_bytes": _pack(values, PACKED_DTYPES.get(name, tf.float32)) for name, values in maps.items()}

    def _describe(self, question):
        return {"description": tf.fill(tf.shape(question), self._description)}


def named_maps(network, image):
    """A network's maps by the names of every exported form: "probability", and others as in `somaseg.models.heads`."""
    maps = read_maps(network(image, training=False), network.heads)
    return {"probability": maps.pop("mask"), **maps}


class _Untracked:
    """Hides a value from tf.Module, which would store its variables or functions another time under other names."""

    def __init__(self, value):
        self.value = value


def _traced(function, spec):
    return tf.function(function, input_signature=[spec], autograph=False).get_concrete_function()


def _images(channels, dtype):
    return tf.TensorSpec((None, None, None, channels), dtype, name="image")


def _decoded(files, prepare):
    """float32 (N, H, W, 3) of image files of one size, each prepared by a function from int32 (H, W, 3)."""
    first = tf.shape(_decode(files[0]))

    def read(file):
        image = _decode(file)
        tf.debugging.assert_equal(tf.shape(image), first, "All images of one request must have one size.")
        return prepare(image)

    return tf.map_fn(read, files, fn_output_signature=tf.TensorSpec((None, None, 3), tf.float32))


def _decode(file):
    """A PNG, of 8 or 16 bits, or a JPEG as int32 (H, W, 3); gray is repeated and opacity dropped."""

    def read(dtype):
        return tf.cast(tf.io.decode_image(file, channels=3, dtype=dtype, expand_animations=False), tf.int32)

    def read_jpeg():  # the accurate transform is OpenCV's; the other one is off by up to 17 levels
        return tf.cast(tf.io.decode_jpeg(file, channels=3, dct_method="INTEGER_ACCURATE"), tf.int32)

    head = tf.strings.substr(file, 0, 25)  # of a PNG: 8 bytes of signature, the size, and then the bits of a sample
    deep_png = tf.strings.regex_full_match(head, "(?s)\\CPNG\\C{20}\\x10")
    jpeg = tf.strings.substr(file, 0, 2) == b"\xff\xd8"
    image = tf.cond(jpeg, read_jpeg, lambda: tf.cond(deep_png, lambda: read(tf.uint16), lambda: read(tf.uint8)))
    return tf.ensure_shape(image, (None, None, 3))


def _pack(values, dtype):
    """(N, H, W, 1) as N strings: serialised TensorProtos, whose last H * W items are the values, row by row."""
    return tf.map_fn(tf.io.serialize_tensor, tf.cast(values, dtype), fn_output_signature=tf.string)
