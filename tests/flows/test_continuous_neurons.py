"""Do neurons in continuous time do in volts and amperes what a fit says in thresholds?"""

from __future__ import annotations

import numpy as np
import pytest
import spikeloom as sl
from numpy.typing import NDArray
from spikeloom.ann.graph import AnnLayer
from spikeloom.network.chip_layer import Synapses
from spikeloom.network.from_fit import chip_layer


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
    assert v[-1] - v[0] == pytest.approx(0.05 * membrane_ticks * 20.0, rel=0.03)  # 20: from rest to threshold


def test_spikes_bring_charge_in_proportion_to_their_codes() -> None:
    spikes = np.zeros(40)
    spikes[0] = 1
    v = run("brainscales2", np.array([0, 8, 16, -16]), 0.02, 0.0, spikes, "v").registers["fc.v"][0]
    rise = (v - v[:, :1]).sum(axis=0)
    assert rise[2] == pytest.approx(2.0 * rise[1], rel=1e-6)
    assert rise[3] == pytest.approx(-rise[2], rel=1e-6)
    assert 0.5 * 0.32 * 20.0 < (v[:, 2] - v[:, 0]).max() < 0.32 * 20.0  # less what leaks meanwhile


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
