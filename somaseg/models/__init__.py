"""What the network is. The names are imported when first used: reading a preset's facts needs no framework."""

import importlib

_PUBLIC = {
    "CorruptPresetError": "somaseg.models.presets",
    "UNet": "somaseg.models.unet",
    "freeze_all_but_last": "somaseg.models.groups",
    "group_names": "somaseg.models.groups",
    "layer_groups": "somaseg.models.groups",
    "list_presets": "somaseg.models.presets",
    "set_trainable": "somaseg.models.groups",
}

__all__ = list(_PUBLIC)


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {sorted(_PUBLIC)}")
