"""Does a network that needs several cores run on every chip that has them, equal to the twin?"""

from __future__ import annotations

import numpy as np
import pytest
import spikeloom as sl
from numpy.typing import NDArray

MANY = [name for name in sl.list_profiles() if sl.load_profile(name).limits.cores != 1]
TICKS, INPUTS = 24, 12


def codes(name: str, rng: np.random.Generator, shape: tuple[int, int]) -> NDArray:
    """Mostly excitatory synapses in what the chip stores."""
    if name.startswith(("ranc", "truenorth")):
        return (rng.random(shape) < 0.6).astype(int)
    if name.startswith(("pcm", "ideal")):
        return rng.uniform(-0.2, 0.8, shape)
    return rng.integers(0, 16, shape) if name.startswith("dynap_se2") else 2 * rng.integers(-10, 30, shape)


def settings(name: str, neurons: int) -> dict[str, object]:
    """Parameters with which the input makes the neurons fire."""
    if name.startswith(("ranc", "truenorth")):
        return {"positive": 40, **{f"w{k}": np.full(neurons, 10 + 3 * k) for k in range(4)}}
    if name.startswith("pcm"):
        return {"tau_s": 1e-5, "threshold": 1.0}
    return (
        {}
        if name.startswith(("dynap_se2", "brainscales2"))
        else {"vth": 1 if name.startswith("ideal") else 60}
    )


def split_network(chip: sl.Profile) -> sl.SpikingNetwork:
    """Two layers of 20 and 8 neurons."""
    name, network, rng = chip.name, sl.SpikingNetwork(chip), np.random.default_rng(3)
    source = network.input("in", INPUTS)
    hidden, out = (
        network.population(layer, size, **settings(name, size))
        for layer, size in (("hidden", 20), ("out", 8))
    )
    typed = {"type": 0} if name.startswith(("ranc", "truenorth")) else {}
    network.connect(source, hidden, codes(name, rng, (INPUTS, 20)), **typed)
    network.connect(hidden, out, codes(name, rng, (20, 8)), **typed)
    network.output(out)
    return network


@pytest.mark.parametrize("name", MANY)
def test_a_network_on_several_cores_equals_the_twin(name: str) -> None:
    size = 8 if (sl.load_profile(name).limits.cores or 4) >= 4 else 20
    chip = sl.load_profile(name, override={"limits.neurons_per_core": size})
    program = sl.place(split_network(chip), ticks=TICKS)
    assert program.n_cores == (4 if size == 8 else 2)
    spikes = (np.random.default_rng(4).random((2, TICKS, INPUTS)) < 0.5).astype(np.uint8)
    run = sl.emulate(program, spikes)
    assert all(counts.sum() > 5 for counts in run.counts.values())
    check = sl.crosscheck(program, spikes, reference="twin")
    assert check.equal, check.first_divergence
