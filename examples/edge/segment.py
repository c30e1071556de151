"""Find somas on a small computer: needs ai-edge-litert, numpy, opencv-python, and a .tflite file of `somaseg export`.

python segment.py soma_int8.tflite image.png more.jpg -o labels/

Writes <name>_labels.png (16 bits: 0 background, 1..n somas). The labels are those of `somaseg segment` at the image's
own scale; thresholds, contrast limits and tiling come from the model file itself.
"""

import argparse
import json
import os
import time
from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter


class Model:
    """A .tflite file: its facts, and a function from a tile (h, w, 3) to its maps (h, w)."""

    def __init__(self, path, threads):
        content = Path(path).read_bytes()
        self.facts = read_facts(content)
        self._run = Interpreter(model_content=content, num_threads=threads).get_signature_runner("serving_default")

    def __call__(self, tile):
        maps = self._run(image=tile[None].astype(np.float32))
        # offsets in 16 bits, as somaseg keeps them, so that the labels are the same to the pixel
        return {n: m[0, ..., 0].astype(np.float16 if n.startswith("offset") else np.float32) for n, m in maps.items()}


def read_facts(content):
    """The JSON that somaseg keeps inside the file."""
    model = schema.Model.GetRootAs(bytearray(content), 0)
    for i in range(model.MetadataLength()):
        if model.Metadata(i).Name() == b"SOMASEG":
            return json.loads(model.Buffers(model.Metadata(i).Buffer()).DataAsNumpy().tobytes())
    raise SystemExit("This .tflite file holds no SOMASEG metadata: write it with somaseg export.")


def prepare(image, rule):
    """Any image (H, W[, 3 or 4]) as uint8 (H, W, 3): one signal in a false colour as gray, contrast stretched."""
    image = np.repeat(image[..., None], 3, axis=-1) if image.ndim == 2 else image[..., :3]
    step = max(1, int(np.sqrt(image.shape[0] * image.shape[1] / 2**20)))
    thin = image[::step, ::step].reshape(-1, 3).astype(np.float64)
    height = np.percentile(thin, rule["high_percentile"], axis=0)
    signal = int(np.argmax(height))
    faint = height < rule["faint"] * height[signal]
    with np.errstate(invalid="ignore"):  # of a channel that is constant
        alike = np.corrcoef(thin.T)[signal] > rule["same_signal"]
    if faint.any() and all(alike | faint):
        image, thin = np.repeat(image[..., signal, None], 3, axis=-1), thin[:, [signal]]
    thin = thin[:, :1] if (image == image[..., :1]).all() else thin  # percentiles of gray are those of one channel
    low, high = np.percentile(thin, rule["low_percentile"]), np.percentile(thin.max(-1), rule["high_percentile"])
    plane = image[..., int(np.argmax(image.reshape(-1, 3).mean(0)))]
    rows = plane[:: max(1, plane.size // 2**20)].astype(np.float32)
    bends = rows[:, 2:] - 2 * rows[:, 1:-1] + rows[:, :-2]  # of noise 6**0.5 as wide as it
    noise = float(np.median(np.abs(bends))) / (0.6745 * 6**0.5)
    high = max(high, low + rule["noise_range"] * max(noise, 12**-0.5 if image.dtype.kind in "iu" else 0.0))
    high = high if high > low else max(thin.max(), low + 1.0)
    scaled = (image.astype(np.float32) - np.float32(low)) * np.float32(255.0 / (float(high) - float(low)))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def predict(model, image, margin=None):
    """The maps of a whole image: tile by tile, each with a margin that reaches as far as the network sees."""
    tiling, fixed = model.facts["tiling"], model.facts["size_px"]
    grid, tile = tiling["grid_px"], fixed or model.facts["preprocessor"]["tile_px"]
    margin = tiling["margin_px"] if margin is None else -(-margin // grid) * grid
    if tile < 2 * margin + grid:
        raise SystemExit(f"Tiles of {tile} pixels have no room for margins of {margin}: pass a smaller --margin.")
    short = [max(-length % grid, (fixed or 0) - length) for length in image.shape[:2]]
    padded = np.pad(image, [(0, short[0]), (0, short[1]), (0, 0)], mode="symmetric")
    maps = {}
    for y, keep_y in spans(padded.shape[0], tile, margin):
        for x, keep_x in spans(padded.shape[1], tile, margin):
            for name, found in model(padded[y : y + tile, x : x + tile]).items():
                whole = maps.setdefault(name, np.empty(padded.shape[:2], found.dtype))
                whole[y:, x:][keep_y, keep_x] = found[keep_y, keep_x]
    return {name: whole[: image.shape[0], : image.shape[1]] for name, whole in maps.items()}


def spans(length, tile, margin):
    """(start of the tile, slice of it that is kept) along one axis."""
    starts = [*range(0, max(0, length - tile), tile - 2 * margin), max(0, length - tile)]
    edges = [0, *(start + margin for start in starts[1:]), length]
    return [(start, slice(a - start, b - start)) for start, a, b in zip(starts, edges[:-1], edges[1:])]


def decode(maps, settings):
    """Label image: pixels that point to one place are one soma; without offsets, pixels that touch."""
    mask, spread = maps["probability"] > settings["threshold"], settings["vote_spread_px"]
    if "offset_y" not in maps:
        return number(cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[1], settings)
    rows, columns = np.nonzero(mask)
    y = np.rint(rows + maps["offset_y"][mask].astype(np.float32)).astype(int).clip(0, mask.shape[0] - 1)
    x = np.rint(columns + maps["offset_x"][mask].astype(np.float32)).astype(int).clip(0, mask.shape[1] - 1)
    votes = np.bincount(y * mask.shape[1] + x, minlength=mask.size).reshape(mask.shape).astype(np.float32)
    votes = cv2.GaussianBlur(votes, (0, 0), spread, borderType=cv2.BORDER_CONSTANT)
    highest = cv2.dilate(votes, np.ones((2 * max(1, round(spread)) + 1,) * 2, np.uint8))
    below = ((votes != highest) | (votes < 8.0 / (2 * np.pi * spread**2))).astype(np.uint8)
    labels = np.zeros(mask.shape, np.int32)
    if not below.all():
        labels[mask] = cv2.distanceTransformWithLabels(below, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_CCOMP)[1][y, x]
    return number(labels, settings)


def number(labels, settings):
    """Labels 1..n in the order of their first pixel, without the small ones."""
    found, first, area = np.unique(labels, return_index=True, return_counts=True)
    cut = np.isin(found, np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    kept = (found > 0) & (area >= settings["minimum_area_px"] * np.where(cut, settings.get("edge_area_share", 1), 1))
    new = np.zeros(labels.max() + 1, np.uint16)
    new[found[kept][np.argsort(first[kept])]] = np.arange(1, kept.sum() + 1)
    return new[labels]


def segment(model, image, margin=None):
    """Labels uint16 (H, W) of an image (H, W) or (H, W, C) in RGB order."""
    settings = model.facts["preprocessor"]
    if settings["smoothing_px"]:
        image = cv2.GaussianBlur(image.astype(np.float32), (0, 0), settings["smoothing_px"])
    return decode(predict(model, prepare(image, model.facts["normalisation"]), margin), settings)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("images", nargs="+")
    parser.add_argument("-o", "--output", default=".", type=Path)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--margin", type=int, help="pixels dropped around a tile: fewer is faster and less exact")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    model = Model(options.model, options.threads)
    for path in map(Path, options.images):
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if image is None:
            raise SystemExit(f"{path} cannot be read as an image.")
        start = time.perf_counter()
        labels = segment(model, image if image.ndim == 2 else image[..., 2::-1], options.margin)
        cv2.imwrite(str(options.output / f"{path.stem}_labels.png"), labels)
        print(f"{path.name}: {labels.max()} somas, {time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
