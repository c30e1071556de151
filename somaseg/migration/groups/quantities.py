"""What groups are compared in: the columns of cells.csv, and how the cells of an assembloid become one number."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Quantity:
    """One column of cells.csv and how it is pooled over the cells of an assembloid.

    Attributes:
        name: str, the column; direction_agreement alone is made of direction_deg.
        label: str, in words.
        unit: str, "" for a pure number.
        weight: the column that says how much a cell counts, or None for all the same. Rates are weighted with the time
            observed and means over saltations with their count, so that an assembloid's number is that of all its
            cells pooled (count / hours, for instance) and a cell seen for half an hour weighs little. Two weights need
            not be columns: saltation_exposure_h is duration_h where there is none, and saltation_count_corrected is
            the corrected frequency times duration_h.
        saltations: bool, whether it depends on the frame interval as saltations do.
        spread: bool, whether cells differ in it by degree, so that each is drawn as a dot.
    """

    name: str
    label: str
    unit: str = ""
    weight: str | None = None
    saltations: bool = False
    spread: bool = True


# The order is that of the tables and of the report: the three that labs report first.
QUANTITIES = (
    Quantity("saltation_frequency_per_h", "saltation frequency, as it appears", "1/h", "saltation_exposure_h", True),
    Quantity(
        "saltation_frequency_corrected_per_h",
        "saltation frequency, corrected for the frame interval",
        "1/h",
        "duration_h",
        True,
    ),
    Quantity("saltation_length_um", "saltation length, as it appears", "um", "saltation_count", True),
    Quantity(
        "saltation_length_corrected_um",
        "saltation length, corrected for the frame interval",
        "um",
        "saltation_count_corrected",
        True,
    ),
    Quantity("mean_speed_um_per_h", "mean speed", "um/h", "duration_h"),
    Quantity("mean_speed_noise_corrected_um_per_h", "mean speed, corrected for position noise", "um/h", "duration_h"),
    Quantity("speed_when_mobile_um_per_h", "speed when mobile", "um/h", "saltation_count", True),
    Quantity("pause_median_min", "median pause of a cell", "min", None, True),
    Quantity("pause_fraction", "share of the time in pauses", "", "duration_h", True),
    Quantity("arrested", "share of arrested cells", "", None, True, spread=False),
    Quantity("straightness", "straightness", "", "duration_h"),
    Quantity("outreach", "outreach", "", "duration_h"),
    Quantity("fmi_along", "forward migration index along the axis", "", "duration_h"),
    Quantity("fmi_across", "forward migration index across the axis", "", "duration_h"),
    Quantity("direction_agreement", "agreement of the cells' directions", "", None, spread=False),
)


def quantity(name: str) -> Quantity:
    """The quantity of this name.

    Raises:
        ValueError: there is none.

    >>> quantity("mean_speed_um_per_h").unit
    'um/h'
    """
    for each in QUANTITIES:
        if each.name == name:
            return each
    raise ValueError(f"quantity must be one of {', '.join(each.name for each in QUANTITIES)}, got {name!r}.")
