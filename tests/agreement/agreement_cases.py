"""The programs of this suite, and what the twin makes of them."""

from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import EmulationError
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.profile.catalog import load_profile
from spikeloom.reference.compare import Trace
from spikeloom.reference.random_programs import RandomProgram, random_program
from spikeloom.reference.random_values import Options
from spikeloom.reference.twin.executor import run_twin

OWN = Path(__file__).parent / "profiles"
MADE_UP = ("subtract_reset", "two_thresholds", "multi_spike", "each_addition")
ANALOG_CHIPS = ("dynap_se2", "dynap_se2:euler", "brainscales2_matrix")
REAL = (
    "leaky_exact",
    "leaky_step",
    "adaptive_exponential",
    "adaptive_second_order",
)  # steps, time constants, noise: see test_real_neurons.py
CHIPS = ("xylo_a2", "ranc", "truenorth", "open_core")
TICKED = ("loihi1", "loihi1:nengo", "loihi1:lava", "loihi1:brian", "ideal", *CHIPS, *MADE_UP)
BY_EVENT = ("small_tinyodin", "small_odin")  # which Brian2 does not carry
PROFILES = (*TICKED, *BY_EVENT)

DEFAULT = Options()
SMALL = Options(neurons=5, cores=2, ticks=16)
EXTREME = Options(edges=("min", "max"), counts=255, neurons=5)
SHORT = Options(exact=False, ticks=10, neurons=6)
EVENTS = Options(counts=3, ticks=14, neurons=6)
EXTREME_EVENTS = Options(edges=("min", "max"), counts=3, ticks=14, neurons=5)
FLOATS = Options(exact=False)  # reals of full precision: the order of sums shows in the last bit


@cache
def profile_of(name):
    return load_profile(OWN / f"{name}.toml" if name in (*MADE_UP, *REAL, *BY_EVENT, "flawed") else name)


def case_of(name, seed, options=None):
    """The random program of a seed; without options every tenth one is at the limits of everything."""
    if name in DIRECTED:
        return DIRECTED[name]()
    return random_program(profile_of(name), seed, options) if options else usual_case(name, seed)


@lru_cache(maxsize=1000)
def usual_case(name, seed):
    if name in BY_EVENT:
        return random_program(profile_of(name), seed, EXTREME_EVENTS if seed % 10 == 9 else EVENTS)
    usual = FLOATS if name == "ideal" and seed % 2 else SMALL if name in CHIPS else DEFAULT
    if name in REAL + ANALOG_CHIPS:
        return random_program(profile_of(name), seed, SHORT)
    options = EXTREME if seed % 10 == 9 and name != "ideal" else usual
    return random_program(profile_of(name), seed, options)


def outcome(run, *arguments, **options):
    """The trace, or the error where a register left its width under `trap`."""
    try:
        return run(*arguments, **options)
    except EmulationError as error:
        return error


@cache
def twin_outcome(name, seed):
    case = case_of(name, seed)
    return outcome(run_twin, case.program, case.spikes)


def core_trace(program, spikes, timing="none"):
    """What the C++ core does with one sample."""
    elements = program.profile.element_names()
    names = [f"{placed.name}.{what}" for placed in program.populations for what in ("spikes", *elements)]
    recording = emulate(program, spikes[None], record=names, timing=timing)
    kind = np.float64 if program.profile.is_analog else np.int64
    shape = (program.run_ticks, program.n_neurons)
    fired, registers = np.zeros(shape, np.int32), {name: np.zeros(shape, kind) for name in elements}
    for placed in program.populations:
        _, tick, neuron = recording.spikes[placed.name].T
        np.add.at(fired, (tick, placed.neurons[neuron]), 1)
        for name in elements:
            registers[name][:, placed.neurons] = recording.registers[f"{placed.name}.{name}"][0]
    rules = {rule: int(acted[0]) for rule, acted in recording.rules.items() if acted[0]}
    return Trace(fired, registers, rules)


def edge_of_u(variant):
    """Two neurons whose current reaches +2^23 and -2^23 exactly, where the variants of Loihi part.

    The current decays by 4095/4096 a tick. From a multiple of 64 * 4096 that loses no bit, so the weights of
    each tick, in units of 64, climb in exact steps: 7, 14, 21, 28 and 32 times 4096.
    """
    steps = [0, 7, 14, 21, 28, 32]
    units = np.array([4096 * after - 4095 * before for before, after in zip(steps, steps[1:], strict=False)])
    network = SpikingNetwork(load_profile(variant))
    lines = network.input("in", len(units))
    for name, sign in (("up", 1), ("down", -1)):
        neuron = network.population(name, 1, vth=131071, decay_u=0, decay_v=4095)
        for exponent, codes in ((7, units // 128), (0, units % 128)):
            network.connect(lines, neuron, sign * codes[:, None], w_exp=exponent)
        network.output(neuron)
    spikes = np.vstack([np.eye(len(units), dtype=np.uint8), np.zeros((3, len(units)), dtype=np.uint8)])
    return RandomProgram(place(network, ticks=len(spikes)), spikes, {})


DIRECTED = {"lava_edge": lambda: edge_of_u("loihi1:lava")}
