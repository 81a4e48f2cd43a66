"""Do errors of a network, a placement, a program and a run name chip, place, field, value and limit?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import spikeloom as sl
from scipy.sparse import csr_array

Case = tuple[str, Callable[[], object], tuple[str, ...]]


def population(chip: str, size: int = 3, **values: object) -> Callable[[], object]:
    """A population of a network for a chip."""
    return lambda: sl.SpikingNetwork(chip).population("p", size, **values)


def joined(chip: str, weights: np.ndarray, values: dict[str, float], **options: object) -> sl.SpikingNetwork:
    """Input lines that drive a population of a chip by dense weights."""
    network = sl.SpikingNetwork(chip)
    lines, target = weights.shape
    neurons = network.population("p", target, **values)
    network.connect(network.input("x", lines), neurons, weights, **options)
    return network


def spoiled(name: str, neuron: int, value: int) -> None:
    """Run a program with 1500 neurons on two cores, one parameter of which was changed by hand."""
    network = sl.SpikingNetwork("loihi1")
    network.output(network.population("p", 1500, vth=9))
    program = sl.place(network, ticks=1)
    values = program.arrays.params[name].copy()
    values[neuron] = value
    arrays = replace(program.arrays, params={**program.arrays.params, name: values})
    sl.emulate(replace(program, arrays=arrays), np.zeros((1, 1, 0), dtype=np.uint8))


def leaves_its_width() -> None:
    """Run a chip whose register may not leave its width, with input that makes it."""
    chip = sl.load_profile("loihi1", override={"regs.q.overflow": "trap", "regs.q.bits": 12})
    network = sl.SpikingNetwork(chip)
    neurons = network.population("p", 2, vth=100)
    network.connect(network.input("x", 1), neurons, [[2, 254]])
    network.output(neurons)
    sl.emulate(sl.place(network, ticks=2), np.full((1, 2, 1), 9, dtype=np.uint8))


CASES: list[Case] = [
    (
        "a parameter outside its register",
        population("loihi1", vth=[5, 131072, 5]),
        ("population p: vth is out of range at index 1", "got 131072", "limit 1 to 131071 on loihi1"),
    ),
    (
        "a start value outside its register",
        population("ranc", positive=9, init={"v": 300}),
        ("population p: v is out of range", "got 300", "limit -256 to 255 on ranc"),
    ),
    (
        "a negative time constant",
        population("brainscales2", tau_mem_s=[1e-5, -1e-5, 1e-5]),
        ("population p: tau_mem_s is out of range at index 1", "got -1e-05", "limit 5e-07 to 6e-05 on brainscales2"),
    ),
    (
        "a sigma below 0",
        population("brainscales2", noise_lsb=-0.5),
        ("population p: noise_lsb is out of range", "got -0.5", "limit 0 to 8 on brainscales2"),
    ),
    (
        "a delay out of range",
        lambda: joined("loihi1", np.ones((2, 3), dtype=int), {"vth": 9}, delays=63),
        ("projection x -> p: delay is out of range", "got 63", "limit 0 to 62 on loihi1"),
    ),
    (
        "too many synapses into a neuron",
        lambda: sl.place(_fan_in(), ticks=1),
        ("population n: too many synapses onto neuron 2 (limits.fan_in)", "got 64", "limit 63 on xylo_a2"),
    ),
    (
        "too many axons into a core",
        lambda: sl.place(joined("brainscales2", np.ones((129, 3), dtype=int), {}), ticks=1),
        ("population p: neuron 0 alone needs too many", "limits.in_axons_per_core", "got 129", "limit 128 on brai"),
    ),
    (
        "a parameter changed by hand",
        lambda: spoiled("vth", 1200, 0),
        ("array params.vth[1200]: is out of range: core 1, neuron 1200", "got 0", "limit 1 to 131071 on loihi1"),
    ),
    (
        "a register that leaves its width",
        leaves_its_width,
        ("tick 0, core 0, neuron 1, register q: left its width", "got 1", "limit 12 bits on loihi1+regs.q"),
    ),
]  # fmt: skip


def _fan_in() -> sl.SpikingNetwork:
    """64 neurons that drive the third neuron of a population, one more than Xylo allows."""
    network = sl.SpikingNetwork("xylo_a2")
    sources = network.population("s", 64, threshold=9)
    weights = np.zeros((64, 3), dtype=int)
    weights[:, 2] = 1
    network.connect(sources, network.population("n", 3, threshold=9), csr_array(weights))
    return network


@pytest.mark.parametrize(("provoke", "words"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_an_error_names_chip_place_field_value_and_limit(
    provoke: Callable[[], object], words: tuple[str, ...]
) -> None:
    with pytest.raises(sl.SpikeloomError) as caught:
        provoke()
    assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)
    assert "\n" not in str(caught.value) and caught.value.chip


@pytest.mark.parametrize(
    ("chip", "key", "value", "words"),
    [
        ("brainscales2", "params.tau_mem_s.min", -1e-6, "a time constant: it needs the format float and a min"),
        ("brainscales2", "imperfection.threshold.std", -3.5, "should be greater than or equal to 0, got -3.5"),
        ("pcm_crossbar", "imperfection.read.q_max", -0.1, "should be greater than or equal to 0, got -0.1"),
        ("dynap_se2", "imperfection.weight.scope", "neuron", "a weight's mismatch is one of the synapse"),
        ("loihi1", "regs.v.bits", 70, "regs.v.bits"),
        ("brainscales2", "time.dt_s", 3e-6, "a tick must be a whole number of steps"),
    ],
)  # fmt: skip
def test_a_contradictory_profile_is_refused_by_chip_and_field(
    chip: str, key: str, value: object, words: str
) -> None:
    with pytest.raises(sl.ProfileError) as caught:
        sl.load_profile(chip, override={key: value})
    assert words in str(caught.value) and str(caught.value).startswith(f"profile {chip}+{key}=")


def test_functions_that_name_the_chip_take_their_arguments_by_name() -> None:
    network = sl.SpikingNetwork("loihi1")
    network.output(network.population(name="p", size=2, vth=9))
    program = sl.place(network=network, ticks=1)
    assert sl.emulate(program=program, inputs=np.zeros((1, 1, 0), dtype=np.uint8)).outputs.shape == (1, 2)
    with pytest.raises(sl.EmulationError, match=r"record p\.y: names nothing .* on loihi1") as caught:
        sl.emulate(program=program, inputs=np.zeros((1, 1, 0), dtype=np.uint8), record=["p.y"])
    assert caught.value.chip == "loihi1"
