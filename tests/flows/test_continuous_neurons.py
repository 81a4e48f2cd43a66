"""Do neurons in continuous time do in volts and amperes what a fit says in thresholds?"""

from __future__ import annotations

import numpy as np
import pytest
import spikeloom as sl
from numpy.typing import NDArray
from spikeloom.ann.graph import AnnLayer
from spikeloom.network.chip_layer import Synapses
from spikeloom.network.from_fit import chip_layer
from spikeloom.network.gain_neurons import FARTHEST


def run(
    chip: str, codes: NDArray, scale: float, bias: float, spikes: NDArray, record: str = "spikes"
) -> sl.Recording:
    """One input line onto a neuron for each code; spikes: (ticks,) of the line."""
    layer = AnnLayer("fc", np.zeros((1, codes.size)), np.zeros(codes.size), "relu", (1,), (codes.size,))
    synapses = Synapses(
        "fc", codes[None].astype(np.int32), np.full(codes.size, scale), np.full(codes.size, bias)
    )
    made = chip_layer(
        synapses, layer, sl.load_profile(chip), ticks=len(spikes), peak=np.ones(codes.size), start_share=0.0
    )
    network = sl.SpikingNetwork(chip)
    network.input("in", 1)
    made.add_to(network, ["in"])
    network.output(network.populations["fc"])
    program = sl.place(network, ticks=len(spikes))
    return sl.emulate(program, spikes[None, :, None].astype(np.uint8), effects=(), record=[f"fc.{record}"])


def test_a_drive_brings_the_membrane_of_a_leaky_neuron_where_its_leak_holds_it() -> None:
    profile = sl.load_profile("brainscales2")
    membrane_ticks = float(profile.params["tau_mem_s"].max or 0) / float(profile.time.tick_s or 1)
    v = run("brainscales2", np.zeros(1), 0.01, 0.05, np.zeros(200), "v").registers["fc.v"][0, :, 0]
    assert v[-1] - v[0] == pytest.approx(0.05 * membrane_ticks * FARTHEST, rel=0.03)


def test_spikes_bring_charge_in_proportion_to_their_codes() -> None:
    spikes = np.zeros(40)
    spikes[0] = 1
    v = run("brainscales2", np.array([0, 16, 32, -32]), 0.01, 0.0, spikes, "v").registers["fc.v"][0]
    rise = (v - v[:, :1]).sum(axis=0)
    assert rise[2] == pytest.approx(2.0 * rise[1], rel=1e-6)
    assert rise[3] == pytest.approx(-rise[2], rel=1e-6)
    full = 0.32 * FARTHEST
    assert 0.5 * full < (v[:, 2] - v[:, 0]).max() < full  # less what leaks meanwhile


def test_a_threshold_is_nearer_where_gain_or_drive_would_leave_their_range() -> None:
    profile = sl.load_profile("brainscales2")
    layer = AnnLayer("fc", np.zeros((1, 3)), np.zeros(3), "relu", (1,), (3,))
    scales, bias = np.array([0.01, 0.04, 0.01]), np.array([0.0, 0.0, 0.3])
    made = chip_layer(Synapses("fc", np.array([[9, 9, 9]], dtype=np.int32), scales, bias), layer, profile, ticks=9,
                      peak=np.ones(3))  # fmt: skip
    assert made.theta[0] == FARTHEST > max(made.theta[1:])
    per_code = made.params["gain_lsb"] * profile.params["tau_syn_s"].min / made.theta  # in any one unit
    assert per_code[1:] / per_code[0] == pytest.approx([4.0, 1.0])
    drive = made.params["drive_lsb"] + made.params["v_leak_lsb"] - made.params["v_reset_lsb"]
    assert drive[2] / made.theta[2] == pytest.approx(0.3 * 12.0)  # the membrane's time constant is 12 ticks


@pytest.mark.parametrize("chip", ["dynap_se2", "dynap_se2:euler"])
def test_a_differential_pair_fires_when_a_threshold_of_charge_has_come(chip: str) -> None:
    spikes = np.tile([1, 0], 200)
    counts = run(chip, np.array([0, 4, 8, -8]), 0.02, 0.05, spikes).counts["fc"][0]
    current = 0.05 + 0.5 * 0.02 * np.array([0, 4, 8])  # thresholds a tick
    height = np.log(1e-9 / 5e-13)  # from the reset's current to the threshold's
    rate = np.log1p(height * current) / height if chip.endswith("euler") else current
    # The membrane's own feedback, which the formula leaves out, hastens slow rises.
    assert counts[:3] == pytest.approx(400 * rate, rel=0.15)
    assert counts[3] == 0


def test_negative_constants_are_taken_by_the_leak() -> None:
    spikes = np.tile([1, 0], 200)
    high, low = (
        run("dynap_se2", np.array([8]), 0.02, bias, spikes).counts["fc"][0, 0] for bias in (0.0, -0.05)
    )
    assert 0 < low < 0.6 * high


@pytest.mark.parametrize("chip", ["brainscales2", "dynap_se2"])
def test_a_convolution_behind_a_mean_has_the_currents_of_its_matrix(chip: str) -> None:
    rng, profile = np.random.default_rng(0), sl.load_profile(chip)
    kernel = rng.integers(-9, 10, (2, 2, 2, 3))
    layer = AnnLayer("c", kernel.astype(float), np.zeros(3), "relu", (4, 6, 2), (2, 3, 3), padding=(0, 0, 1, 1),
                     input_pool=(2, 2))  # fmt: skip
    synapses = Synapses(
        "c", kernel.reshape(-1, 3).astype(np.int32), np.full(3, 0.08), np.array([0.1, 0.15, 0.2])
    )
    matrix = 4 * layer.preactivation(np.eye(48))  # each of the four sources of a mean has a whole synapse
    dense = AnnLayer("c", matrix, np.zeros(18), "relu", (48,), (18,))
    alone = Synapses("c", np.rint(matrix).astype(np.int32), np.full(18, 0.08 / 4), np.tile(synapses.bias, 6))
    spikes = (rng.random((2, 60, 48)) < 0.1).astype(np.uint8)
    counts = [_counts(one, of, profile, spikes) for one, of in ((synapses, layer), (alone, dense))]
    assert counts[0].sum() > 50
    assert np.array_equal(*counts)


def _counts(synapses: Synapses, layer: AnnLayer, profile: sl.Profile, spikes: NDArray) -> NDArray:
    """(samples, neurons) spikes of the layer behind these input lines."""
    made = chip_layer(synapses, layer, profile, ticks=spikes.shape[1], peak=np.ones(synapses.bias.size))
    network = sl.SpikingNetwork(profile)
    network.input("in", layer.n_inputs)
    made.add_to(network, ["in"])
    network.output(network.populations["c"])
    return sl.emulate(sl.place(network, ticks=spikes.shape[1]), spikes, effects=()).counts["c"]
