"""Deliver and accumulate: delays, latency, merging, receptors, one write a tick, on hand-made numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_programs import Row, built, counter, spikes_at, watched
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import EmulationError
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.profile.catalog import load_profile
from spikeloom.reference.twin.executor import run_twin


def test_an_input_spike_without_delay_is_read_in_its_own_tick() -> None:
    program = built(counter(), 1, [Row("i0", [(0, 5)])], ticks=3)
    (v,) = watched(program, spikes_at(3, {1: 1}), "v0")
    assert v == [0, 5, 5]


@pytest.mark.parametrize("delay", [0, 1, 4])
def test_a_delay_puts_the_addition_off_by_that_many_ticks(delay: int) -> None:
    program = built(counter(), 1, [Row("i0", [(0, 5, delay)])])
    (v,) = watched(program, spikes_at(8, {2: 1}), "v0")
    assert v == [0] * (2 + delay) + [5] * (6 - delay)


@pytest.mark.parametrize("latency", [1, 3])
@pytest.mark.parametrize("delay", [0, 1, 4])
def test_a_neurons_spike_arrives_after_latency_and_delay(latency: int, delay: int) -> None:
    profile = counter(time__spike_latency_ticks=latency)
    program = built(
        profile, 2, [Row("i0", [(0, 10)]), Row("n0", [(1, 7, delay)])], ticks=10, params={"thr": [10, 30000]}
    )
    sent, v = watched(program, spikes_at(10, {2: 1}), "s0", "v1")
    assert sent == [0, 0, 1] + [0] * 7
    due = 2 + latency + delay
    assert v == [0] * due + [7] * (10 - due)


def test_one_row_may_hold_every_delay() -> None:
    program = built(counter(), 1, [Row("i0", [(0, 10**k, k) for k in range(3)])])
    (v,) = watched(program, spikes_at(8, {0: 1, 1: 2}), "v0")
    assert v == [1, 1 + 10 + 2, 13 + 100 + 20, 133 + 200, 333, 333, 333, 333]


MERGED = [Row("i0 i1 n0", [(1, 5)])]  # an axon that two lines and neuron 0 drive


@pytest.mark.parametrize(
    ("change", "n", "rule"),
    [
        ({}, 6, None),
        ({"delivery__merge": "or"}, 1, "delivery.merge"),
        ({"delivery__spikes_max": {"input": 4}}, 4, "delivery.spikes_max"),
        ({"delivery__spikes_max": {"input": 6}}, 6, None),
    ],
)
def test_spikes_due_on_one_axon_in_one_tick_merge(change: dict, n: int, rule: str) -> None:
    # Neuron 0 fires in tick 1, so its spike is due in tick 2, with 2 and 3 spikes of the lines.
    program = built(
        counter(**change), 2, [Row("i2", [(0, 9)]), *MERGED], lines=3, params={"thr": [9, 30000]}, ticks=4
    )
    inputs = spikes_at(4, {2: 2}, {2: 3}, {1: 1})
    (v,) = watched(program, inputs, "v1")
    assert v == [0, 0, 5 * n, 5 * n]
    rules = emulate(program, inputs).rules
    acted = {name: int(count[0]) for name, count in rules.items() if count[0]}
    assert acted == ({} if rule is None else {rule: 1})


def test_merging_looks_at_each_axon_and_each_due_tick_alone() -> None:
    profile = counter(delivery__merge="or")
    program = built(profile, 1, [Row("i0", [(0, 1, 0), (0, 10, 2)]), Row("i0", [(0, 100)])], ticks=5)
    (v,) = watched(program, spikes_at(5, {0: 3, 2: 1}), "v0")
    assert v == [101, 101, 101 + 101 + 10, 212, 222]


def test_the_sum_is_exact_before_its_one_write() -> None:
    # 100 + 100 - 150 = 50 fits eight bits; written one by one it would stop at 127.
    profile = counter(regs__q__bits=8)
    program = built(
        profile, 1, [Row("i0", [(0, 100)]), Row("i0", [(0, 100)]), Row("i0", [(0, -150)])], ticks=1
    )
    (v,) = watched(program, spikes_at(1, {0: 1}), "v0")
    assert v == [50]


@pytest.mark.parametrize(
    ("overflow", "got"), [("wrap", 300 - 256), ("saturate", 127), ("wrap_lava24", 300 - 256)]
)
def test_a_sum_beyond_the_width_goes_through_the_rule_and_is_counted(overflow: str, got: int) -> None:
    profile = counter(regs__q__bits=8, regs__q__overflow=overflow)
    program = built(profile, 2, [Row("i0", [(0, 300)]), Row("i1", [(1, 127)])], ticks=2, lines=2)
    inputs = spikes_at(2, {0: 1, 1: 1}, {0: 1})
    v, other = watched(program, inputs, "v0", "v1")
    assert (v, other) == ([got, 2 * got], [127, 127])
    assert emulate(program, inputs).rules[f"q.{overflow}"].tolist() == [2]


def test_a_trap_names_tick_core_neuron_register_and_value() -> None:
    profile = counter(regs__q__bits=8, regs__q__overflow="trap")
    program = built(profile, 3, [Row("i1", [(0, 1)]), Row("i0", [(2, 64)])], cores=[0, 2], lines=2)
    with pytest.raises(EmulationError) as caught:
        emulate(program, spikes_at(8, {3: 1, 5: 2}, {0: 1}))
    assert caught.value.subject == "tick 5, core 1, neuron 2, register q"
    assert caught.value.value == 128


def test_of_several_traps_of_a_tick_the_first_core_has_the_first() -> None:
    # Neuron 0 traps in the list's last operation, neuron 1, on the next core, already where spikes add.
    profile = counter(regs__q__overflow="trap", regs__q__bits=8, regs__v__bits=8, regs__v__overflow="trap")
    rows = [Row("i0", [(0, 100)]), Row("i0", [(1, 200)])]
    program = built(profile, 2, rows, cores=[0, 1], init={"v": [100, 0]})
    for run in (
        lambda: emulate(program, spikes_at(8, {0: 1})),
        lambda: run_twin(program, spikes_at(8, {0: 1})[0]),
    ):
        with pytest.raises(EmulationError) as caught:
            run()
        assert caught.value.subject == "tick 0, core 0, neuron 0, register v"


def test_an_accumulator_that_is_never_cleared_keeps_its_sum() -> None:
    kept = counter(regs__q__clear="never")
    rows = [Row("i0", [(0, 3)])]
    assert watched(built(kept, 1, rows, ticks=4), spikes_at(4, {0: 1, 2: 1}), "q0", "v0") == [
        [3, 3, 6, 6],
        [3, 6, 12, 18],
    ]
    cleared = built(counter(), 1, rows, ticks=4)
    assert watched(cleared, spikes_at(4, {0: 1, 2: 1}), "q0", "v0") == [[0, 0, 0, 0], [3, 3, 6, 6]]


def test_a_run_names_its_receptor() -> None:
    profile = load_profile(Path(__file__).with_name("two_receptors.toml"))
    program = built(profile, 2, [Row("i0", [(0, 2, 0, 0), (0, 5, 0, 1), (1, 9, 1, 1)])], ticks=3)
    names = ("i[0]0", "i[1]0", "i[0]1", "i[1]1", "v0", "v1")
    got = dict(zip(names, watched(program, spikes_at(3, {0: 2}), *names), strict=True))
    assert got["i[0]0"] == [4, 4, 4] and got["i[1]0"] == [10, 10, 10]
    assert got["i[0]1"] == [0, 0, 0] and got["i[1]1"] == [0, 18, 18]
    assert got["v0"] == [4 - 10, 2 * -6, 3 * -6] and got["v1"] == [0, -18, -36]


@pytest.mark.parametrize(
    ("exponent", "wanted"),
    [  # floor(m 2^exponent) 64, clipped to 2097088, of m = -6, 6, 250
        (-2, (-2 * 64, 1 * 64, 62 * 64)),
        (0, (-6 * 64, 6 * 64, 250 * 64)),
        (7, (-6 * 8192, 6 * 8192, 250 * 8192)),
    ],
)
def test_weights_with_an_exponent_are_rounded_down(exponent: int, wanted: tuple[int, ...]) -> None:
    rows = [Row("i0", [(k, m)]) for k, m in enumerate((-6, 6, 250))]
    program = built(
        load_profile("loihi1"), 3, rows, ticks=1, format_shared={"w_exp": [exponent]}, params={"vth": 131071}
    )
    assert watched(program, spikes_at(1, {0: 1}), "u0", "u1", "u2") == [[value] for value in wanted]


def test_weights_with_an_exponent_are_clipped() -> None:
    profile = load_profile("loihi1", override={"weights.clip": 1000})
    rows = [Row("i0", [(0, -250)]), Row("i0", [(1, 250)])]
    program = built(profile, 2, rows, ticks=1, format_shared={"w_exp": [0]}, params={"vth": 131071})
    assert watched(program, spikes_at(1, {0: 1}), "u0", "u1") == [[-1000], [1000]]


@pytest.mark.parametrize("reach", [127, 500])
@pytest.mark.parametrize("most", [1, 3])
def test_a_dense_layer_adds_what_a_matrix_product_gives(reach: int, most: int) -> None:
    rng = np.random.default_rng(reach + most)
    weights = rng.integers(-reach, reach + 1, (300, 150))
    network = SpikingNetwork(counter(limits__neurons_per_core=100))
    source, target = network.input("in", 300), network.population("out", 150)
    network.connect(source, target, weights)
    program = place(network, ticks=6)
    assert program.n_cores == 2
    inputs = rng.integers(1, most + 1, (4, 6, 300)) * (rng.random((4, 6, 300)) < 0.06)
    v = emulate(program, inputs, record=["out.v"]).registers["out.v"]
    assert np.array_equal(v, np.cumsum(inputs @ weights, axis=1))
    assert np.abs(v).max() < 30000  # neither fired nor saturated
