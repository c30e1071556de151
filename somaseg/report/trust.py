"""How far the numbers of a movie can be trusted, fact by fact: what it is, why it matters, whether to look twice."""

from dataclasses import dataclass

from somaseg.report.html import plain_number

# A soma that is missed in more than one frame of ten breaks saltations and hides them.
_MANY_MISSED = 0.1
_FEW_CELLS = 10
# Frames per saltation and hour below which counts fall short: interval > 1 / (12 f).
_FRAMES_PER_SALTATION = 12


@dataclass(frozen=True)
class Fact:
    """name, value, meaning: str. look: bool, whether it asks for a second look; None where nothing can be said."""

    name: str
    value: str
    meaning: str
    look: bool | None = None


def facts_of_trust(migration, result, *, run):
    """The facts of one movie, list of `Fact`; what is not known of it is left out."""
    summary = {**(result.summary or {}), **migration.summary}
    found = [_numbers(migration, summary), _frame_interval(summary, result.calibration.minutes_per_frame)]
    if len(migration.cells):
        found += [_noise(summary), _threshold(summary), _missed(result.tracks), _cut(migration.saltations)]
    found += [_links(summary), _drift(summary, run), _units(run)]
    return [fact for fact in found if fact is not None]


def _numbers(migration, summary):
    cells, hours = len(migration.cells), float(migration.cells["duration_h"].sum())
    return Fact(
        "How much was seen",
        f"{cells} cells, {plain_number(round(hours, 1))} h, {len(migration.saltations)} saltations",
        "Cells of one movie share dish, donor and day: they are one sample, not many. Compare groups by assembloid or "
        "line (somaseg compare), never cell against cell.",
        cells < _FEW_CELLS,
    )


def _frame_interval(summary, minutes):
    frequency = summary.get("saltation_frequency_corrected_per_h") or summary.get("saltation_frequency_per_h")
    method = summary.get("saltation_correction_method")
    if not frequency or frequency != frequency:
        return Fact(
            "Frame interval", f"{minutes:g} min", "Movements that begin and end within it cannot be told apart."
        )
    limit = 60 / (_FRAMES_PER_SALTATION * frequency)
    return Fact(
        "Frame interval",
        f"{minutes:g} min",
        f"At {frequency:.2g} saltations per hour, counts as found are about right up to {limit:.2g} min between "
        "frames; beyond, jumps merge: fewer and longer ones are found than there are. Then go by the corrected ones, "
        "and compare only movies of one interval." + (f" Corrected by: {method}." if method else ""),
        minutes > limit,
    )


def _noise(summary):
    noise = summary.get("position_noise_um")
    if noise is None or noise != noise:
        return None
    source, steps = summary.get("position_noise_source"), plain_number(summary.get("position_noise_steps"))
    return Fact(
        "Position noise",
        f"{noise:.2g} µm",
        "Standard deviation of a soma's measured position"
        + (f" ({source})" if source == "assumed" else f" (from {steps} steps of {source})" if source else "")
        + _worse(summary)
        + ". It lengthens paths and makes cells at rest seem to move; the mean speed less noise has it taken off."
        + _outlines(summary)
        + _ends(summary)
        + _partial(summary),
        str(source).startswith("assumed"),
    )


def _worse(summary):
    share, worse = summary.get("position_noise_worse_share"), summary.get("position_noise_worse_um")
    if not share or not worse:
        return ""
    return f"; {100 * share:.2g} % of steps are worse, {worse:.2g} µm, which the correction allows for"


def _outlines(summary):
    steps = summary.get("outline_steps")
    if not steps:
        return ""
    return (
        f" {plain_number(steps)} step(s) in which an outline took in another soma or lost it, its own staying where it "
        "was, are not counted as movement."
    )


def _ends(summary):
    positions = summary.get("unsure_ends")
    if not positions:
        return ""
    return f" {plain_number(positions)} position(s) at the end of a track hang on an unsure link and are left out."


def _partial(summary):
    positions = summary.get("partial_somas")
    if not positions:
        return ""
    return f" {plain_number(positions)} position(s) of somas that lie mostly outside the image are left out."


def _threshold(summary):
    used, floor = summary.get("on_speed_um_per_h"), summary.get("saltation_noise_floor_um")
    if used is None:
        return None
    return Fact(
        "Threshold",
        f"{used:.3g} µm/h",
        "A step faster than this, and longer than position noise makes one"
        + (f" ({floor:.2g} µm)" if floor else "")
        + ", starts a saltation. “What the threshold does” below shows how much hangs on it.",
    )


def _missed(tracks):
    spans = tracks.groupby("track_id")["frame"].agg(["min", "max", "size"])
    expected = int((spans["max"] - spans["min"] + 1).sum())
    if expected == 0:
        return None
    share = 1 - float(spans["size"].sum()) / expected
    return Fact(
        "Missed frames",
        f"{100 * share:.1f} %",
        "Share of frames between a cell's first and last in which it was not found (out of focus, or merged with a "
        "neighbour). A jump in such a gap is longer and slower than it was.",
        share > _MANY_MISSED,
    )


def _cut(saltations):
    if len(saltations) == 0:
        return None
    cut = saltations["cut_by_track_end"].astype("boolean").fillna(False)
    return Fact(
        "Cut saltations",
        f"{int(cut.sum())} of {len(cut)}",
        "Under way when their cell was first or last seen, so longer than they look.",
        float(cut.mean()) > 0.2,
    )


def _links(summary):
    links, doubtful = summary.get("links"), summary.get("links_below_0.9_confidence")
    if not links or doubtful is None:
        return None
    return Fact(
        "Doubtful links",
        f"{int(doubtful)} of {int(links)}",
        "Links from frame to frame with a confidence below 0.9. A wrong one swaps two cells and looks like a jump. "
        "Somas that touch may be outlined as one: watch the film where cells meet.",
        doubtful > 0.05 * links,
    )


def _drift(summary, run):
    largest, corrected = summary.get("drift_largest_um"), run.get("drift_corrected")
    if corrected is False:
        return Fact("Drift", "not taken off", "Movement of stage and tissue counts as movement of the cells.", True)
    if largest is None:
        return None
    return Fact(
        "Drift",
        f"up to {largest:.3g} µm",
        "The farthest that the tissue moved from where it was in the first frame; taken off all positions in µm.",
    )


def _units(run):
    source = (run.get("units_from") or {}).get("um_per_px")
    if source is None:
        return None
    if source == "pixels":
        return Fact("Units", "pixels and frames", "Read µm as pixels, min as frames, and h as 60 frames.", True)
    words = {"file": "read from the movie's file", "flag": "given by hand"}
    return Fact(
        "Units", words.get(source, str(source)), "A wrong pixel size or frame interval makes every number wrong."
    )
