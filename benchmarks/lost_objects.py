"""What becomes of the objects of a labelled data set: found, merged, missed, or outlined too poorly to count.

    python benchmarks/lost_objects.py --preset nuclei --dataset FOLDER_OF_NPZ --fluorescence
    python benchmarks/lost_objects.py --preset soma --dataset neuron_soma/simulated --split test

Found is IoU 0.5 one to one; merged as in docs/scores.md; missed overlaps no prediction by an IoU of 0.05; small is less
than 0.3 of the image's median area. Predictions that match nothing are counted by their best IoU.
"""

import argparse
import csv
from collections import Counter
from pathlib import Path

import numpy as np

from somaseg.data.datasets import load_samples
from somaseg.segmentation import Segmenter
from somaseg.segmentation.instance_matching import find_merges, match_instances
from somaseg.segmentation.instance_overlaps import overlap_instances

SPLIT = Path(__file__).parent.parent / "tfds_builders" / "dsb2018" / "split.csv"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="nuclei")
    parser.add_argument("--dataset", default="dsb2018", help="TFDS name, or folder with <split>.npz")
    parser.add_argument("--manual-dir", help="folder with the files that the data set is built from")
    parser.add_argument("--split", default="validation")
    parser.add_argument("--runtime", default="auto")
    parser.add_argument("--fluorescence", action="store_true", help="of dsb2018, the images of fluorescence only")
    options = parser.parse_args()
    samples = load_samples(options.dataset, options.split, manual_dir=options.manual_dir)
    with open(SPLIT, newline="") as file:
        looks = {row["id"]: row["look"] for row in csv.DictReader(file)}
    segmenter = Segmenter.from_preset(options.preset, runtime=options.runtime)
    true, false = Counter(), Counter()
    for name, image, instances in zip(samples.ids, samples.images, samples.instances):
        if options.fluorescence and not looks[name].startswith("fluorescence"):
            continue
        overlaps = overlap_instances(instances, segmenter(image).labels)
        true.update(_fates(overlaps))
        false.update(_false(overlaps))
    total = sum(true.values())
    for kind, count in true.most_common():
        print(f"{kind}: {count} of {total} ({100 * count / total:.1f} %)")
    for kind, count in sorted(false.items()):
        print(f"predicted, {kind}: {count} of {sum(false.values())}")


def _fates(overlaps):
    found, merged = set(overlaps.true[match_instances(overlaps)]), set(overlaps.true[find_merges(overlaps)[0]])
    best, median = _best(overlaps.true, overlaps), np.median(overlaps.true_px) if len(overlaps.true_px) else 0
    for index, area in enumerate(overlaps.true_px):
        if index in found or index in merged:
            yield "found" if index in found else "merged"
        else:
            kind = "missed" if best[index] < 0.05 else "outlined too poorly"
            yield f"{kind}, small" if area < 0.3 * median else kind


def _false(overlaps):
    found, best = set(overlaps.predicted[match_instances(overlaps)]), _best(overlaps.predicted, overlaps)
    for index in range(len(overlaps.predicted_px)):
        yield "right" if index in found else f"false, best IoU {'below' if best[index] < 0.2 else 'from'} 0.2"


def _best(side, overlaps):
    best = np.zeros(len(overlaps.true_px if side is overlaps.true else overlaps.predicted_px))
    np.maximum.at(best, side, overlaps.iou)
    return best


if __name__ == "__main__":
    main()
