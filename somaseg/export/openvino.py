"""A network as OpenVINO's own files (.xml and .bin), made from the ONNX form that `somaseg.export.onnx` writes."""

import tempfile
from pathlib import Path

from somaseg.export.onnx import export_onnx
from somaseg.folders import whole_folder


def export_openvino(network, folder, *, name="model", description=None, overwrite=False):
    """Write `folder/<name>.xml` and `.bin`, 32 bit floats, whole or not at all; names and sizes as in `export_onnx`.

    Args:
        network: `somaseg.models.UNet` that gives logits.
        folder: where they go.
        name: str, stem of the two files.
        description: None, or a dict that is kept in the .xml under rt_info/somaseg.
        overwrite: bool, replace the files if they exist.

    Returns:
        The path of the .xml.

    Raises:
        FileExistsError: one of the files exists and `overwrite` is False.
        ImportError: openvino or onnx is not installed (extra `openvino`).
    """
    try:
        import openvino
    except ImportError as error:
        raise ImportError('OpenVINO files need the package openvino: pip install "somaseg[openvino]"') from error
    import json

    files = [f"{name}.xml", f"{name}.bin"]
    with whole_folder(folder, ours=files, overwrite=overwrite) as partial, tempfile.TemporaryDirectory() as made:
        model = openvino.Core().read_model(export_onnx(network, Path(made) / "model.onnx"))
        if description is not None:
            model.set_rt_info(json.dumps(description), ["somaseg"])
        openvino.save_model(model, partial / files[0], compress_to_fp16=False)
    return Path(folder) / files[0]
