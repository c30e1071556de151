"""True detections of a simulated movie as a table: motion without pictures, so that linking can be judged alone.

Of each preset only the motion, the field and the frame interval are used. A cell is detected in a frame when its centre
is in the field, no further than `FOCUS_UM` from focus, and not missed at random. Positions carry localisation noise;
area and intensity belong to the cell (as the rendered somas' do: axes +-10 %, brightness lognormal), change slowly, and
are measured with noise; the long axis is that of the heading. Everything here is simulated.
"""

import numpy as np
import pandas as pd

from somaseg.simulation.motion import simulate_motion
from somaseg.simulation.movie_presets import preset

FOCUS_UM = 20.0
LOCALISATION_UM = 0.3
MISSED_SHARE = 0.03
AREA_NOISE, INTENSITY_NOISE, AXIS_NOISE_DEG = 0.08, 0.08, 8.0


def simulated_detections(name: str, seed: int, *, frame_count: int | None = None) -> pd.DataFrame:
    """Detections of preset `name`, shuffled within each frame: `true_id` and the columns that `find_somas` makes."""
    p = preset(name)
    times = p.times_min if frame_count is None else np.arange(frame_count) * p.minutes_per_frame
    motion = simulate_motion(p.motion, times_min=times, field_um=p.field_um, seed=seed)
    rng = np.random.default_rng([seed, 77])
    cells, frames = motion.depth_um.shape
    shape = (cells, frames)
    inside = np.all((motion.centre_um >= 0) & (motion.centre_um <= p.field_um), axis=2)
    seen = inside & (np.abs(motion.depth_um) <= FOCUS_UM) & (rng.random(shape) >= MISSED_SHARE)

    length, width = (
        side * (1 + p.soma_size_cv * np.clip(rng.standard_normal((cells, 1)), -2, 2))
        for side in (p.soma_length_um, p.soma_width_um)
    )
    length, width = length * motion.stretch, width / np.sqrt(motion.stretch)
    spread = np.sqrt(np.log1p(p.brightness_cv**2))
    brightness = np.exp(spread * np.clip(rng.standard_normal((cells, 1)), -2.5, 2.5))
    # Fading by the distance from focus, slow flicker, bleaching, and the noise of each measurement.
    phase, period_h = rng.uniform(0, 2 * np.pi, (cells, 1)), rng.uniform(*p.flicker_period_h, (cells, 1))
    flicker = 1 + p.flicker_cv * np.sqrt(2) * np.sin(2 * np.pi * times / 60 / period_h + phase)
    bleached = np.exp(-times / 60 / p.bleaching_tau_h) if p.bleaching_tau_h else 1.0
    level = 1000 * brightness * flicker * bleached / (1 + (motion.depth_um / 25.0) ** 2)
    level = level * np.exp(INTENSITY_NOISE * rng.standard_normal(shape))
    area = np.pi / 4 * length * width * np.exp(AREA_NOISE * rng.standard_normal(shape))
    position = motion.centre_um + LOCALISATION_UM * rng.standard_normal((*shape, 2))
    axis = motion.heading_deg + AXIS_NOISE_DEG * rng.standard_normal(shape)

    cell, frame = np.nonzero(seen)
    table = pd.DataFrame(
        {
            "true_id": motion.track_ids[cell],
            "frame": frame,
            "y_um": position[cell, frame, 0],
            "x_um": position[cell, frame, 1],
            "y_px": position[cell, frame, 0] / p.um_per_px,
            "x_px": position[cell, frame, 1] / p.um_per_px,
            "area_um2": area[cell, frame],
            "mean_intensity": level[cell, frame],
            "orientation_deg": np.mod(axis[cell, frame] + 90, 180) - 90,
            "elongation": (length / width)[cell, frame],
        }
    )
    table = table.sample(frac=1, random_state=np.random.RandomState(seed)).sort_values("frame", kind="stable")
    table["label"] = table.groupby("frame").cumcount() + 1
    return table.reset_index(drop=True)
