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

CHIPS = ("brainscales2", "brainscales2_matrix", "dynap_se2", "pcm_crossbar", "pcm_crossbar:adc")
UNSIZED = {
    "brainscales2": {"capacitance.cv": 0.2, "dead.fraction": 0.3, "stuck.fraction": 0.2, "late.std_s": 1e-6},
    "dynap_se2": {"dead.fraction": 0.3, "stuck.fraction": 0.2, "late.std_s": 2e-3},
    "pcm_crossbar": {"dead.fraction": 0.3, "capacitance.cv": 0.2, "late.std_s": 2e-6},
}  # imperfections that have no size in the profile, and one for the tests
UNSIZED["pcm_crossbar:adc"] = {k: UNSIZED["pcm_crossbar"][k] for k in ("dead.fraction", "late.std_s")}
UNSIZED["brainscales2_matrix"] = {}
DEVICES = 100_000


def sized(name: str) -> Profile:
    """A shipped profile all of whose imperfections act."""
    sizes = {f"imperfection.{key}": value for key, value in UNSIZED[name].items()}
    return sl.load_profile(name, override=sizes)


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


def flawed() -> Profile:
    """The exact leaky neuron with defects, jitter and mismatches."""
    return sl.load_profile(Path(__file__).parents[1] / "agreement" / "profiles" / "flawed.toml")


def case(name: str, seed: int = 2) -> tuple[ChipProgram, np.ndarray]:
    drawn = random_program(sized(name) if name in CHIPS else sl.load_profile(name), seed)
    rng = np.random.default_rng(seed)
    return drawn.program, np.stack([rng.permuted(drawn.spikes, axis=0) for _ in range(4)])
