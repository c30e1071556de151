"""frozen_statistics: those of frozen batch norms follow the batch, their scale and shift do not."""

import numpy as np

from somaseg.models import freeze_all_but_last
from somaseg.training.frozen_statistics import hold_statistics, let_statistics_move


def batch():
    return np.random.default_rng(0).uniform(0, 255, (2, 16, 16, 3)).astype(np.float32)


def moved_by_a_training_pass(network):
    before = [np.array(v) for v in network.variables]
    network(batch(), training=True)
    return {v.path.split("/")[-1] for v, old in zip(network.variables, before) if (np.array(v) != old).any()}


def test_frozen_statistics_move_with_the_batch_only_when_they_are_let(random_unet):
    network = random_unet(filters=2, depth=2)
    freeze_all_but_last(network, 1)  # the head has no batch norm
    assert moved_by_a_training_pass(network) == set()
    let_statistics_move(network)
    assert moved_by_a_training_pass(network) == {"moving_mean", "moving_variance"}


def test_what_is_trained_stays_the_same(random_unet):
    network = random_unet(filters=2, depth=2)
    freeze_all_but_last(network, 2)
    trained = [v.path for v in network.trainable_variables]
    let_statistics_move(network)
    assert [v.path for v in network.trainable_variables] == trained


def test_held_statistics_are_those_of_a_frozen_batch_norm_and_can_be_trained_again(random_unet):
    network = random_unet(filters=2, depth=2)
    everything = len(network.trainable_variables)
    freeze_all_but_last(network, 1)
    let_statistics_move(network)
    hold_statistics(network)
    assert moved_by_a_training_pass(network) == set()
    freeze_all_but_last(network, 5)
    assert len(network.trainable_variables) == everything
