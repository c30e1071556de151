"""Write a data set as train.npz and validation.npz, for a machine without TensorFlow (such as a GPU machine with JAX).

python launch/dataset_to_npz.py --dataset=dsb2018 --manual_dir=... --output=dsb2018_npz
KERAS_BACKEND=jax python launch/pretrain.py --dataset=dsb2018_npz      # there

With --diameter_px its images are brought to one scale first, such as that of other images that are trained on together
with them (finetune.py --dataset=A,B).
"""

from pathlib import Path

import _flags
from absl import flags

FLAGS = flags.FLAGS
_flags.define_data_flags("dsb2018")
flags.DEFINE_float("diameter_px", None, "Bring every image to the scale where its instances have this median diameter.")
flags.DEFINE_string("output", None, "Folder for the two files.", required=True)


def main(_):
    from somaseg.data.scaling import bring_to_diameter

    for split, samples in zip(("train", "validation"), _flags.read_training_data()):
        if FLAGS.diameter_px is not None:
            samples = bring_to_diameter(samples, FLAGS.diameter_px)
        path = Path(FLAGS.output) / f"{split}.npz"
        samples.save(path)
        print(f"wrote {path}: {len(samples)} images")


if __name__ == "__main__":
    _flags.run_main(main)
