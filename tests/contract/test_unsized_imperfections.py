"""Entries of size 0 in shipped chips, for which no figure is known: none acts as shipped, each acts with the share,
mean and spread that one gives it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
import scipy.sparse
import spikeloom as sl
from chip_instances import DEVICES, UNSIZED, on_chip
from spikeloom.emulation.emulate import emulate
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.program.program import ChipProgram
from test_imperfection_statistics import SIGMAS, check_moments

SHIPPED = ("brainscales2", "dynap_se2", "pcm_crossbar")
OPEN = {"limits.neurons_per_core": None, "limits.in_axons_per_core": None}
WIDE = dict.fromkeys(SHIPPED, OPEN) | {"dynap_se2": OPEN | {"limits.fan_in": None}}
LARGEST = {"brainscales2": 20, "dynap_se2": 15, "pcm_crossbar": 0.5}  # of a weight in these tests


def column(name: str, **sizes: float) -> ChipProgram:
    """One line onto each of a hundred thousand neurons."""
    override = WIDE[name] | {f"imperfection.{key.replace('__', '.')}": size for key, size in sizes.items()}
    network = SpikingNetwork(sl.load_profile(name, override=override))
    neurons = network.population("n", DEVICES)
    network.connect(network.input("in", 1), neurons, np.full((1, DEVICES), LARGEST[name]))
    network.output(neurons)
    return place(network, ticks=1)


def test_the_entries_are_those_that_the_profiles_leave_at_0() -> None:
    for name in SHIPPED:
        sized = {key.split(".")[0] for key in UNSIZED[name]}
        entries = [entry.model_dump() for entry in sl.load_profile(name).imperfection]
        sizes = {e["name"]: [e[k] for k in ("cv", "std", "fraction", "std_s") if k in e] for e in entries}
        assert {key for key, found in sizes.items() if found and not any(found)} == sized


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("kind", ["dead", "stuck"])
def test_defects_have_the_share_that_one_gives_them(name: str, kind: str) -> None:
    share = 0.2
    found, shipped = (on_chip(column(name, **sizes), kind) for sizes in ({f"{kind}__fraction": share}, {}))
    if kind == "dead":
        assert shipped.dead is None or not np.any(shipped.dead)
        hit = found.dead == 1.0
    else:
        assert found.synapses is not None
        hit = found.synapses.weights == 0.0
    assert hit.shape == (DEVICES,)
    assert abs(hit.mean() - share) < SIGMAS * math.sqrt(share * (1 - share) / DEVICES)
    check_moments(hit.astype(np.float64), share, math.sqrt(share * (1 - share)))  # neighbours are independent


@pytest.mark.parametrize(("name", "parameter"), [("brainscales2", "tau_mem_s"), ("pcm_crossbar", "tau_s")])
def test_capacitances_have_the_spread_that_one_gives_them(name: str, parameter: str) -> None:
    program = column(name, capacitance__cv=0.15)
    usual = program.profile.params[parameter].default
    values = on_chip(program, "capacitance").params[parameter]
    s = math.sqrt(math.log(1 + 0.15**2))  # lognormal with a mean of 1
    check_moments(np.log(values / usual), -(s**2) / 2, s)
    others = on_chip(column(name), "capacitance").params[parameter]
    assert (others == usual).all()


def test_capacitances_of_differential_pairs_have_their_spread() -> None:
    program = column("dynap_se2")
    for effect, parameter in (("membrane", "c_mem_f"), ("ampa", "c_exc_f"), ("gaba", "c_inh_f")):
        usual = program.profile.params[parameter].default
        check_moments(on_chip(program, f"{effect}_capacitance").params[parameter] / usual, 1.0, 0.1)


@dataclass(frozen=True)
class Late:
    """How spikes of one chip are made and seen: sources fire once a period, targets show when a spike came."""

    register: str  # of a target: a spike is a rise of it
    std_s: float
    period: int  # ticks
    most: int  # steps of the longest delay
    sources: dict[str, float]
    targets: dict[str, float]
    burst: int = 9  # spikes of the line that make a source fire


PAIR = {"threshold_a": 1e-9, "igain_exc_a": 1e-6, "itau_exc_a": 1e-8, "t_ref_s": 11e-3}  # fires once a burst
LATE = {
    "dynap_se2": Late("iexc", 2e-3, 13, 10, PAIR, {"itau_exc_a": 5e-10}),
    "pcm_crossbar": Late("v", 2e-6, 13, 10, {"tau_s": 1e-6}, {"threshold": 64.0, "tau_s": 1e-6}, burst=3),
}


@pytest.mark.parametrize("name", LATE)
def test_spikes_are_late_by_the_spread_that_one_gives_them(name: str) -> None:
    late, n, fired = LATE[name], 1000, 100
    profile = sl.load_profile(name, override=WIDE[name] | {"imperfection.late.std_s": late.std_s})
    network = SpikingNetwork(profile)
    sources = network.population("sources", n, **late.sources)
    targets = network.population("targets", n, **late.targets)
    largest = LARGEST[name]
    network.connect(network.input("in", 1), sources, np.full((1, n), largest))
    network.connect(sources, targets, scipy.sparse.identity(n, format="csr") * largest)
    network.output(targets)
    spikes = np.zeros((1, fired * late.period, 1), np.uint8)
    spikes[0, :: late.period] = late.burst
    program = place(network, ticks=spikes.shape[1])

    def arrivals(*effects: str) -> np.ndarray:
        run = emulate(program, spikes, effects=effects, record=[f"targets.{late.register}"], trial_seed=6)
        seen = run.registers[f"targets.{late.register}"][0]
        rises = np.diff(seen, axis=0, prepend=0.0) > 1e-3 * seen.max()
        rises = rises[: fired * late.period].reshape(fired, late.period, n)
        assert (rises.sum(axis=1) == 1).all()
        return rises.argmax(axis=1)

    delays = (arrivals("late") - arrivals()).ravel()
    spread = late.std_s / (profile.time.dt_s or 0)
    ends = np.array([0.5 * (1 + math.erf((k + 0.5) / spread / math.sqrt(2))) for k in range(late.most)])
    shares = np.diff(np.concatenate([[0.0], ends, [1.0]]))  # none before its own step, none after the longest
    mean = shares @ np.arange(late.most + 1)
    check_moments(delays.astype(np.float64), mean, math.sqrt(shares @ (np.arange(late.most + 1) - mean) ** 2))
