"""How late does a step make a spike? Each first spike and each interval comes within one step of a run at a sixteenth
of it. A first-order step, which no shipped chip takes unless asked, is late by a number of steps, however small."""

from functools import partial

import numpy as np
import pytest
from free_neurons import (
    adapting_pairs,
    adaptive,
    brainscales2,
    crossbar,
    differential_pair,
    driven_brainscales2,
    driven_leaky,
    driven_pairs,
    leaky,
    second_order,
)  # fmt: skip

FINER = 16
WITHIN = {
    "leaky_exact": (leaky, 100),
    "brainscales2": (brainscales2, 60),
    **{f"brainscales2 driven {seed}": (partial(driven_brainscales2, seed), 300) for seed in range(4)},
    **{f"leaky_step driven {seed}": (partial(driven_leaky, seed), 300) for seed in range(2)},
    **{f"adaptive_second_order {seed}": (partial(second_order, seed), 250) for seed in range(3)},
    **{f"dynap_se2 {seed}": (partial(adapting_pairs, seed), 300) for seed in range(3)},
    **{f"dynap_se2 driven {seed}": (partial(driven_pairs, seed), 300) for seed in range(2)},
}
FIRST_ORDER = {
    "adaptive_exponential": (adaptive, 250, 7),
    "dynap_se2:euler": (partial(differential_pair, "dynap_se2:euler"), 400, 9),
}


def lateness(free, dt_s, ticks):
    """Of first spikes and of intervals against the fine run, in units of the step."""
    first, intervals = [], []
    for coarse, fine in zip(
        free.spike_times(dt_s, ticks), free.spike_times(dt_s / FINER, ticks), strict=True
    ):
        both = min(len(coarse), len(fine))
        assert both or len(coarse) + len(fine) <= 1  # one may fire just beyond the end
        first.extend(coarse[:1] - fine[:1] if both else [])
        intervals.extend(np.diff(coarse[:both]) - np.diff(fine[:both]))
    return np.array(first) / dt_s, np.array(intervals) / dt_s


@pytest.mark.parametrize("name", WITHIN)
def test_spikes_come_within_a_step_of_a_run_at_a_sixteenth(name):
    make, ticks = WITHIN[name]
    free = make()
    first, intervals = lateness(free, free.dt_s, ticks)
    assert len(first) > 15 and len(intervals) > 80
    for late in (first, intervals):
        assert np.abs(late).max() < 1 + 1e-6
    # A crossing is seen at the end of its step: the lateness is spread, and it is none that a mean could hide.
    assert first.min() > -1e-6 and np.ptp(first) > 0.5


def test_spikes_of_a_crossbar_come_with_the_read_that_makes_them():
    """Charge comes when the array is read, once a tick: spikes at the end of the same step, intervals alike."""
    free = crossbar()
    first, intervals = lateness(free, free.dt_s, 300)
    assert len(first) > 15 and len(intervals) > 80
    assert np.abs(first).max() < 1 and np.abs(intervals).max() < 1e-6


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_a_first_order_step_is_late_by_a_number_of_steps(name):
    """So half the step makes half the lateness in seconds, and never a lateness below a step."""
    make, ticks, most = FIRST_ORDER[name]
    free = make()
    means = []
    for dt_s in (free.dt_s, free.dt_s / 4):
        first, intervals = lateness(free, dt_s, ticks)
        assert len(first) > 10 and len(intervals) > 60
        assert max(np.abs(first).max(), np.abs(intervals).max()) < most
        means.append(first.mean() * dt_s)
    assert 3.5 < means[0] / means[1] < 4.5
