"""Imperfections over a hundred thousand devices: mean, spread and correlation, against the published formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.sparse
import spikeloom as sl
from chip_instances import DEVICES, array_of, flawed, on_chip
from spikeloom.emulation.emulate import emulate
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.program.program import ChipProgram

SIGMAS = 3.0  # standard errors within which a statistic must lie


def weights_on_chip(program: ChipProgram, *effects: str, age_s: float = 0.0, seed: int = 5) -> np.ndarray:
    synapses = on_chip(program, *effects, seed=seed, age_s=age_s).synapses
    assert synapses is not None and synapses.weights.size > DEVICES
    return synapses.weights


def check_moments(values: np.ndarray, mean: float, std: float) -> None:
    """Mean, standard deviation, and the correlation with the next device, within three standard errors."""
    n = values.size
    assert abs(values.mean() - mean) < SIGMAS * std / np.sqrt(n)
    assert abs(values.std() / std - 1.0) < SIGMAS / np.sqrt(2 * n)
    z = (values - mean) / std
    assert abs((z[1:] * z[:-1]).mean()) < SIGMAS / np.sqrt(n)


def test_mismatch_of_weights_has_its_spread() -> None:
    profile = sl.load_profile("brainscales2", override={"limits.neurons_per_core": None})
    weights = weights_on_chip(array_of(20, profile), "synapse")
    check_moments(weights / 20.0, 1.0, 0.1)


def test_rows_share_a_draw_and_their_two_signs_do_not() -> None:
    network = SpikingNetwork("brainscales2")
    neurons = network.population("n", 4)
    network.connect(network.input("in", 3), neurons, [[10, 10, -10, -10]] * 3)
    network.output(neurons)
    factors = np.reshape(on_chip(place(network, ticks=1), "driver").synapses.weights, (3, 4)) / [
        10,
        10,
        -10,
        -10,
    ]
    assert (factors[:, 0] == factors[:, 1]).all() and (factors[:, 2] == factors[:, 3]).all()
    assert np.unique(factors).size == 6


@pytest.mark.parametrize(
    ("name", "parameter", "mean", "std"),
    [
        ("threshold", "v_thr_lsb", 125.0, 3.5),
        ("leak", "v_leak_lsb", 80.0, 3.0),
        ("membrane_time", "tau_mem_s", 1e-5, 0.09e-5),
    ],
)
def test_mismatch_of_a_parameter_has_its_spread(name: str, parameter: str, mean: float, std: float) -> None:
    profile = sl.load_profile("brainscales2", override={"limits.neurons_per_core": None})
    network = SpikingNetwork(profile)
    neurons = network.population("n", DEVICES)
    network.output(neurons)
    program = place(network, ticks=1)
    instance = on_chip(program, name)
    values = instance.params[parameter]
    if name == "membrane_time":  # lognormal: its logarithm is normal
        s = np.sqrt(np.log(1 + 0.09**2))
        check_moments(np.log(values / mean), -(s**2) / 2, s)
        assert values.min() > 0.0
    else:
        check_moments(values, mean, std)
    others = {key for key, array in instance.params.items() if np.unique(array).size > 1}
    assert others == {parameter}


@pytest.mark.parametrize("g", [0.1, 0.5, 1.0])
def test_programming_error_is_that_of_the_formula(g: float) -> None:
    weights = weights_on_chip(array_of(-g, sl.load_profile("pcm_crossbar")), "programming")
    std = (0.26348 + 1.9650 * g - 1.1731 * g**2) / 25.0  # chips.md, in units of 25 uS
    off = 0.26348 / 25.0  # the other device of the pair is at 0, and its error is cut there
    mean, square = off / np.sqrt(2 * np.pi), off**2 / 2
    check_moments(-weights, g - mean, np.sqrt(std**2 + square - mean**2))


@pytest.mark.parametrize("g", [0.05, 0.4, 1.0])
def test_drift_is_that_of_the_formula(g: float) -> None:
    age = 3600.0 * 24
    weights = weights_on_chip(array_of(g, sl.load_profile("pcm_crossbar")), "drift", age_s=age)
    exponent = -np.log(weights / g) / np.log((age + 20.0) / 20.0)
    mean = np.clip(-0.0155 * np.log(g) + 0.0244, 0.049, 0.1)
    spread = np.clip(-0.0125 * np.log(g) - 0.0059, 0.008, 0.045)
    check_moments(exponent, mean, spread)
    assert (weights_on_chip(array_of(g, sl.load_profile("pcm_crossbar")), "drift") == g).all()  # at age 0


@pytest.mark.parametrize(("g", "age"), [(0.2, 0.0), (-1.0, 1e5)])
def test_read_noise_is_that_of_the_formula(g: float, age: float) -> None:
    std = on_chip(array_of(g, sl.load_profile("pcm_crossbar")), "read", age_s=age).read_std
    q = min(0.2, 0.0088 / abs(g) ** 0.65)
    expected = q * abs(g) * np.sqrt(np.log((age + 20.0 + 250e-9) / (2 * 250e-9)))
    np.testing.assert_allclose(std, expected, rtol=1e-13)


def test_reads_differ_from_step_to_step_with_that_spread() -> None:
    """One synapse a neuron, read in every step; neurons never fire, so v is the sum of the reads."""
    network = SpikingNetwork("pcm_crossbar")
    neurons = network.population("n", 500, threshold=64.0, tau_s=1e-6, bias=0.0)
    network.connect(network.input("in", 1), neurons, np.full((1, 500), 0.5))
    network.output(neurons)
    program = place(network, ticks=200)
    spikes = np.ones((1, 200, 1), dtype=np.uint8)
    v = emulate(program, spikes, effects=["read"], record=["n.v"]).registers["n.v"][0]
    reads = v - np.vstack([np.zeros((1, 500)), v[:-1]]) * np.exp(-1.0)
    std = on_chip(program, "read").read_std[0]
    check_moments(reads.ravel(), 0.5, float(std))
    assert abs(((reads[1:] - 0.5) * (reads[:-1] - 0.5)).mean()) < SIGMAS * std**2 / np.sqrt(reads.size)


def test_membrane_noise_is_normal_and_white() -> None:
    network = SpikingNetwork("brainscales2")
    neurons = network.population(
        "n", 500, v_thr_lsb=220.0, noise_lsb=2.0, init={"v": 100.0}, v_leak_lsb=100.0
    )
    network.output(neurons)
    program = place(network, ticks=20)
    v = (
        emulate(program, np.zeros((1, 0)), effects=["membrane_noise"], record=["n.v"]).registers["n.v"][0]
        - 100.0
    )
    decay = np.exp(-5e-7 / 1e-5)
    noise = v - np.vstack([np.zeros((1, 500)), v[:-1]]) * decay
    check_moments(noise.ravel(), 0.0, 2.0)
    assert abs((noise[1:] * noise[:-1]).mean()) < SIGMAS * 4.0 / np.sqrt(noise.size)


def test_defects_have_their_share() -> None:
    network = SpikingNetwork(flawed())
    drawn = {name: param.min for name, param in network.profile.params.items()}
    neurons = network.population("n", DEVICES, **drawn)
    network.connect(network.input("in", 1), neurons, np.ones((1, DEVICES)))
    network.output(neurons)
    instance = on_chip(place(network, ticks=1), "dead", "stuck")
    for share, hit in ((0.25, instance.dead == 1.0), (0.125, instance.synapses.weights == 0.75)):
        assert abs(hit.mean() - share) < SIGMAS * np.sqrt(share * (1 - share) / DEVICES)
    assert set(np.unique(instance.synapses.weights)) == {0.75, 1.0}


def test_late_spikes_are_late_by_rounded_normal_numbers() -> None:
    """Neurons that fire every second tick, each onto one neuron whose synaptic current tells when a spike came."""
    n, ticks, steps = 1000, 200, 10
    wide = {
        "limits.neurons_per_core": None,
        "limits.in_axons_per_core": None,
        "imperfection.late.std_s": 1e-6,
    }
    network = SpikingNetwork(sl.load_profile("brainscales2", override=wide))
    once = {"gain_lsb": 16.0, "tau_syn_s": 3e-7, "t_ref_s": 8e-6}  # a spike for each burst
    sources = network.population("sources", n, **once)
    targets = network.population("targets", n, v_thr_lsb=220.0, tau_syn_s=1e-6)
    network.connect(network.input("in", 1), sources, np.full((1, n), 63), receptor=0)
    network.connect(sources, targets, scipy.sparse.identity(n, dtype=np.int64, format="csr"))
    network.output(targets)
    program = place(network, ticks=ticks)
    spikes = np.zeros((1, ticks, 1), dtype=np.uint8)
    spikes[0, ::2] = 9

    def arrivals(*effects: str) -> np.ndarray:
        """(spikes, n) steps since the beginning of the two ticks of each spike."""
        run = emulate(program, spikes, effects=effects, record=["targets.i"], trial_seed=6)
        i = run.registers["targets.i"][0]
        fresh = i - np.vstack([np.zeros((1, n)), i[:-1]]) * np.exp(-0.5)
        came = (fresh > 1e-6)[: ticks * steps].reshape(-1, 2 * steps, n)
        assert (came.sum(axis=1) == 1).all()
        return came.argmax(axis=1)

    late = (arrivals("late") - arrivals()).ravel()
    assert late.size >= DEVICES
    # std 1 us are 2 steps; nothing comes before the next step, nor more than max_s = 10 steps after it
    ends = np.array([0.5 * (1 + math.erf((k + 0.5) / 2 / np.sqrt(2))) for k in range(10)])
    shares = np.diff(np.concatenate([[0.0], ends, [1.0]]))
    steps_late = np.arange(11)
    mean = shares @ steps_late
    std = np.sqrt(shares @ (steps_late - mean) ** 2)
    check_moments(late.astype(np.float64), mean, std)
