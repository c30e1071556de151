"""Names of the maps: exported models call "probability" what `somaseg.models.heads` calls "mask"."""


def maps_by_name(outputs):
    """The outputs of an exported model under the names of `somaseg.models.heads`.

    >>> maps_by_name({"probability": 0.5, "offset_y": 1.0})
    {'mask': 0.5, 'offset_y': 1.0}
    """
    return {"mask" if name == "probability" else name: values for name, values in outputs.items()}
