"""What the way from pixels to tracks does to a cell: positions that are off, frames missed, tracks broken, false somas.

`measure_errors` takes them from a result beside its truth (end_to_end.py --errors writes them for simulated movies),
and `MeasuredErrors` puts them on tracks that were simulated without pictures: each cell borrows what one cell of the
movies suffered, frame after frame, so that errors that last and frames that are missed in a row stay as they were.

    python benchmarks/detection_errors.py ERRORS.csv        (the errors of each frame interval in a few numbers)
"""

import argparse
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

COLUMNS = ("minutes_per_frame", "movie", "cell", "frame", "track", "dy_um", "dx_um")
ROUGH_UM = 0.5  # chosen, where nothing was measured: position noise and missed frames of `rough_tracks`
ROUGH_MISSED, ROUGH_DRIFT_UM = 0.03, 0.1


def measure_errors(result, truth):
    """One row per true soma, and one per soma of a track that shows no true cell at any time.

    Args:
        result, truth: `somaseg.tracking.Result` of the same movie.

    Returns:
        DataFrame cell (of the truth; 0 for false somas), frame, track (of the result; 0 where the soma was missed),
        dy_um, dx_um: found - true, about the mean of the cell; of a false track its positions about their mean.
    """
    from somaseg.tracking.matching import one_to_one_pairs, overlap

    place = ["y_um", "x_um"]
    pairs = one_to_one_pairs(overlap(result.labels, truth.labels))[["frame", "truth_id", "result_id"]]
    true = truth.tracks[["frame", "track_id", *place]].rename(columns={"track_id": "truth_id"})
    found = result.tracks[["frame", "track_id", *place]].rename(columns={"track_id": "result_id"})
    table = true.merge(pairs, "left", ["frame", "truth_id"]).merge(found, "left", ["frame", "result_id"])
    table[["dy_um", "dx_um"]] = table[["y_um_y", "x_um_y"]].to_numpy() - table[["y_um_x", "x_um_x"]].to_numpy()
    table = table.rename(columns={"truth_id": "cell", "result_id": "track"})
    false = found[~found["result_id"].isin(pairs["result_id"])].rename(columns={"result_id": "track"})
    false = false.rename(columns={"y_um": "dy_um", "x_um": "dx_um"}).assign(cell=0)
    rows = pd.concat([table, false], ignore_index=True)[["cell", "frame", "track", "dy_um", "dx_um"]]
    rows["track"] = rows["track"].fillna(0).astype(int)
    group = rows["cell"].where(rows["cell"] > 0, -rows["track"])
    rows[["dy_um", "dx_um"]] -= rows.groupby(group)[["dy_um", "dx_um"]].transform("mean")
    return rows.assign(group=group).sort_values(["group", "frame"]).drop(columns="group").reset_index(drop=True)


def links_between_cells(rows):
    """How many links of one movie's tracks go from one true cell to another."""
    seen = rows[(rows["cell"] > 0) & (rows["track"] > 0)].sort_values(["track", "frame"])
    cell, track = seen["cell"].to_numpy(), seen["track"].to_numpy()
    return int(np.sum((np.diff(track) == 0) & (np.diff(cell) != 0)))


def describe_errors(rows):
    """The errors of measured rows in a few numbers, as a dict.

    step_noise_um: sd per axis of what a position adds to a step, the robust sd of the change of the error between
    frames / sqrt(2); step_error_rms_um: the same, not robust; missed: share of the true somas; breaks_per_h: how often
    a cell goes on as another track; false_share: somas of false tracks for one true soma.
    """
    true = rows[rows["cell"] > 0]
    seen = true[true["track"] > 0]
    cell = seen.groupby(["movie", "cell"])
    change = cell[["dy_um", "dx_um"]].diff().to_numpy().ravel()
    breaks = (cell["track"].diff().fillna(0) != 0).sum()
    hours = ((cell["frame"].max() - cell["frame"].min()) * cell["minutes_per_frame"].first()).sum() / 60
    return {
        "true_somas": len(true),
        "step_noise_um": float(1.4826 * np.nanmedian(np.abs(change)) / np.sqrt(2)),
        "step_error_rms_um": float(np.sqrt(np.nanmean(change**2) / 2)),
        "missed": 1 - len(seen) / len(true),
        "breaks_per_h": float(breaks / hours),
        "false_share": float((rows["cell"] == 0).sum() / len(true)),
    }


@dataclass(frozen=True, eq=False)
class MeasuredErrors:
    """Errors of real detections, to be drawn from.

    Attributes:
        cells: list of float (T, 3), one per cell of the movies: dy_um, dx_um, track (0 where missed).
        false_tracks: list of DataFrame frame, dy_um, dx_um.
    """

    cells: list
    false_tracks: list = field(default_factory=list)

    @classmethod
    def read(cls, path, minutes_per_frame):
        """The rows of one frame interval.

        Raises:
            ValueError: none were measured at this interval.
        """
        rows = pd.read_csv(path)
        rows = rows[np.isclose(rows["minutes_per_frame"], minutes_per_frame)]
        if rows.empty:
            raise ValueError(f"{path} has no movies of {minutes_per_frame:g} min per frame.")
        true, false = rows[rows["cell"] > 0], rows[rows["cell"] == 0]
        cells = [own[["dy_um", "dx_um", "track"]].to_numpy() for _, own in true.groupby(["movie", "cell"])]
        tracks = [own[["frame", "dy_um", "dx_um"]] for _, own in false.groupby(["movie", "track"])]
        return cls(cells, tracks)

    def tracks(self, centre_um, seen, minutes_per_frame, rng):
        """Tracks of cells as pixels would have given them.

        Args:
            centre_um: float (N, T, 2), where the cells truly are. seen: bool (N, T), in the field and in focus.
            minutes_per_frame: float. rng: `numpy.random.Generator`.

        Returns:
            DataFrame track_id, frame, time_min, y_um, x_um. Track ids are 1000 * (row of the cell + 1) + piece; false
            tracks, as many for a cell as in the movies, have ids from 1000 * (N + 1) on.
        """
        tables = []
        for cell in range(len(centre_um)):
            frames = np.flatnonzero(seen[cell])
            own = _continued(self.cells[rng.integers(len(self.cells))], len(frames), rng)
            found = own[:, 2] > 0
            frames, own = frames[found], own[found]
            piece = np.cumsum(np.diff(own[:, 2], prepend=own[:1, 2]) != 0)
            at = centre_um[cell, frames] + own[:, :2]
            tables.append(
                pd.DataFrame(
                    {"track_id": 1000 * (cell + 1) + piece, "frame": frames, "y_um": at[:, 0], "x_um": at[:, 1]}
                )
            )
        count = rng.poisson(len(centre_um) * len(self.false_tracks) / len(self.cells)) if self.false_tracks else 0
        for number in range(count):
            own = self.false_tracks[rng.integers(len(self.false_tracks))]
            frames = own["frame"].to_numpy() - own["frame"].min()
            own = own[frames < seen.shape[1]]
            columns = {"y_um": own["dy_um"], "x_um": own["dx_um"]}
            tables.append(
                pd.DataFrame({"track_id": 1000 * (len(centre_um) + 1) + number, "frame": frames[: len(own)], **columns})
            )
        table = pd.concat(tables, ignore_index=True)
        table.insert(2, "time_min", table["frame"] * float(minutes_per_frame))
        return table


def _continued(errors, length, rng):
    """So many frames of a cell's errors, from anywhere in them; past an end they are gone through backwards."""
    cycle = np.concatenate([errors, errors[-2:0:-1]])
    return cycle[(rng.integers(len(cycle)) + np.arange(length)) % len(cycle)]


def rough_tracks(centre_um, seen, minutes_per_frame, rng):
    """Tracks of cells with chosen errors: white position noise, a little drift residue, frames missed at random."""
    centre = centre_um + ROUGH_DRIFT_UM * rng.standard_normal((1, *centre_um.shape[1:]))
    centre = centre + ROUGH_UM * rng.standard_normal(centre.shape)
    cell, frame = np.nonzero(seen & (rng.random(seen.shape) >= ROUGH_MISSED))
    return pd.DataFrame(
        {
            "track_id": cell + 1,
            "frame": frame,
            "time_min": frame * float(minutes_per_frame),
            "y_um": centre[cell, frame, 0],
            "x_um": centre[cell, frame, 1],
        }
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("errors", help="CSV that end_to_end.py --errors wrote")
    rows = pd.read_csv(parser.parse_args().errors)
    table = [
        {"minutes per frame": minutes, "movies": own["movie"].nunique(), **describe_errors(own)}
        for minutes, own in rows.groupby("minutes_per_frame")
    ]
    print(pd.DataFrame(table).to_string(index=False, float_format="{:.3g}".format))


if __name__ == "__main__":
    main()
