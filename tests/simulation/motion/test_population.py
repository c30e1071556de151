"""The cells of a movie: shares of behaviours, and motion that neither sampling nor the number of cells changes."""

import dataclasses

import numpy as np
import pytest

from somaseg.simulation.motion import MotionParameters, simulate_motion

FIELD_UM = (300.0, 300.0)


def test_shares_of_behaviours_are_as_asked(many, assert_mean):
    motion = many(800, 0.1, MotionParameters(random_walk_fraction=0.5), touching_fraction=0.0)
    for name, share in {"arrested": 0.3, "exploring": 0.1, "random_walk": 0.3, "migrating": 0.3}.items():
        assert_mean(motion.behaviour == name, share)


@pytest.mark.parametrize("hours", [3.0, 12.0])
def test_sampling_changes_nothing(usual, hours):
    other = simulate_motion(usual.parameters, times_min=np.arange(0.0, 60 * hours + 1, 20.0), field_um=FIELD_UM, seed=4)
    common = slice(0, 10)
    for name in (
        "centre_um",
        "heading_deg",
        "stretch",
        "swelling",
        "swelling_ahead_um",
        "depth_um",
        "state",
        "path_um",
    ):
        assert np.array_equal(getattr(other, name)[:, common], getattr(usual, name)[:, ::20]), name
    early = other.saltations[other.saltations.start_min <= 180.0].reset_index(drop=True)
    assert early.equals(usual.saltations)


def test_path_counts_from_the_first_frame(usual):
    later = simulate_motion(usual.parameters, times_min=np.arange(60.0, 181.0), field_um=FIELD_UM, seed=4)
    assert np.allclose(later.path_um, usual.path_um[:, 60:] - usual.path_um[:, 60:61])
    assert np.array_equal(later.centre_um, usual.centre_um[:, 60:])
    assert (later.saltations.start_min + later.saltations.duration_min > 60.0).all()


def test_a_cell_does_not_depend_on_how_many_there_are(usual):
    fewer = simulate_motion(
        dataclasses.replace(usual.parameters, density_per_field=5.0),
        times_min=usual.times_min,
        field_um=FIELD_UM,
        seed=4,
    )
    count = len(fewer.track_ids)
    assert 0 < count < len(usual.track_ids)
    assert np.array_equal(fewer.path_um, usual.path_um[:count])
    assert np.array_equal(fewer.depth_um, usual.depth_um[:count])


def test_same_seed_same_motion_on_every_machine():
    def drawn(seed):
        return simulate_motion(
            MotionParameters(random_walk_fraction=0.1),
            times_min=np.arange(0.0, 121.0, 7.5),
            field_um=FIELD_UM,
            seed=seed,
        )

    def checksum(motion):
        return [
            float(np.sum(values * np.cos(np.arange(values.size)).reshape(values.shape)))
            for values in (motion.centre_um, motion.heading_deg, motion.stretch, motion.depth_um, motion.path_um)
        ]

    motion = drawn(11)
    assert np.array_equal(motion.centre_um, drawn(11).centre_um)
    assert not np.array_equal(motion.centre_um, drawn(12).centre_um)
    assert checksum(motion) == pytest.approx(CHECKSUM_OF_SEED_11, rel=1e-6, abs=1e-6)


# Changes only when a seed means something new: say so in the commit.
CHECKSUM_OF_SEED_11 = [2168.328769, -999.2710299, -1.524226225, -56.30769785, -204.3061787]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"times_min": [0.0, 5.0, 5.0]}, "times_min must be one row of rising times"),
        ({"times_min": [-5.0, 0.0]}, "times_min must be one row of rising times"),
        ({"times_min": []}, "times_min must be one row of rising times"),
        ({"field_um": (0.0, 100.0)}, "field_um must be a \\(height, width\\), both positive"),
        ({"seed": -1}, "seed must be a whole number from 0, got -1"),
    ],
)
def test_wrong_arguments_are_refused(arguments, told):
    with pytest.raises(ValueError, match=told):
        simulate_motion(**{"times_min": [0.0], "field_um": FIELD_UM, "seed": 0, **arguments})
