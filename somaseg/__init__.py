"""somaseg: movie in; soma outlines, tracks and migration statistics out.

The public names below are imported when they are first used, so that `import somaseg` is quick and loads no framework.
"""

import importlib

__version__ = "0.1.0"

_PUBLIC = {
    "UNet": "somaseg.models",
    "open_movie": "somaseg.movies",
    "freeze_all_but_last": "somaseg.models",
    "list_presets": "somaseg.models",
    "Segmenter": "somaseg.segmentation",
    "read_image": "somaseg.segmentation",
    "normalize_contrast": "somaseg.data.intensity",
    "ElasticDeformation": "somaseg.data.augmentation",
    "RandomFlip": "somaseg.data.augmentation",
    "measure_migration": "somaseg.migration.measures",
    "simulate_movie": "somaseg.simulation",
    "simulate_still": "somaseg.simulation",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'somaseg' has no attribute {name!r}; it has {sorted(_PUBLIC)}")


def __dir__():
    return sorted([*globals(), *_PUBLIC])
