"""Does the bundled MLP give the same classes in the same clocks on its circuit as in the emulator?"""

import shutil

import pytest
import spikeloom as sl
from spikeloom.bundled.load import load_bundle
from spikeloom.reference.circuit.rtl import SIMULATORS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not any(map(shutil.which, SIMULATORS)), reason="no Verilog simulator; on Debian: apt install iverilog"
    ),
]
INPUTS = 20


def test_twenty_inputs_of_the_mlp_are_equal_on_its_circuit_in_every_clock():
    """Three cores; the host computes the first layer's currents, as a core has fewer axons than there are pixels."""
    mlp = load_bundle("mlp")
    conversion = sl.convert(
        mlp.onnx_path, "open_core", calibration=mlp.calibration[:200], ticks=32, encoding="current"
    )
    rows, labels = mlp.inputs[:INPUTS], mlp.labels[:INPUTS]
    recording = sl.emulate(conversion.program, rows, timing="cycle")
    assert (recording.outputs.argmax(axis=1) == labels).mean() >= 0.8
    check = sl.crosscheck(conversion.program, rows, reference="rtl")
    assert check.equal, check.first_divergence
    assert check.compared["samples"] == INPUTS
    assert check.compared["clocks"] == recording.cycles.total.sum() > 500_000
    assert check.compared["spikes"] == recording.events["spikes"].sum() > 10_000
