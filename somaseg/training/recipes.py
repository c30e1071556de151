"""Recipes: everything that decides how a training comes out, as a frozen record that is stored beside its result."""

import dataclasses

import keras

from somaseg.data.augmentation import ElasticDeformation, RandomFlip, ThreefoldAugmentation
from somaseg.data.imaging import ImagingVariation
from somaseg.training.optimizers import AdamL2


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How to train. The defaults are the paper's pretraining (Schaepe & Agrawal): Adam, 1e-3, batch 16, 160 epochs.

    Attributes:
        learning_rate: Adam's, constant but for the cool-down.
        cooldown_epochs: number of last epochs over which the learning rate falls linearly towards zero; 0 in the paper.
        overlap_weight: weight of the soft IoU loss beside the binary cross-entropy; 0 in the paper.
        weight_decay: L2, added to the gradient, see `somaseg.training.optimizers.AdamL2`.
        batch_size: crops per step.
        epochs: passes over the training set.
        crop_size: side of the square crops, pixels.
        trainable_groups: number (or fraction) of layer groups retrained, from the output; None for all.
        threefold: the paper's set of 3n examples (original, mirrored, deformed) instead of random flips and
            deformation of n examples.
        flips: mirror left-right and up-down at random (no effect with `threefold`).
        elastic_rate: share of the crops that are elastically deformed (no effect with `threefold`).
        elastic_alpha, elastic_sigma: amplitude and smoothness of the deformation, pixels.
        imaging_rate: share of the crops whose gamma, gain, stain and noise are varied
            (`somaseg.data.imaging.ImagingVariation`); 0 in the paper.
        raw_rate: share of the crops left at raw intensities instead of contrast-stretched.
        zoom: crops are magnified by a random factor, log-uniform in 1/zoom..zoom; 1 in the paper.
        diameter_px: images are brought to the scale at which the median diameter of their instances is this, as
            `somaseg.Segmenter` does where a preset says so; None, as in the paper, leaves them as they are.
        smoothing_px: Gaussian smoothing of the crops against noise, pixels; the preset is given the same.
        fixed_examples: crops and augmentation are drawn once and are the same in every epoch, instead of afresh.
        moving_statistics: batch norms of the frozen groups use and update the statistics of the batch, as in the
            paper's code, instead of staying as they are.
        precise_statistics: after each epoch the running statistics of the batch norms that are trained are taken anew
            over the training examples (`somaseg.training.precise_statistics`), instead of left to lag behind.
        labelled_images: number of training images used, chosen by the seed; None for all.
        unlabelled_images: number of unlabelled images whose certain pixels are trained on too
            (`somaseg.training.self_training`); 0 for none.
        certainty: probability of a pixel's class above which its pseudo-label is used.
        last_epoch: the result is the network as the last epoch left it, instead of as its best one did; of few
            validation images the best epoch is chance.
        seed: of crops, order, augmentation and fresh weights.
        mixed_precision: compute in bfloat16, keep weights in float32.
    """

    learning_rate: float = 1e-3
    overlap_weight: float = 0.0
    weight_decay: float = 1e-4
    batch_size: int = 16
    epochs: int = 160
    cooldown_epochs: int = 0
    crop_size: int = 256
    trainable_groups: int | float | None = None
    threefold: bool = False
    flips: bool = True
    elastic_rate: float = 0.5
    elastic_alpha: float = 34.0
    elastic_sigma: float = 4.0
    imaging_rate: float = 0.0
    raw_rate: float = 0.0
    zoom: float = 1.0
    diameter_px: float | None = None
    smoothing_px: float = 0.0
    fixed_examples: bool = False
    moving_statistics: bool = False
    precise_statistics: bool = False
    labelled_images: int | None = None
    unlabelled_images: int = 0
    certainty: float = 0.9
    last_epoch: bool = False
    seed: int = 1
    mixed_precision: bool = False

    def __post_init__(self):
        for name, least in (("batch_size", 1), ("epochs", 1), ("crop_size", 16)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}.")
        for name in ("elastic_rate", "imaging_rate", "raw_rate"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be between 0 and 1, got {getattr(self, name)!r}.")
        for name, least in (("labelled_images", 1), ("unlabelled_images", 0)):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < least):
                raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}.")
        if not 0.5 <= self.certainty < 1:
            raise ValueError(f"certainty must be at least 0.5 and below 1, got {self.certainty!r}.")
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate must be positive, got {self.learning_rate!r}.")
        if self.zoom < 1:
            raise ValueError(f"zoom must be 1 or more, got {self.zoom!r}.")
        if self.diameter_px is not None and not self.diameter_px > 0:
            raise ValueError(f"diameter_px must be positive, got {self.diameter_px!r}.")
        if self.crop_size % 16:
            raise ValueError(f"crop_size must be a multiple of 16 pixels, got {self.crop_size}.")

    @classmethod
    def from_dict(cls, values):
        """The recipe with these values; an unknown key is refused."""
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"A recipe has no {unknown}; it has {sorted(known)}.")
        return cls(**values)

    def to_dict(self):
        return dataclasses.asdict(self)

    def augmentation(self):
        """The layers that run inside the training step, in order."""
        elastic = {"alpha": self.elastic_alpha, "sigma": self.elastic_sigma, "seed": self.seed}
        chosen = []
        if self.imaging_rate > 0:
            chosen.append(ImagingVariation(rate=self.imaging_rate, seed=self.seed))
        if self.threefold:
            return [*chosen, ThreefoldAugmentation(**elastic)]
        if self.flips:
            chosen.append(RandomFlip(seed=self.seed))
        if self.elastic_rate > 0:
            chosen.append(ElasticDeformation(rate=self.elastic_rate, **elastic))
        return chosen

    def learning_rate_at(self, epoch):
        """The learning rate of an epoch, counted from 0."""
        return self.learning_rate * min(1.0, (self.epochs - epoch) / (self.cooldown_epochs + 1))

    def optimizer(self):
        return AdamL2(learning_rate=self.learning_rate, l2=self.weight_decay)

    def dtype_policy(self):
        return keras.DTypePolicy("mixed_bfloat16" if self.mixed_precision else "float32")


PRETRAINING = Recipe()
TRANSFER = Recipe(batch_size=8, epochs=50, trainable_groups=3, threefold=True, precise_statistics=True)
# The paper's 32 images made 96, read to the letter: one deformation of each image, the same in every epoch.
REPORT = dataclasses.replace(TRANSFER, fixed_examples=True, precise_statistics=False)
# The paper's check that the network can fit one image; a pass of one example is one step.
SINGLE_IMAGE = Recipe(
    learning_rate=1e-4,
    batch_size=1,
    epochs=150,
    trainable_groups=3,
    flips=False,
    elastic_rate=0.0,
    fixed_examples=True,
)
# Beyond the paper, with the last three groups retrained as there: the first stage of the shipped preset `somanet`.
BEST = dataclasses.replace(TRANSFER, overlap_weight=1.0, learning_rate=3e-3, epochs=40, cooldown_epochs=25)
# The same with every group retrained.
BEST_ALL_GROUPS = dataclasses.replace(BEST, trainable_groups=None, learning_rate=1e-3)
# How the presets `nuclei` and `soma` were trained last; saved_models/*/README.md tell all runs and what came of it.
NUCLEI = Recipe(
    overlap_weight=1.0,
    weight_decay=1e-5,
    batch_size=8,
    epochs=20,
    cooldown_epochs=14,
    crop_size=192,
    elastic_rate=0.15,
    imaging_rate=0.3,
    zoom=1.35,
    diameter_px=24.0,
)
# Movies tell the size of their pixels, so that no diameter has to be gone by.
SOMA = dataclasses.replace(NUCLEI, cooldown_epochs=16, imaging_rate=0.25, zoom=1.3, diameter_px=None)
# For `soma` on a few labelled images of one's own: benchmarks/own_images.py tells what comes of it.
OWN_IMAGES = dataclasses.replace(SOMA, epochs=60, cooldown_epochs=50, last_epoch=True)

RECIPES = {
    "pretraining": PRETRAINING,
    "transfer": TRANSFER,
    "report": REPORT,
    "single_image": SINGLE_IMAGE,
    "best": BEST,
    "best_all_groups": BEST_ALL_GROUPS,
    "nuclei": NUCLEI,
    "soma": SOMA,
    "own_images": OWN_IMAGES,
}
