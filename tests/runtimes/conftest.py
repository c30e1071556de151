"""A small preset that finds simulated somas and tells those that touch apart, and the stills that it is tried on."""

import keras
import numpy as np
import pytest

from somaseg.data.intensity import normalize_contrast
from somaseg.models.heads import OFFSET_UNIT_PX
from somaseg.simulation import StillParameters, simulate_still

STILL = StillParameters(height_px=96, width_px=112, cell_count=4)


@pytest.fixture(scope="session")
def stills():
    """8 simulated stills of 96 x 112."""
    return [simulate_still(STILL, seed=seed) for seed in range(8)]


@pytest.fixture(scope="session")
def offsets_preset(stills, random_unet, tmp_path_factory):
    """The folder of a preset: random features, and heads fitted to the somas of the first 6 stills by least squares."""
    network = random_unet(seed=3, filters=4, depth=5, heads="offsets")
    head = network.get_layer("head_convolution")
    images = np.stack([normalize_contrast(still.image) for still in stills[:6]]).astype(np.float32)
    features = keras.ops.convert_to_numpy(keras.Model(network.input, head.input)(images)).reshape(-1, 4)
    features = np.concatenate([features, np.ones_like(features[:, :1])], axis=-1)
    soma, wanted = _wanted(stills[:6])
    weight = np.sqrt(np.where(soma, 1 / soma.mean(), 1 / (1 - soma.mean())))[:, None]
    mask = np.linalg.lstsq(features * weight, wanted[:, :1] * weight, rcond=None)[0]
    offsets = np.linalg.lstsq(features[soma], wanted[soma, 1:], rcond=None)[0]
    fitted = np.concatenate([mask, offsets], axis=1)
    head.set_weights([fitted[:4].reshape(1, 1, 4, 3), fitted[4]])
    folder = tmp_path_factory.mktemp("presets") / "small"
    network.save_to_preset(folder, preprocessor={"minimum_area_px": 8, "edge_area_share": 0.5, "vote_spread_px": 2.0})
    return folder


def _wanted(stills):
    """(soma or not, logits of the mask and offsets in the network's unit), a row for each pixel."""
    rows, columns = np.indices((STILL.height_px, STILL.width_px))
    soma, wanted = [], []
    for still in stills:
        y, x = np.zeros(rows.shape), np.zeros(rows.shape)
        for label in range(1, still.instances.max() + 1):
            inside = still.instances == label
            y[inside] = rows[inside].mean() - rows[inside]
            x[inside] = columns[inside].mean() - columns[inside]
        soma.append(still.instances.ravel() > 0)
        wanted.append(np.stack([np.where(soma[-1], 4, -4), y.ravel(), x.ravel()], axis=-1))
    return np.concatenate(soma), np.concatenate(wanted) / [1, OFFSET_UNIT_PX, OFFSET_UNIT_PX]
