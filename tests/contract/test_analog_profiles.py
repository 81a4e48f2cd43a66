"""The profiles of analog chips: what is particular to each of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import spikeloom as sl
from spikeloom.emulation.emulate import emulate
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.profile.schema import Weights
from spikeloom.profile.weights import effective_weights
from spikeloom.program.program import ChipProgram
from spikeloom.reference.random_programs import random_program


@pytest.mark.parametrize("name", ["dynap_se2", "brainscales2_matrix"])
def test_core_twin_and_brian2_agree(name: str) -> None:
    profile = sl.load_profile(name)
    values = 0
    for seed in range(12):
        case = random_program(profile, seed)
        check = sl.crosscheck(
            case.program, case.spikes[None], reference="twin", chip_seed=seed, trial_seed=seed
        )
        assert check.equal, f"program {seed}: {check.first_divergence}"
        values += check.compared["register_values"]
    assert values > 1000
    alone = sl.crosscheck(case.program, case.spikes[None], reference="brian2", chip_seed=2)
    assert alone.equal, alone.first_divergence


def matrix(rows: int, columns: int, seed: int) -> tuple[ChipProgram, np.ndarray, np.ndarray]:
    """A program of the matrix mode: activations (rows), weights (rows, columns), the first 128 rows in one half."""
    rng = np.random.default_rng(seed)
    weights, x = rng.integers(-63, 64, (rows, columns)), rng.integers(0, 32, rows)
    network = SpikingNetwork("brainscales2_matrix")
    out = network.population("out", columns, noise_std=0.0)
    for half in range(0, rows, 128):
        lines = network.input(f"x{half}", min(128, rows - half))
        network.connect(lines, out, weights[half : half + 128], receptor=half // 128)
    network.output(out, read="y")
    return place(network, ticks=1), x, weights


@pytest.mark.parametrize(("rows", "seed"), [(5, 0), (128, 1), (200, 2), (256, 3)])
def test_the_matrix_mode_computes_the_vendors_formula(rows: int, seed: int) -> None:
    program, x, weights = matrix(rows, 40, seed)
    y = emulate(program, x[None, None].astype(np.uint8), effects=()).outputs[0]
    parts = [x[k : k + 128] @ weights[k : k + 128] * 0.002 for k in range(0, rows, 128)]
    assert (y == np.clip(sum(np.clip(np.floor(part), -128, 127) for part in parts), -128, 127)).all()
    assert np.unique(y).size > 3


def test_noise_of_the_matrix_mode_is_that_of_the_profile() -> None:
    network = SpikingNetwork("brainscales2_matrix")
    out = network.population("out", 512)
    network.output(out, read="y")
    program = place(network, ticks=1)
    y = emulate(program, np.zeros((40, 0)), effects=["noise"]).outputs.ravel()
    # floor of two normal numbers of sigma 2: the mean moves by 1/2, the variance by 1/12, for each half
    assert abs(y.mean() + 1.0) < 3 * np.sqrt(8.2 / y.size)
    assert abs(y.var() / (8.0 + 2 / 12) - 1.0) < 3 * np.sqrt(2 / y.size)
    assert (emulate(program, np.zeros((1, 0)), effects=()).outputs == 0.0).all()


def test_a_palette_adds_the_currents_of_the_bits_that_are_set() -> None:
    weights = sl.load_profile("dynap_se2").weights
    worth = effective_weights(weights, np.arange(16), {"iw1": 20})
    expected = [
        ((m & 1) * 1000 + (m >> 1 & 1) * 20 + (m >> 2 & 1) * 4000 + (m >> 3) * 8000) * 1e-12
        for m in range(16)
    ]
    assert worth.tolist() == expected
    assert effective_weights(Weights(formula="row_sign", bits=6), [-63, 5], {}).tolist() == [-63, 5]


def test_a_core_has_one_set_of_weight_currents() -> None:
    network = SpikingNetwork("dynap_se2")
    lines, neurons = network.input("in", 2), network.population("n", 3)
    network.connect(lines, neurons, np.full((2, 3), 5), iw0=1000)
    network.connect(lines, neurons, np.full((2, 3), 5), iw0=1500, receptor=1)
    network.output(neurons)
    with pytest.raises(sl.PlacementError, match="weight_currents"):
        place(network, ticks=4)


def test_a_driven_dynap_neuron_fires_and_an_inhibited_one_does_not() -> None:
    network = SpikingNetwork("dynap_se2")
    lines = network.input("in", 4)
    neurons = network.population("n", 2)
    network.connect(lines, neurons, [[15, 15]] * 4)
    network.connect(lines, neurons, [[0, 15]] * 4, receptor=1)
    network.output(neurons)
    program = place(network, ticks=300)
    counts = emulate(program, np.ones((1, 300, 4), dtype=np.uint8), effects=()).outputs[0]
    assert counts[0] > 5 and counts[1] == 0


@pytest.mark.parametrize("name", ["dynap_se2", "brainscales2_matrix"])
def test_a_network_is_built_run_saved_loaded_and_cross_checked(name: str, tmp_path: Path) -> None:
    network = SpikingNetwork(name)
    lines, rng = network.input("x", 6), np.random.default_rng(0)
    out = network.population("out", 5)
    network.connect(lines, out, rng.integers(1, 16, (6, 5)))
    network.output(out, read="imem" if name == "dynap_se2" else "y")
    program = place(network, ticks=20)
    program.save(tmp_path / "net.spikeloom")
    loaded = sl.load_program(tmp_path / "net.spikeloom")
    x = rng.integers(0, 5, (2, 20, 6)).astype(np.uint8)
    first, again = emulate(program, x, chip_seed=1), emulate(loaded, x, chip_seed=1)
    assert first.outputs.tobytes() == again.outputs.tobytes() and np.unique(first.outputs).size > 1
    for reference in ("twin", "brian2"):
        assert sl.crosscheck(loaded, x, reference=reference, chip_seed=1).equal
