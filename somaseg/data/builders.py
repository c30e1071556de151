"""Read a TFDS data set by name: one of this project's builders, or any that TFDS itself knows."""

import importlib


def read_builder(dataset, split, *, data_dir=None, manual_dir=None):
    """The examples of one split, as an iterable of dicts of NumPy arrays; the data set is built first if need be.

    A data set of a lab's own files is built anew when `manual_dir` is another one, or its files have changed.

    Args:
        dataset: str, "name" or "name/config". A name that `tfds_builders` has is taken from there.
        split: str, a TFDS split.
        data_dir: where TFDS keeps built data sets; None for ~/tensorflow_datasets.
        manual_dir: folder with files that the builder cannot download.

    Raises:
        ValueError: TFDS knows no such data set, or it has no such split.
    """
    import tensorflow_datasets as tfds

    builder = _make_builder(dataset, data_dir)
    download = tfds.download.DownloadConfig(manual_dir=manual_dir)
    if manual_dir is not None and hasattr(builder, "is_outdated") and builder.is_outdated(manual_dir):
        download.download_mode = tfds.GenerateMode.REUSE_CACHE_IF_EXISTS
    builder.download_and_prepare(download_config=download)
    if split in ("train", "validation") and split not in builder.info.splits:
        raise ValueError(
            f"{dataset} has no image for {split}. Give it at least two images, or sub-folders train/ and validation/."
        )
    return tfds.as_numpy(builder.as_dataset(split=split, shuffle_files=False))


def _make_builder(dataset, data_dir):
    import tensorflow_datasets as tfds

    name, _, config = dataset.partition("/")
    try:
        module = importlib.import_module(f"tfds_builders.{name}.{name}_dataset_builder")
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("tfds_builders"):
            raise
        try:
            return tfds.builder(dataset, data_dir=data_dir)
        except tfds.core.DatasetNotFoundError as unknown:
            raise ValueError(
                f"No data set named {dataset!r}. This project has dsb2018, neuron_soma/lab and "
                "neuron_soma/simulated; any TFDS name and the path of an .npz file work too."
            ) from unknown
    return module.Builder(config=config or None, data_dir=data_dir)
