"""A state at its threshold to the last bits fires here and not there: such states are skipped, and counted."""

import numpy as np
from agreement_cases import profile_of
from free_neurons import NEURONS, leaky
from spikeloom.flows.crosscheck import crosscheck
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.profile.catalog import load_profile


def at_the_threshold(ulps):
    """Leaky neurons, each with the threshold that its membrane has after a tick, moved by some last bits."""
    free = leaky()
    reached = free.states(free.dt_s, 1)[-1]
    profile = load_profile(profile_of(free.profile), override={**free.override, "params.threshold.min": 0.01})
    network = SpikingNetwork(profile)
    threshold = reached + ulps * np.spacing(reached)
    network.output(network.population("n", NEURONS, **{**free.params, "threshold": threshold}))
    return place(network, ticks=3)


def test_states_at_the_threshold_are_skipped_and_counted():
    program, quiet = at_the_threshold(0), np.zeros((1, 0))
    check = crosscheck(program, quiet)
    assert check.equal and check.near_threshold >= NEURONS
    assert check.compared["ticks"] < 12  # another exponential: some neurons fire a step later in Brian2
    assert crosscheck(program, quiet, reference="twin").near_threshold == 0  # the same bits there


def test_states_away_from_the_threshold_are_all_compared():
    check = crosscheck(at_the_threshold(1_000_000), np.zeros((1, 0)))
    assert check.equal and check.near_threshold == 0 and check.compared["ticks"] == 12
