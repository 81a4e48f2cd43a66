"""The encoding "current": the host computes the first layer's bias for each sample, as the chip stores it."""

from __future__ import annotations

import numpy as np
import pytest
from spikeloom.emulation.chip import Chip
from spikeloom.emulation.emulate import emulate
from spikeloom.emulation.inputs import encoded_inputs
from spikeloom.errors import EmulationError
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.program.program import ChipProgram
from spikeloom.reference.twin.executor import run_twin

WEIGHTS = np.array([[10.0, -3.0, 0.0], [0.25, 100.0, 0.0]])
BIAS = np.array([0.0, 1.0, 7.0])


def program(profile: str, **params: object) -> ChipProgram:
    network = SpikingNetwork(profile)
    source = network.input("in", 2, encoding="current")
    first = network.population("first", 3, **params)
    behind = network.population("behind", 1, vth=1)
    network.host_layer(source, first, WEIGHTS, bias=BIAS)
    network.connect(first, behind, np.full((3, 1), 2))
    network.output(first, read="v")
    return place(network, ticks=5)


def test_a_real_bias_is_the_product_itself() -> None:
    made = program("ideal", vth=1e9)
    x = np.array([[1.0, 2.0], [-0.5, 0.125]])
    biases = encoded_inputs(made, x).biases["first"]
    assert biases.tolist() == (x @ WEIGHTS + BIAS).tolist()
    # v after five ticks of the window: five times the bias, each sample with its own.
    assert emulate(made, x).outputs.tolist() == [[5 * b for b in row] for row in biases.tolist()]


def test_an_integer_bias_is_the_nearest_multiple_within_its_range() -> None:
    made = program("loihi1", vth=131071, bias_exp=np.array([0, 2, 7]))
    # 10 x + y/4; -3 x + 100 y + 1 to multiples of 4; 7 to multiples of 128
    rows = {(1.0, 2.0): [10, 200, 0], (0.25, 0.0): [2, 0, 0], (0.35, 0.0): [4, 0, 0]}
    rows[1e9, 0.0] = [4095, -4 * 4095, 0]
    x = np.array(list(rows))
    assert encoded_inputs(made, x).biases["first"].tolist() == list(rows.values())
    assert emulate(made, x).outputs.tolist() == [[5.0 * b for b in row] for row in rows.values()]


def test_the_twin_gets_the_same_bias() -> None:
    made = program("loihi1", vth=3, bias_exp=1, decay_v=100)
    x = np.random.default_rng(1).normal(size=(6, 2)) * 20
    encoded = encoded_inputs(made, x)
    recording = emulate(made, x, record=["first.v", "behind.v"])
    assert recording.events["spikes"].sum() > 0
    for sample in range(6):
        biases = {"first": encoded.biases["first"][sample]}
        trace = run_twin(made, encoded.spikes[sample], bias_override=biases)
        for name in ("first", "behind"):
            neurons = next(placed.neurons for placed in made.populations if placed.name == name)
            assert np.array_equal(recording.registers[f"{name}.v"][sample], trace.registers["v"][:, neurons])


def test_batches_and_threads_keep_each_samples_bias() -> None:
    made = program("loihi1", vth=131071)
    x = np.random.default_rng(4).normal(size=(30, 2))
    whole = emulate(made, x, threads=3).outputs
    assert np.array_equal(whole, np.concatenate([emulate(made, row[None]).outputs for row in x]))


def test_without_a_host_the_program_has_its_own_bias() -> None:
    made = program("loihi1", vth=131071, bias=11)
    chip = Chip(made)
    chip.tick()
    assert chip.registers("first")["v"].tolist() == [[11, 11, 11]]


def test_a_bias_format_that_no_host_can_write_is_refused() -> None:
    made = program("loihi1", vth=131071)
    with pytest.raises(EmulationError, match="wrong shape"):
        emulate(made, np.ones((1, 3)))
    with pytest.raises(EmulationError, match="holds NaN or infinity, first in sample 1"):
        emulate(made, [[1.0, 1.0], [np.nan, 0.0]])
