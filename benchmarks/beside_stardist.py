"""Beside StarDist, on the same images: both trained from fresh weights on the same ids for the same processor time.

    pip install ".[test]" && pip install ".[openvino]"      # StarDist is in the first
    python benchmarks/beside_stardist.py --dataset dsb2018 --manual-dir FOLDER_WITH_stage1_train.zip --minutes 30

StarDist is as its authors use it for nuclei (32 rays, grid 2), on the same contrast-stretched pixels, with its own
flips, turns and changes of intensity. Both learn with Adam at their own rate, which falls to zero over the last two
thirds of the budget. StarDist chooses its thresholds on the validation images; somaseg has those that were chosen on
them for the shipped preset. The budget is processor time, so that another program on the machine takes nothing from
either. The shipped preset, which was trained for longer, has rows of its own: one for each runtime,
with the scale of each image estimated and as the images are.
"""

import argparse
import csv
import json
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SPLIT = Path(__file__).parent.parent / "tfds_builders" / "dsb2018" / "split.csv"
OWN_SCALE = "own scale"
COLUMNS = (
    *("", "parameters", "trained, min", "processor s per megapixel", "peak memory, MB"),
    *("all: AP .50", ".75", ".90", "mean", "fluorescence: AP .50", ".75", ".90", "mean"),
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="dsb2018", help="TFDS name, or folder with train.npz and validation.npz")
    parser.add_argument("--manual-dir", help="folder with the files that the data set is built from")
    parser.add_argument(
        "--minutes", type=float, default=30.0, help="processor minutes of training (default: %(default)s)"
    )
    parser.add_argument("--runtimes", nargs="*", default=["keras", "litert", "onnx", "openvino"])
    parser.add_argument("--work", type=Path, help="folder for networks and labels, kept (default: a temporary one)")
    parser.add_argument("--step", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        STEPS[options.step[0]](options.step[1], options)
        return
    with tempfile.TemporaryDirectory() as temporary:
        options.work = options.work or Path(temporary)
        options.work.mkdir(parents=True, exist_ok=True)
        print(f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|", sep="\n", flush=True)
        for kind in ("somaseg", "stardist"):
            _run_step("train", kind, options)
            _run_step("predict", kind, options)
        for runtime in options.runtimes:
            _run_step("predict", f"nuclei, {runtime}", options)
            _run_step("predict", f"nuclei, {runtime}, {OWN_SCALE}", options)


def _run_step(step, name, options):
    """In a process of its own, whose time and memory are its own; finished ones are not done again."""
    result = options.work / f"{step} {name}.json"
    if not result.exists():
        arguments = [sys.executable, __file__, *sys.argv[1:], "--work", str(options.work), "--step", step, name]
        subprocess.run(arguments, check=True, stdout=sys.stderr)
    if step == "predict":
        print(_row(name, json.loads(result.read_text())), flush=True)


def _row(name, result):
    scores = " | ".join(f"{value:.3f}" for value in result["all"] + result["fluorescence"])
    trained = f"{result['minutes']:.0f}" if result["minutes"] else "its card"
    seconds, memory = result["seconds_per_megapixel"], result["peak_mb"]
    return f"| {name} | {result['parameters']:,} | {trained} | {seconds:.2f} | {memory:.0f} | {scores} |"


def train(kind, options):
    """Train from fresh weights until the budget is used."""
    samples, validation = (_samples(split, options) for split in ("train", "validation"))
    {"somaseg": _train_somaseg, "stardist": _train_stardist}[kind](samples, validation, options)
    _write(options.work / f"train {kind}.json", {"minutes": options.minutes})


def _train_somaseg(samples, validation, options):
    import keras

    from somaseg import Segmenter
    from somaseg.data.pipeline import CropBatches, as_tf_dataset
    from somaseg.models import UNet
    from somaseg.training.recipes import NUCLEI
    from somaseg.training.trainer import SegmentationTrainer

    keras.utils.set_random_seed(1)
    trainer = SegmentationTrainer(UNet(heads="offsets"), NUCLEI.augmentation(), NUCLEI.overlap_weight)
    trainer.compile(optimizer=NUCLEI.optimizer(), jit_compile=False)
    batches = CropBatches(
        samples,
        batch_size=NUCLEI.batch_size,
        crop_size=NUCLEI.crop_size,
        seed=1,
        zoom=NUCLEI.zoom,
        diameter_px=NUCLEI.diameter_px,
    )
    passes = 10_000
    trainer.fit(
        as_tf_dataset(batches, passes),
        epochs=passes,
        steps_per_epoch=batches.num_batches,
        callbacks=[_budget(options.minutes)],
        verbose=2,
    )
    trainer.network.save_to_preset(options.work / "preset", preprocessor=Segmenter.preset_settings("nuclei"))


def _train_stardist(samples, validation, options):
    from stardist import fill_label_holes
    from stardist.models import Config2D, StarDist2D

    def augment(image, labels):
        axes = np.random.permutation(2)
        image, labels = image.transpose(*axes, 2), labels.transpose(*axes)
        for axis in (0, 1):
            if np.random.rand() < 0.5:
                image, labels = np.flip(image, axis), np.flip(labels, axis)
        return image * np.random.uniform(0.6, 2) + np.random.uniform(-0.2, 0.2), labels

    config = Config2D(n_rays=32, grid=(2, 2), n_channel_in=3, train_tensorboard=False)
    model = StarDist2D(config, name="stardist", basedir=str(options.work))
    model.prepare_for_training()
    model.callbacks.append(_budget(options.minutes))
    model.train(
        *_for_stardist(samples, fill_label_holes),
        validation_data=_for_stardist(validation, fill_label_holes),
        augmenter=augment,
        seed=1,
        epochs=10_000,
    )
    model.optimize_thresholds(*_for_stardist(validation, fill_label_holes))


def _for_stardist(samples, fill):
    images = [samples.stretched(i).astype(np.float32) / 255 for i in range(len(samples))]
    return images, [fill(labels) for labels in samples.instances]


def _budget(minutes):
    """A callback that lets the learning rate fall and ends the training when so much processor time is used."""
    import keras

    class Budget(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.start, self.rate = time.process_time(), float(self.model.optimizer.learning_rate)

        def on_train_batch_begin(self, batch, logs=None):
            used = (time.process_time() - self.start) / (60 * minutes)
            self.model.optimizer.learning_rate = self.rate * float(np.clip(1.5 * (1 - used), 1e-3, 1))
            self.used = used

        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = self.used >= 1

    return Budget()


def predict(name, options):
    """Label images of all validation images; their scores, the time they took, and the memory."""
    samples = _samples("validation", options)
    run, parameters, minutes = _open(name, options)
    run(samples.images[0])  # the first warms up
    start, labels = time.process_time(), []
    for image in samples.images:
        labels.append(run(image))
    seconds = time.process_time() - start
    scores = _scores(samples, labels)
    _write(
        options.work / f"predict {name}.json",
        {
            "parameters": parameters,
            "minutes": minutes,
            "seconds_per_megapixel": seconds / (sum(x.size for x in samples.instances) / 1e6),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            **scores,
        },
    )


def _open(name, options):
    """(function from an image to its label image, number of parameters, minutes of training or None)."""
    if name == "stardist":
        from stardist.models import StarDist2D

        from somaseg import normalize_contrast

        model = StarDist2D(None, name="stardist", basedir=str(options.work))
        count = model.keras_model.count_params()
        return lambda image: model.predict_instances(normalize_contrast(image) / 255.0)[0], count, options.minutes
    from somaseg import Segmenter
    from somaseg.models import UNet

    preset, *how = name.split(", ")
    if preset == "nuclei":
        scale = {"estimates_diameter": False} if OWN_SCALE in how else {}
        segmenter, minutes = Segmenter.from_preset(preset, runtime=how[0], **scale), None
    else:
        folder, minutes = options.work / "preset", options.minutes
        segmenter = Segmenter.from_preset(folder)
    count = UNet.from_preset("nuclei", load_weights=False).count_params()
    return lambda image: segmenter(image).labels, count, minutes


def _scores(samples, labels):
    from somaseg.segmentation.evaluation import score_images

    with open(SPLIT, newline="") as file:
        look = {row["id"]: row["look"] for row in csv.DictReader(file)}
    fluorescence = np.array([look[name].startswith("fluorescence") for name in samples.ids])
    table = score_images(zip(samples.ids, samples.instances, labels)).images
    told = {}
    for group, chosen in (("all", np.ones(len(samples), bool)), ("fluorescence", fluorescence)):
        ap = [float(table.loc[chosen, f"ap_{t:.2f}"].mean()) for t in np.arange(0.5, 0.96, 0.05)]
        told[group] = [ap[0], ap[5], ap[8], float(np.mean(ap))]
    return told


def _samples(split, options):
    """The samples of a split; of a TFDS data set they are read once and kept."""
    path = options.work / f"{split}.pickle"
    if path.exists():
        return pickle.loads(path.read_bytes())
    from somaseg.data.datasets import load_samples

    samples = load_samples(options.dataset, split, manual_dir=options.manual_dir)
    path.write_bytes(pickle.dumps(samples))
    return samples


def _write(path, document):
    path.write_text(json.dumps(document, indent=2))


STEPS = {"train": train, "predict": predict}

if __name__ == "__main__":
    from somaseg.startup import prepare_framework

    prepare_framework()
    main()
