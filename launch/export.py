"""Write a preset for servers, small computers and other programs: the same as `somaseg export`.

python launch/export.py --preset=soma --output=served
"""

import _flags
from absl import flags

FLAGS = flags.FLAGS
flags.DEFINE_string("preset", "soma", "Preset (name or folder).")
flags.DEFINE_string("output", None, "Folder for the exported model.", required=True)
flags.DEFINE_list(
    "formats", ["saved_model", "fp32", "fp16"], "saved_model, fp32, fp16, int8, onnx, openvino, bioimageio."
)
flags.DEFINE_integer("version", 1, "Version number of the SavedModel.")
flags.DEFINE_string("size", "free", "Side in pixels of the square image that .tflite files take, or free.")
flags.DEFINE_string("representative", None, "Folder of images to calibrate int8 on; else simulated stills.")
flags.DEFINE_boolean("overwrite", False, "Replace an export that is there.")


def main(_):
    from somaseg.commands import export

    export.run(FLAGS)  # the flags bear the names of the command's options


if __name__ == "__main__":
    _flags.run_main(main)
