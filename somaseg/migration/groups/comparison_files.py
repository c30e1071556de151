"""A comparison as files: comparison.csv, comparison.json and units.csv, whole or not at all."""

from somaseg.folders import whole_folder
from somaseg.json_files import write_json
from somaseg.migration.groups.comparing import Comparison

COMPARISON_FILES = ("comparison.csv", "comparison.json", "units.csv", "superplot_*.png", "superplot_*.svg")


def write_comparison(folder, comparison: Comparison, *, overwrite=False, write_more=None) -> None:
    """Write a comparison to a folder.

    Args:
        folder: path, made if need be; files of other names in it are left alone.
        comparison: what `somaseg.migration.groups.comparing.compare_groups` gives.
        overwrite: bool, replace a comparison that is there.
        write_more: None, or a function that is called with the temporary folder and adds files to it (the plots).

    Raises:
        FileExistsError: a comparison is there and `overwrite` is False.
    """
    with whole_folder(folder, ours=COMPARISON_FILES, overwrite=overwrite) as partial:
        for name, table in (("comparison.csv", comparison.table), ("units.csv", comparison.units)):
            marked = table.assign(simulated="true") if comparison.study.simulated else table
            marked.to_csv(partial / name, index=False, float_format="%.9g", lineterminator="\n")
        write_json(partial / "comparison.json", comparison.summary())
        if write_more is not None:
            write_more(partial)
