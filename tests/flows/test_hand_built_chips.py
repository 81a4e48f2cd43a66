"""Does a network built by hand go the whole way on each digital chip: built, run, saved, loaded, cross-checked?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import spikeloom as sl
from spikeloom.bundled.load import load_bundle

TICKS = 24


def xylo() -> sl.SpikingNetwork:
    """Eight inputs, twelve neurons with a loop and both synapses, three that are read."""
    rng = np.random.default_rng(1)
    network = sl.SpikingNetwork("xylo_a2")
    source = network.input("in", 8)
    hidden = network.population("hidden", 12, threshold=300, dash_mem=4, dash_syn_1=3, bias=5)
    out = network.population("out", 3, threshold=600, max_spikes=1)
    network.connect(source, hidden, rng.integers(-60, 128, (8, 12)), shift=1)
    network.connect(hidden, hidden, rng.integers(-80, 40, (12, 12)), receptor=1)
    network.connect(hidden, out, rng.integers(-50, 128, (12, 3)), shift=2)
    network.output(out)
    return network


def crossbar(chip: str) -> sl.SpikingNetwork:
    """Sixteen axons of four types onto ten neurons, which each drive one axon of four more."""
    rng = np.random.default_rng(2)
    network = sl.SpikingNetwork(chip)
    source = network.input("in", 16)
    weights = {f"w{k}": rng.integers(-20, 60, 10) for k in range(4)}
    first = network.population("first", 10, positive=70, negative=-90, leak=-1, **weights)
    second = network.population("second", 4, positive=40, w0=25, w1=-12)
    network.connect(source, first, rng.random((16, 10)) < 0.6, type=np.arange(16) % 4, delays=2)
    network.connect(first, second, rng.random((10, 4)) < 0.7, type=[0, 0, 0, 0, 0, 0, 0, 1, 1, 1], delays=5)
    network.output(second)
    return network


def crossbar_convolution(chip: str) -> sl.SpikingNetwork:
    """A kernel of bits whose input channels have a type each: rows are shared, what they add is not."""
    rng = np.random.default_rng(3)
    network = sl.SpikingNetwork(chip)
    source = network.input("in", 6 * 6 * 2)
    image = network.population(
        "image", 4 * 4 * 3, positive=50, w1=rng.integers(0, 40, 48), w3=rng.integers(-30, 0, 48)
    )
    kernel = sl.Convolution((rng.random((2, 3, 3, 3)) < 0.7).astype(int), (6, 6, 2))
    network.connect(source, image, kernel, type=[1, 3])
    network.output(image)
    return network


CASES = {
    "xylo_a2": xylo,
    "ranc": lambda: crossbar("ranc"),
    "ranc:sim": lambda: crossbar("ranc:sim"),
    "truenorth": lambda: crossbar("truenorth"),
    "ranc, convolution": lambda: crossbar_convolution("ranc"),
    "truenorth, convolution": lambda: crossbar_convolution("truenorth"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_hand_built_network_goes_the_whole_way(name: str, tmp_path: Path) -> None:
    network = CASES[name]()
    program = sl.place(network, ticks=TICKS)
    rng = np.random.default_rng(4)
    inputs = (rng.random((2, TICKS, program.n_inputs)) < 0.4).astype(np.uint8)
    first = sl.emulate(program, inputs)
    assert all(counts.sum() > 5 for counts in first.counts.values())
    program.save(tmp_path / "net.spikeloom")
    loaded = sl.load_program(tmp_path / "net.spikeloom")
    assert loaded.profile == program.profile
    again = sl.emulate(loaded, inputs, threads=2)
    assert np.array_equal(first.outputs, again.outputs)
    for reference in ("twin", "brian2"):
        check = sl.crosscheck(loaded, inputs, reference=reference)
        assert check.equal, f"{reference}: {check.first_divergence}"
        assert check.compared["spikes"] > 10


@pytest.mark.parametrize("name", ["xylo_a2", "ranc", "ranc:sim", "truenorth", "truenorth:strict"])
def test_the_profile_is_sound(name: str) -> None:
    override = {"state.v.init": 0} if name == "ranc:sim" else None  # 32 bits of a first value would trap
    told: list[tuple[str, int, int]] = []
    chip = sl.load_profile(name, override=override)
    check = sl.check_profile(chip, programs=25, progress=lambda *what: told.append(what))
    assert told == [("random programs", done, 25) for done in range(26)]
    assert check.ok, check.findings
    assert check.compared["the twin"] == 25
    assert check.compared["Brian2"] > 0
    assert check.unsourced == ()


def test_the_fit_refuses_a_kernel_where_each_neuron_has_a_table_of_weights() -> None:
    bundle = load_bundle("cnn")
    with pytest.raises(sl.FitError, match="shares weights, and the chip has a table.*SpikingNetwork"):
        sl.convert(bundle.onnx_path, "ranc", calibration=bundle.calibration[:60])
