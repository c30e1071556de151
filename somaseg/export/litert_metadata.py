"""Facts kept inside a .tflite file: one named metadata buffer of JSON, which any program that opens it can read."""

import json

NAME = "SOMASEG"


def with_metadata(content, facts):
    """The bytes of a .tflite file with `facts` in it; what was kept there before is replaced.

    Args:
        content: bytes of a .tflite file.
        facts: dict that JSON can hold.
    """
    import flatbuffers

    schema = _schema()
    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    model.metadata = [entry for entry in model.metadata or [] if entry.name != NAME.encode()]
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = list(json.dumps(facts).encode())
    entry.name, entry.buffer = NAME, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata.append(entry)
    builder = flatbuffers.Builder(len(content) + 1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def read_metadata(content):
    """The facts in the bytes of a .tflite file.

    Raises:
        ValueError: there are none.
    """
    model = _schema().Model.GetRootAs(bytearray(content), 0)
    for i in range(model.MetadataLength()):
        if model.Metadata(i).Name() == NAME.encode():
            return json.loads(model.Buffers(model.Metadata(i).Buffer()).DataAsNumpy().tobytes())
    raise ValueError(f"This .tflite file holds no {NAME} metadata: write it with somaseg export.")


def _schema():
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError:
        from tensorflow.lite.python import schema_py_generated
    return schema_py_generated
