"""What the columns of cells.csv and saltations.csv are called in words, and what they mean."""

# Column -> (words for the head of a table, meaning).
WORDS = {
    "track_id": ("Cell", "number of the track, as in the film, labels.tif and tracks.csv"),
    "first_frame": ("First frame", "frame in which the cell is first seen, from 0"),
    "last_frame": ("Last frame", "frame in which the cell is last seen"),
    "duration_h": ("Observed (h)", "time from the first to the last frame"),
    "path_um": ("Path (µm)", "length of all steps together; position noise makes it longer"),
    "net_displacement_um": ("Net (µm)", "distance from the first to the last position"),
    "mean_speed_um_per_h": ("Mean speed (µm/h)", "path over observed time"),
    "mean_speed_noise_corrected_um_per_h": ("Mean speed less noise (µm/h)", "the same, position noise taken off"),
    "speed_when_mobile_um_per_h": ("Speed when mobile (µm/h)", "length over duration of its saltations"),
    "saltation_count": ("Saltations", "how many were seen to start"),
    "saltation_frequency_per_h": ("Saltations per h", "count over the time watched, as found at this frame interval"),
    "saltation_frequency_corrected_per_h": ("Per h, corrected", "the same, corrected for the frame interval"),
    "saltation_length_um": ("Saltation length (µm)", "mean net length of its saltations, as found"),
    "saltation_length_corrected_um": ("Length, corrected (µm)", "the same, corrected for the frame interval"),
    "pause_median_min": ("Median pause (min)", "of the time between saltations, pauses cut by track ends included"),
    "pause_fraction": ("Share in pauses", "share of the observed time in no saltation"),
    "arrested": ("Arrested", "whether the cell never moved on"),
    "straightness": ("Straightness", "net displacement over path: 1 is a straight line"),
    "outreach": ("Outreach", "greatest distance from the start over path"),
    "displacement_ratio": ("Displacement ratio", "net displacement over the greatest distance from the start"),
    "direction_deg": ("Direction (°)", "from first to last position: 0 is to the right, 90 up on screen"),
    "mean_turning_angle_deg": ("Mean turn (°)", "mean angle between one step and the next"),
    "fmi_along": ("FMI along", "forward migration index: net displacement along the given axis over path"),
    "fmi_across": ("FMI across", "net displacement across the given axis over path"),
    "frames_seen": ("Frames seen", "in how many frames it was found"),
    "largest_displacement_um": ("Farthest (µm)", "greatest distance from the start"),
    "mean_turn_between_saltations_deg": ("Turn between saltations (°)", "mean angle from one heading to the next"),
    "saltation_exposure_h": ("Start watched (h)", "time in which the start of a saltation would be seen"),
    "pauses_seen_whole": ("Whole pauses", "pauses of which begin and end were seen"),
    "pauses_cut": ("Cut pauses", "pauses cut by an end of the track"),
    "position_noise_um": ("Position noise (µm)", "standard deviation of a measured position"),
    "start_frame": ("From frame", "frame in which it starts"),
    "end_frame": ("To frame", "frame in which it ends"),
    "start_min": ("Start (min)", "time of the movie at which it starts"),
    "duration_min": ("Duration (min)", "in whole frame intervals"),
    "length_um": ("Length (µm)", "net displacement"),
    "speed_um_per_h": ("Speed (µm/h)", "length over duration"),
    "heading_deg": ("Heading (°)", "0 is to the right, 90 up on screen"),
    "cut_by_track_end": ("Cut", "under way when its cell was first or last seen: longer than it looks"),
    "started": ("Seen to start", "whether its beginning was seen; if not, it is not counted"),
}
_UNITS = (
    ("_um_per_h", " (µm/h)"),
    ("_per_h", " per h"),
    ("_um2", " (µm²)"),
    ("_um", " (µm)"),
    ("_min", " (min)"),
    ("_h", " (h)"),
    ("_deg", " (°)"),
)


def column_label(name: str) -> str:
    """Words for a column or a number by its name; what is not listed is made of the name and its unit.

    >>> column_label("path_um"), column_label("swim_speed_um_per_h")
    ('Path (µm)', 'Swim speed (µm/h)')
    """
    if name in WORDS:
        return WORDS[name][0]
    stem, unit = next(((name.removesuffix(end), unit) for end, unit in _UNITS if name.endswith(end)), (name, ""))
    words = stem.replace("_", " ") + unit
    return words[:1].upper() + words[1:]


def column_meaning(name: str) -> str:
    """What a column holds, "" when it is not listed."""
    return WORDS.get(name, ("", ""))[1]
