"""Real numbers are added in one order: by group, by axon of the receiving core, by stored run."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from small_programs import Row, built, spikes_at, watched
from spikeloom.emulation.emulate import emulate
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.profile.catalog import load_profile

WEIGHTS = (1e16, 1.0, -1e16, 1.0, 0.1)  # the sum depends on the order


def in_order(values: list[float]) -> float:
    return reduce(lambda total, value: total + value, values, 0.0)


def test_a_sum_goes_by_axon_whatever_the_order_of_the_lines() -> None:
    profile = load_profile("ideal")
    for lines in ((0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (2, 0, 4, 1, 3)):
        rows = [Row(f"i{line}", [(0, weight)]) for line, weight in zip(lines, WEIGHTS, strict=True)]
        program = built(profile, 1, rows, lines=5, ticks=1, params={"vth": 1e30})
        (v,) = watched(program, spikes_at(1, *({0: 1} for _ in range(5))), "v0")
        assert v == [in_order(list(WEIGHTS))]
    assert in_order(list(WEIGHTS)) != in_order(sorted(WEIGHTS))


def test_n_spikes_are_n_equal_additions() -> None:
    program = built(load_profile("ideal"), 1, [Row("i0", [(0, 0.1)])], ticks=1, params={"vth": 1e30})
    (v,) = watched(program, spikes_at(1, {0: 6}), "v0")
    assert v == [in_order([0.1] * 6)]
    assert v != [0.1 * 6]


def test_spikes_of_earlier_ticks_stand_at_their_axon_not_before() -> None:
    # Axon 0 sends in tick 0 with delay 2, axon 1 in tick 2: both are due in tick 2, added by axon.
    rows = [Row("i1", [(0, 1.0)]), Row("i0", [(0, 1e16, 2)]), Row("i1", [(0, -1e16)])]
    program = built(load_profile("ideal"), 1, rows, lines=2, ticks=3, params={"vth": 1e30})
    (v,) = watched(program, spikes_at(3, {0: 1}, {2: 1}), "v0")
    assert v == [0.0, 0.0, in_order([1.0, 1e16, -1e16])]
    assert v[2] == 0.0


@pytest.mark.parametrize("order", [("input", "recurrent"), ("recurrent", "input")])
def test_groups_come_before_axons(order: tuple[str, str]) -> None:
    profile = load_profile("ideal", override={"delivery.order": list(order)})
    rows = [Row("n0", [(1, 1e16)]), Row("i0", [(1, 1.0)]), Row("n0", [(1, -1e16)]), Row("i1", [(0, 2.0)])]
    rows = [rows[3], *rows[:3]]
    program = built(profile, 2, rows, lines=2, ticks=2, params={"vth": [1.0, 1e30]})
    (v,) = watched(program, spikes_at(2, {1: 1}, {0: 1}), "v1")
    sums = {"input": [1.0], "recurrent": [1e16, -1e16]}
    assert v == [0.0, in_order([value for group in order for value in sums[group]])]
    assert in_order([1.0, 1e16, -1e16]) != in_order([1e16, -1e16, 1.0])


def network(seed: int) -> SpikingNetwork:
    rng = np.random.default_rng(seed)
    made = SpikingNetwork(load_profile("ideal", override={"limits.neurons_per_core": 7}))
    source = made.input("in", 20)
    first = made.population("first", 30, vth=1.5)
    second = made.population("second", 10, vth=1.0)
    made.connect(source, first, rng.normal(size=(20, 30)))
    made.connect(first, second, rng.normal(size=(30, 10)) * 10.0 ** rng.integers(-8, 8, (30, 10)))
    made.connect(second, second, rng.normal(size=(10, 10)), delays=3)
    made.output(second, read="v")
    return made


def test_threads_and_batches_change_no_bit() -> None:
    program = place(network(1), ticks=20)
    assert program.n_cores > 3
    inputs = (np.random.default_rng(2).random((12, 20, 20)) < 0.3).astype(np.uint8)
    whole = emulate(program, inputs, threads=1, record=["second.v"])
    assert whole.counts["second"].sum() > 0
    for threads in (2, 5):
        assert emulate(program, inputs, threads=threads).outputs.tobytes() == whole.outputs.tobytes()
    for k in range(12):
        alone = emulate(program, inputs[k : k + 1], record=["second.v"])
        assert alone.registers["second.v"].tobytes() == whole.registers["second.v"][k : k + 1].tobytes()
