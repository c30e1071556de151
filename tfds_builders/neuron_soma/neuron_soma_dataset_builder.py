"""Neurons with a label per soma: `lab`, from a lab's own files, and `simulated`, not real ones."""

import collections
import dataclasses

import numpy as np
import tensorflow_datasets as tfds
from absl import logging

from . import instances, lab, pixels, simulated


@dataclasses.dataclass
class SomaConfig(tfds.core.BuilderConfig):
    """A source of images; `dtype` is that of its images."""

    dtype: type = np.uint8


class Builder(tfds.core.GeneratorBasedBuilder):
    """Builds train and validation of one source of images.

    Of `lab`, what was repaired on the way is logged, and kept in `info.metadata["repairs"][split]`,
    a count for each of `pixels.REPAIRS`; `info.metadata["images_of_8_bits"]` counts by split too.
    `info.metadata["files"]` is the `lab.fingerprint` of the folder that it was built from.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"""
    neuron_soma/lab is built from your own annotated images: put them into `manual_dir`.
    {lab.LAYOUTS}
    neuron_soma/simulated needs no files.
    """
    BUILDER_CONFIGS = [
        SomaConfig(
            name="lab",
            description="A lab's own annotated images, 8 or 16 bits, values as in the file.",
            dtype=np.uint16,
        ),
        SomaConfig(
            name="simulated",
            description="Simulated images, none of them real, composed as SomaNet's training set.",
            dtype=np.uint8,
        ),
    ]

    def _info(self):
        labels = tfds.features.Image(
            shape=(None, None, 1),
            dtype=np.uint16,
            encoding_format="png",
            doc="0 is background, 1..n the somas of this image.",
        )
        image = tfds.features.Image(shape=(None, None, 3), dtype=self.builder_config.dtype, encoding_format="png")
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict({"image": image, "instances": labels, "id": tfds.features.Text()}),
            supervised_keys=("image", "instances"),
            metadata=tfds.core.MetadataDict(
                simulated=self.builder_config.name == "simulated", repairs={}, images_of_8_bits={}, files=""
            ),
        )

    def is_outdated(self, manual_dir):
        """Whether what was built is of other files than those of `manual_dir`."""
        return self.builder_config.name == "lab" and self.info.metadata.get("files") != lab.fingerprint(manual_dir)

    def _split_generators(self, dl_manager):
        if self.builder_config.name == "simulated":
            stills = simulated.list_stills()
            return {split: self._generate_examples_simulated(stills[split]) for split in stills}
        splits = lab.find_splits(dl_manager.manual_dir)
        self.info.metadata["files"] = lab.fingerprint(dl_manager.manual_dir)
        for split in [split for split, images in splits.items() if not images]:
            logging.warning(
                "neuron_soma/lab: %s has no image and is left out. To choose what validates, "
                "use sub-folders train/ and validation/.",
                split,
            )
        return {split: self._generate_examples(split, images) for split, images in splits.items() if images}

    def _generate_examples(self, split, images):
        repairs = collections.Counter(dict.fromkeys(pixels.REPAIRS, 0))
        of_8_bits = 0
        for lab_image in images:
            image = pixels.read_image(lab_image.image)
            labels = pixels.read_instances(lab_image, image.shape[:2], repairs)
            of_8_bits += image.dtype == np.uint8
            yield lab_image.id, _example(lab_image.id, image.astype(np.uint16), labels)
        self.info.metadata["repairs"][split] = dict(repairs)
        self.info.metadata["images_of_8_bits"][split] = of_8_bits
        for line in instances.repair_lines(repairs, pixels.REPAIRS):
            logging.warning("neuron_soma/lab %s: %s.", split, line)

    def _generate_examples_simulated(self, stills):
        for still_id, look, seed in stills:
            image, labels = simulated.simulate(look, seed)
            yield still_id, _example(still_id, image, labels)


def _example(image_id, image, labels):
    return {"image": image, "instances": labels[..., None], "id": image_id}
