"""From an image to instances. The names are imported when first used: scores and readers need no framework."""

import importlib

_PUBLIC = {
    "Segmentation": "somaseg.segmentation.instances",
    "Segmenter": "somaseg.segmentation.segmenter",
    "label_components": "somaseg.segmentation.instances",
    "read_image": "somaseg.segmentation.reading",
}

__all__ = list(_PUBLIC)


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {sorted(_PUBLIC)}")
