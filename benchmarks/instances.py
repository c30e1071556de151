"""Which maps, and which way from them to instances, separate touching nuclei best, from one network with all of them.

    python launch/finetune.py --recipe=nuclei --dataset=dsb2018 --manual_dir=... --preset=dsb2018 --heads=all \
        --run=runs/all --save_preset=presets/all
    python benchmarks/instances.py --preset=presets/all --dataset=dsb2018 --manual_dir=...

Prints AP at IoU 0.50, 0.75, 0.90 and the mean of 0.50:0.05:0.95 per image, for all looks and fluorescence alone, the
time of each decoder beside that of the network, and what it ran on. Every decoder gets the same maps.
"""

import csv
import os
import platform
import time
from pathlib import Path

from absl import app, flags

FLAGS = flags.FLAGS
flags.DEFINE_string("preset", None, "Preset folder of a network with heads=all.", required=True)
flags.DEFINE_string("dataset", "dsb2018", "TFDS name, or a folder with validation.npz.")
flags.DEFINE_string("data_dir", None, "Where TFDS keeps built data sets.")
flags.DEFINE_string("manual_dir", None, "Folder with the files that the data set is built from.")
flags.DEFINE_float("threshold", 0.5, "Probability above which a pixel belongs to an instance.")
flags.DEFINE_integer("minimum_area_px", 20, "Smaller instances are dropped.")

SPLIT = Path(__file__).parent.parent / "tfds_builders" / "dsb2018" / "split.csv"


def main(_):
    import numpy as np
    from instance_decoders import DECODERS

    from somaseg.data.datasets import load_samples
    from somaseg.segmentation.evaluation import score_images

    samples = load_samples(FLAGS.dataset, "validation", data_dir=FLAGS.data_dir, manual_dir=FLAGS.manual_dir)
    maps, network_seconds = predict(samples)
    megapixels = sum(labels.size for labels in samples.instances) / 1e6
    with open(SPLIT, newline="") as file:
        look = {row["id"]: row["look"] for row in csv.DictReader(file)}
    fluorescence = np.array([look[name].startswith("fluorescence") for name in samples.ids])
    settings = {"threshold": FLAGS.threshold, "minimum_area_px": FLAGS.minimum_area_px}
    print(f"{len(samples)} images, {megapixels:.1f} megapixels, of which {fluorescence.sum()} images are fluorescence")
    print(f"{os.cpu_count()} CPUs ({platform.processor() or platform.machine()})")
    print(f"network: {network_seconds / megapixels:.3f} s per megapixel")
    print("decoder     s/megapixel | all looks: AP .50   .75   .90   mean | fluorescence: AP .50   .75   .90   mean")
    for name, decode in DECODERS.items():
        start = time.perf_counter()
        labels = [decode(m, **settings) for m in maps]
        seconds = (time.perf_counter() - start) / megapixels
        table = score_images(zip(samples.ids, samples.instances, labels)).images
        told = []
        for chosen in (np.ones(len(samples), bool), fluorescence):
            ap = [table.loc[chosen, f"ap_{t:.2f}"].mean() for t in np.arange(0.5, 0.96, 0.05)]
            told.append("   ".join(f"{value:.3f}" for value in (ap[0], ap[5], ap[8], np.mean(ap))))
        print(f"{name:12s}{seconds:11.3f} |           {told[0]} |              {told[1]}", flush=True)


def predict(samples):
    """(maps of each image, seconds in the network)."""
    from somaseg.segmentation.segmenter import Segmenter
    from somaseg.segmentation.tiling import predict_tiled

    segmenter, maps = Segmenter.from_preset(FLAGS.preset), []
    start = time.perf_counter()
    for index in range(len(samples)):
        image = samples.stretched(index)
        maps.append(predict_tiled(segmenter.predict, image, depth=segmenter.network.depth, tile_px=1024))
    return maps, time.perf_counter() - start


if __name__ == "__main__":
    app.run(main)
