"""The shipped preset `soma` finds on simulated stills, which it was not trained on, what its card says."""

import pytest

from somaseg import Segmenter
from somaseg.models.presets import find_preset, read_metadata
from somaseg.segmentation.evaluation import score_images
from tfds_builders.neuron_soma import simulated


@pytest.mark.parametrize("split", ["validation", "test"])
def test_soma_scores_on_stills_what_its_card_says(split):
    segmenter, pairs = Segmenter.from_preset("soma"), []
    for name, look, seed in simulated.list_stills()[split]:
        image, labels = simulated.simulate(look, seed)
        pairs.append((name, labels, segmenter(image).labels))
    summary = score_images(pairs).summary()
    stated = read_metadata(find_preset("soma"))["scores"][f"neuron_soma/simulated {split}"]
    assert (summary["images"], summary["true_somas"]) == (stated["images"], stated["true_somas"])
    for name in ("iou_per_image", "iou_pooled"):
        assert summary[name] == pytest.approx(stated[name], abs=2e-3)
    assert summary["f1_at_0.50_pooled"] == pytest.approx(stated["f1_at_0.50_pooled"], abs=0.02)  # a soma of 26 is 0.02
