"""Programs on chips of one's choice, for the tests of imperfections."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import spikeloom as sl
from spikeloom.emulation.instance import Instance, chosen_chip, instance_of
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.profile.schema import Profile
from spikeloom.program.program import ChipProgram
from spikeloom.reference.random_programs import random_program

CHIPS = ("brainscales2", "pcm_crossbar")
DEVICES = 100_000


def array_of(weight: float, profile: Profile, size: int = 317) -> ChipProgram:
    """A crossbar of size * size synapses, all with one weight."""
    network = SpikingNetwork(sl.load_profile(profile, override={"limits.in_axons_per_core": None}))
    lines = network.input("in", size)
    neurons = network.population("n", size)
    network.connect(lines, neurons, np.full((size, size), weight))
    network.output(neurons)
    return place(network, ticks=2)


def on_chip(program: ChipProgram, *effects: str, seed: int = 5, age_s: float = 0.0) -> Instance:
    return instance_of(program, chosen_chip(program, seed, age_s, effects))


def flawed(tmp_path: Path) -> Profile:
    """The exact leaky neuron with defects, jitter and a core-wide mismatch."""
    text = (Path(__file__).parents[1] / "agreement" / "profiles" / "leaky_exact.toml").read_text(
        encoding="utf-8"
    )
    path = tmp_path / "flawed.toml"
    path.write_text(text.replace('id = "leaky_exact"', 'id = "flawed"') + FLAWS, encoding="utf-8")
    return sl.load_profile(path)


def case(name: str, seed: int = 2) -> tuple[ChipProgram, np.ndarray]:
    drawn = random_program(sl.load_profile(name), seed)
    rng = np.random.default_rng(seed)
    return drawn.program, np.stack([rng.permuted(drawn.spikes, axis=0) for _ in range(4)])


FLAWS = """
[[imperfection]]
name = "dead"
kind = "dead"
fraction = 0.25
[[imperfection]]
name = "stuck"
kind = "stuck"
fraction = 0.125
at = 0.75
[[imperfection]]
name = "late"
kind = "jitter"
std_s = 4e-4
max_s = 1e-3
[[imperfection]]
name = "wafer"
kind = "mismatch"
of = "rest"
scope = "core"
distribution = "normal"
std = 0.05
[[imperfection]]
name = "period"
kind = "mismatch"
of = "refractory_s"
scope = "neuron"
distribution = "normal_cut0"
cv = 0.5
[[imperfection]]
name = "gain"
kind = "mismatch"
of = "resistance"
scope = "neuron"
distribution = "normal_cut0"
cv = 0.7
"""
