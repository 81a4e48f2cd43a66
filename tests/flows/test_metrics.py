"""Are NeuroBench's metrics of a program those of its definitions, counted synapse by synapse?"""

from __future__ import annotations

import numpy as np
import pytest
from spikeloom.flows.validation.pictures import trace
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.projection import Convolution
from spikeloom.placement.place import place
from spikeloom.program.program import ChipProgram
from spikeloom.report.metrics import footprint_parts, neurobench_metrics

TICKS = 6
DENSE = np.array([[40, 0, 0, -20], [0, 0, 64, 0], [30, 30, 0, 8]], dtype=np.int32)


def _program() -> ChipProgram:
    """3 lines on 4 neurons, those on 4 more by a 2 x 2 image's convolution, which has zeros too."""
    network = SpikingNetwork("loihi1")
    lines = network.input("lines", 3, encoding="rate")
    dense = network.population("dense", 4, vth=1)
    kernel = np.array([10, 0, -6, 0], dtype=np.int32).reshape(1, 2, 2, 1)
    image = network.population("image", 4, vth=1)
    network.connect(lines, dense, DENSE, w_exp=0)
    network.connect(dense, image, Convolution(kernel, (2, 2, 1), padding=(0, 0, 1, 1)), w_exp=0)
    network.output(image)
    return place(network, ticks=TICKS)


def test_operations_are_those_counted_one_by_one() -> None:
    program, x = _program(), np.array([[1.0, 0.5, 0.25], [0.0, 1.0, 0.75]])
    traced = trace(program, x)
    metrics = traced.metrics()
    first, second = traced.neuron_spikes[:, :4], traced.neuron_spikes[:, 4:]
    # Kernel (10, 0; -6, 0) on a 2 x 2 image padded below and right: a pixel reaches the output at its own place
    # with 10, and the one above it, where there is one, with -6.
    fan = np.array([1, 1, 2, 2])
    arriving = traced.delivered_spikes[:, :4]
    expected = traced.input_spikes @ (DENSE != 0).sum(axis=1) + arriving @ fan
    assert metrics["effective_acs"] == expected.mean()
    assert metrics["effective_macs"] == 0.0
    assert metrics["dense"] == program.run_ticks * (DENSE.size + 9)
    assert metrics["activation_sparsity"] == 1 - (first.sum() + second.sum()) / (2 * program.run_ticks * 8)
    assert metrics["connection_sparsity"] == pytest.approx((6 + 2) / (12 + 4))


def test_spikes_of_the_trace_are_those_that_the_chip_counted() -> None:
    program, x = _program(), np.random.default_rng(2).random((5, 3))
    traced = trace(program, x)
    assert np.array_equal(traced.neuron_spikes.sum(axis=1), traced.run.events["spikes"])
    assert np.array_equal(traced.input_spikes.sum(axis=1), traced.run.events["input_spikes"])
    assert traced.host_values is None


def test_the_footprint_is_that_of_the_stated_widths() -> None:
    program = _program()
    silent = np.zeros((1, 8), dtype=int)
    metrics = neurobench_metrics(program, np.zeros((1, 3), dtype=int), silent, silent)
    profile = program.profile
    registers = sum((register.bits or 32) * register.count for register in profile.regs.values())
    parts = footprint_parts(program)
    assert (parts["weights"], parts["registers"]) == (16, registers)
    assert 0 < parts["parameters"] < 8 * 64
    assert metrics["footprint"] == sum(parts.values())
    assert metrics["effective_acs"] == 0.0
