"""Score a preset on a labelled data set: whole images, the same steps as `somaseg segment`.

    python launch/evaluate.py --preset=dsb2018 --dataset=dsb2018 --split=validation --output=scores

Prints the scores and writes into --output: scores.json (all that is pooled), images.csv (one row per image), iou.csv
(image and IoU), submission.csv (run-length codes of the predictions, as for the Data Science Bowl), coco_truth.json and
coco_predictions.json (instances in COCO's format), worst/ (the images with the lowest IoU: truth and prediction side by
side) and errors/ (those with the lowest AP: what is missed, false, merged and split).
"""

from pathlib import Path

import _flags
from absl import flags

FLAGS = flags.FLAGS
flags.DEFINE_string("preset", "soma", "Preset (name or folder).")
flags.DEFINE_string("dataset", "neuron_soma/simulated", "TFDS name, or a folder with <split>.npz.")
flags.DEFINE_string("split", "validation", "Split to score.")
flags.DEFINE_string("data_dir", None, "Where TFDS keeps built data sets (default: ~/tensorflow_datasets).")
flags.DEFINE_string("manual_dir", None, "Folder with the files that the data set is built from.")
flags.DEFINE_string("output", None, "Folder for the scores (default: only print).")
flags.DEFINE_float("threshold", None, "Probability above which a pixel is soma (default: the preset's).")
flags.DEFINE_integer("minimum_area_px", None, "Drop smaller objects (default: the preset's).")
flags.DEFINE_float("edge_area_share", None, "Share of it enough of what the edge cuts (default: the preset's).")
flags.DEFINE_float("vote_spread_px", None, "Spread of the votes for a centre (default: the preset's).")
flags.DEFINE_boolean("estimates_diameter", None, "Estimate the scale of each image (default: the preset's).")
flags.DEFINE_float("diameter", None, "Typical diameter of the somas in the images, pixels; none is estimated then.")
flags.DEFINE_boolean("flips", None, "Average over the image and its mirror images (default: the preset's).")
flags.DEFINE_integer("worst", 12, "Number of images drawn, by IoU and by AP.")


def main(_):
    from tqdm import tqdm

    from somaseg.data.datasets import load_samples
    from somaseg.files import replace_when_whole
    from somaseg.folders import whole_folder
    from somaseg.report.error_panels import save_error_panels
    from somaseg.report.panels import save_worst
    from somaseg.segmentation.coco_annotations import write_coco
    from somaseg.segmentation.evaluation import score_images, write_scores
    from somaseg.segmentation.kaggle_submission import write_submission
    from somaseg.segmentation.segmenter import Segmenter

    names = ("threshold", "minimum_area_px", "edge_area_share", "vote_spread_px", "estimates_diameter", "flips")
    settings = {name: FLAGS[name].value for name in names if FLAGS[name].value is not None}
    segmenter = Segmenter.from_preset(FLAGS.preset, **settings)
    samples = load_samples(FLAGS.dataset, FLAGS.split, data_dir=FLAGS.data_dir, manual_dir=FLAGS.manual_dir)
    images = tqdm(samples.images, unit="image", disable=None)
    predictions = [segmenter(image, diameter_px=FLAGS.diameter).labels for image in images]
    scores = score_images(zip(samples.ids, samples.instances, predictions))
    print(scores)
    if not FLAGS.output:
        return
    output, source = Path(FLAGS.output), f"{FLAGS.dataset} {FLAGS.split}"
    facts = {"preset": FLAGS.preset, "dataset": FLAGS.dataset, "split": FLAGS.split, "diameter": FLAGS.diameter}
    facts |= segmenter.settings()
    write_scores(scores, output, table="images.csv", facts=facts)
    with replace_when_whole(output / "iou.csv") as partial:
        scores.images[["image", "iou"]].to_csv(partial, index=False)
    write_submission(zip(samples.ids, predictions), output / "submission.csv")
    for name, labels in (("truth", samples.instances), ("predictions", predictions)):
        write_coco(zip(samples.ids, labels), output / f"coco_{name}.json", description=f"{source}, {name}")

    def load(index):
        return samples.instances[index], predictions[index], samples.images[index]

    with whole_folder(output / "worst", ours=["*.png"], overwrite=True) as partial:
        save_worst(scores, samples, predictions, partial, count=FLAGS.worst)
    with whole_folder(output / "errors", ours=["*.png"], overwrite=True) as partial:
        save_error_panels(scores, load, partial, count=FLAGS.worst, heading=f"{source}: ")
    print(f"Look at {output}/errors/*.png and {output}/worst/*.png")


if __name__ == "__main__":
    _flags.run_main(main)
