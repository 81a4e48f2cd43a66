"""Do the digital chips do what their descriptions say, at the corners where models part? Hand-computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from spikeloom.emulation.emulate import emulate
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.reference.twin.executor import run_twin


def ran(
    chip: str,
    params: Mapping[str, Any],
    *,
    size: int = 1,
    init: Mapping[str, Any] | None = None,
    inputs: Sequence[Sequence[int]] = ((0,),),
    weights: Any = None,
    ticks: int | None = None,
    **connection: Any,
) -> dict[str, list]:
    """Registers and spike counts of one population, by tick: a number where it has one neuron, else a list.

    inputs: (ticks, lines); weights: (lines, size)
    """
    network = SpikingNetwork(chip)
    spikes = np.array(inputs, dtype=np.uint8)
    source = network.input("in", spikes.shape[1])
    target = network.population("n", size, init=init, **params)
    if weights is not None:
        network.connect(source, target, weights, **connection)
    if size <= 8:  # a Xylo reads no more
        network.output(target)
    length = ticks or len(spikes)
    program = place(network, ticks=length)
    spikes = np.vstack([spikes, np.zeros((length - len(spikes), spikes.shape[1]), np.uint8)])
    elements = program.profile.element_names()
    run = emulate(program, spikes[None], record=[f"n.{name}" for name in ("spikes", *elements)])
    fired = np.zeros((length, size), int)
    np.add.at(fired, tuple(run.spikes["n"].T[1:]), 1)
    found = {name: run.registers[f"n.{name}"][0] for name in elements} | {"spikes": fired}
    twin = run_twin(program, spikes)
    assert all(np.array_equal(twin.registers[name], found[name]) for name in elements)
    assert np.array_equal(twin.spikes, fired)
    return {name: (values[:, 0] if size == 1 else values).tolist() for name, values in found.items()}


# Xylo: 16-bit saturation, shift decay with its smallest step, several spikes a tick, aliases.


def test_xylo_negates_the_lowest_number_to_itself() -> None:
    run = ran("xylo_a2", {"threshold": 32767, "dash_mem": 0, "bias": [-32768, -32767]}, size=2, ticks=2)
    assert run["v"] == [[-32768, -32767], [-32768, -32767]]
    assert [row[0] for row in run["d"]] == [-32768, -32768]  # a saturating negation would leave -1
    assert [row[1] for row in run["d"]] == [-32767, 0]


@pytest.mark.parametrize(
    ("weight", "i", "v"),
    [(2, [1, 0, 0], [1, 0, 0]), (-2, [-1, 0, 0], [-1, 0, 0]), (-3, [-1, 0, 0], [-1, 0, 0])],
)
def test_xylo_decays_by_one_at_least_and_rounds_down(weight: int, i: list, v: list) -> None:
    run = ran("xylo_a2", {"threshold": 100}, inputs=[[1]], weights=[[weight]], ticks=3)
    assert (run["i[0]"], run["v"]) == (i, v)


def test_xylo_counts_fifteen_input_spikes_and_saturates_each() -> None:
    # 127 * 2^5 = 4064; eight of them reach 32512, the ninth stops at 32767, and a sixteenth does not count.
    params = {"threshold": 32767, "dash_syn_0": 1}
    run = ran("xylo_a2", params, inputs=[[16]], weights=[[127]], shift=5)
    assert run["i[0]"] == [32767 - 32767 // 2]
    run = ran("xylo_a2", params, inputs=[[200]], weights=[[1]])
    assert run["i[0]"] == [15 - 15 // 2]


@pytest.mark.parametrize(("bias", "n", "rest"), [(9, 0, 9), (10, 1, 0), (35, 3, 5), (3100, 31, 2790)])
def test_xylo_fires_at_its_threshold_as_often_as_it_may(bias: int, n: int, rest: int) -> None:
    run = ran("xylo_a2", {"threshold": 10, "bias": bias})
    assert (run["spikes"], run["v"]) == ([n], [rest])
    run = ran("xylo_a2", {"threshold": 10, "bias": bias, "max_spikes": 1})
    assert (run["spikes"], run["v"]) == ([min(n, 1)], [bias - 10 * min(n, 1)])


def test_xylo_with_a_threshold_of_zero_fires_without_end() -> None:
    assert ran("xylo_a2", {"threshold": 0}, ticks=2)["spikes"] == [31, 31]


def test_xylo_subtracts_a_negative_threshold_in_16_bits() -> None:
    # 0, 20000, then 40000 - 65536 = -25536, which is below the threshold.
    run = ran("xylo_a2", {"threshold": -20000})
    assert (run["spikes"], run["v"]) == ([2], [-25536])


def test_xylo_aliases_take_their_turn() -> None:
    # Neuron 0 gives 2 spikes to neuron 1, which is still to come, adds its own and gives 3 to neuron 3.
    # Neuron 2 gives 4 to neuron 0, whose turn is over: it has 6, and neuron 1 does not see them.
    params = {"threshold": 10, "bias": [20, 10, 40, 0], "alias": [1, 2, -2, 0]}
    assert ran("xylo_a2", params, size=4)["spikes"] == [[6, 3, 4, 3]]


def test_xylo_aliases_never_pass_31() -> None:
    # Neuron 1 starts with 30 and fires once more, though its potential would do for 5.
    params = {"threshold": 10, "bias": [300, 50], "alias": [1, -1]}
    run = ran("xylo_a2", params, size=2)
    assert (run["spikes"], run["v"]) == ([[31, 31]], [[0, 40]])


def test_xylo_aliases_cross_blocks_of_neurons() -> None:
    bias, alias = np.zeros(600, int), np.zeros(600, int)
    bias[[1, 599]], alias[[1, 599, 300]] = (20, 30), (299, -589, -300)
    spikes = np.array(ran("xylo_a2", {"threshold": 10, "bias": bias, "alias": alias}, size=600)["spikes"][0])
    assert np.flatnonzero(spikes).tolist() == [0, 1, 10, 300, 599]
    assert spikes[[0, 1, 10, 300, 599]].tolist() == [2, 2, 3, 2, 3]


# RANC: 9-bit wrap, two thresholds, bits with a weight for each type of axon, one count an axon.

TYPES = {"w0": 100, "w1": -7, "w2": 60, "w3": -256}


def test_an_axon_adds_what_the_neuron_keeps_for_its_type() -> None:
    lines = np.eye(4, dtype=int)
    run = ran("ranc", TYPES | {"positive": 255}, inputs=lines, weights=np.ones((4, 1)), type=[0, 1, 2, 3])
    assert run["v"] == [100, 93, 153, 153 - 256]


def test_an_axon_without_a_bit_adds_nothing() -> None:
    params = {"w1": [5, 9], "positive": 255}
    run = ran("ranc", params, size=2, inputs=[[1, 1]], weights=[[1, 0], [0, 0]], type=1)
    assert run["v"] == [[5, 0]]


def test_ranc_counts_an_axon_once() -> None:
    assert ran("ranc", TYPES | {"positive": 255}, inputs=[[3]], weights=[[1]])["v"] == [100]


@pytest.mark.parametrize(("chip", "v"), [("ranc", 300 - 512), ("ranc:rtl", 300 - 512), ("ranc:sim", 45)])
def test_ranc_wraps_in_the_circuit_and_not_in_the_simulator(chip: str, v: int) -> None:
    # 200 + 100 is above the threshold 255 where it does not wrap: a spike, and 45 are left.
    run = ran(chip, {"w0": 100, "positive": 255}, init={"v": 200}, inputs=[[1]], weights=[[1]])
    assert (run["v"], run["spikes"]) == ([v], [int(chip == "ranc:sim")])


@pytest.mark.parametrize(("chip", "v"), [("ranc", -50), ("ranc:sim", 0)])
def test_ranc_at_its_lower_threshold(chip: str, v: int) -> None:
    params = {"positive": 100, "negative": -50}
    assert ran(chip, params, init={"v": -50})["v"] == [v]
    assert ran(chip, params, init={"v": -51})["v"] == [-1]
    assert ran(chip, params | {"mode": 0, "reset": 7}, init={"v": -51})["v"] == [-7]


@pytest.mark.parametrize(("chip", "v"), [("ranc", -256), ("ranc:sim", 256)])
def test_ranc_negates_its_lowest_reset(chip: str, v: int) -> None:
    params = {"positive": 255, "negative": 0, "mode": 0, "reset": -256}
    assert ran(chip, params, init={"v": -3}, ticks=1)["v"] == [v]


def test_ranc_fires_at_its_threshold() -> None:
    run = ran("ranc", {"positive": 10, "leak": 5}, init={"v": 4}, ticks=3)
    assert (run["v"], run["spikes"]) == ([9, 4, 9], [0, 1, 0])


def test_ranc_and_truenorth_hold_spikes_for_15_ticks() -> None:
    for chip in ("ranc", "truenorth"):
        network = SpikingNetwork(chip)
        first = network.population("first", 1, init={"v": 10}, positive=10)
        second = network.population("second", 1, w0=3, positive=100)
        network.connect(first, second, [[1]], delays=14)
        network.output(second)
        run = emulate(place(network, ticks=18), np.zeros((1, 18, 0)), record=["second.v"])
        assert run.registers["second.v"][0, :, 0].tolist() == [0] * 15 + [3] * 4


# TrueNorth: its reset and leak modes.


@pytest.mark.parametrize(("mode", "above", "below"), [(0, 7, -7), (1, 2, -2), (2, 12, -12)])
def test_truenorth_resets_in_three_ways_and_stops_below(mode: int, above: int, below: int) -> None:
    params = {"positive": 10, "negative": -10, "mode": mode, "reset": 3}
    run = ran("truenorth", params, init={"v": 12})
    assert (run["v"], run["spikes"]) == ([above], [1])
    run = ran("truenorth", params | {"saturate": 0}, init={"v": -12})
    assert (run["v"], run["spikes"]) == ([below], [0])
    assert ran("truenorth", params, init={"v": -12})["v"] == [-10]
    assert ran("truenorth", params, init={"v": -10})["v"] == [-10]


def test_truenorth_leaks_toward_zero_away_from_it_or_one_way() -> None:
    params = {"positive": 1000, "negative": -1000}
    for leak, by_sign, start, v in (
        (-5, 1, 12, [7, 2, 0]), (-5, 1, -12, [-7, -2, 0]), (5, 1, -3, [-8, -13, -18]),
        (5, 1, 0, [0, 0, 0]), (-5, 0, 3, [-2, -7, -12]),
    ):  # fmt: skip
        run = ran("truenorth", params | {"leak": leak, "leak_by_sign": by_sign}, init={"v": start}, ticks=3)
        assert run["v"] == v


@pytest.mark.parametrize(("chip", "spikes"), [("truenorth", 1), ("truenorth:strict", 0)])
def test_truenorth_at_its_threshold(chip: str, spikes: int) -> None:
    assert ran(chip, {"positive": 10}, init={"v": 10})["spikes"] == [spikes]
    assert ran(chip, {"positive": 10}, init={"v": 11})["spikes"] == [1]
