"""Do the random programs reach every edge and every rule? An edge that is never taken proves nothing."""

from collections import Counter
from functools import cache

import pytest
from agreement_cases import ANALOG_CHIPS, MADE_UP, PROFILES, REAL, case_of, profile_of, twin_outcome
from spikeloom.errors import EmulationError
from spikeloom.profile.operations import OPERATIONS
from spikeloom.profile.schema import SpikesMax

SEEDS = range(120)
BY_KIND = ("threshold", "threshold+1", "threshold-1", "power", "power+1", "power-1", "uniform")

# Rules that no program can reach, and why.
UNREACHABLE = {
    "v.trap": "the voltage is clipped to 24 bits before it can leave 32",
    "x.trap": "a current of 24 bits and a bias of 20 fit 32 bits",
    "ref.trap": "the refractory period fits the width",
}
OF_ONE_CHIP = {("open_core", "q.wrap"): "256 axons of 15 spikes at -128 stay within 20 bits"}
# Reached by the tests of traps, with narrower registers, because it takes thousands of ticks in full width.
TRAPS_ELSEWHERE = {"q.trap", "u.trap", "v.trap", "x.trap", "ref.trap"}


@cache
def edges_of(name):
    total = Counter()
    for seed in SEEDS:
        total.update(case_of(name, seed).edges)
    return total


def ranges_of(profile):
    """What is drawn from a range of integers: (what, lowest, highest, step)."""
    for name, param in profile.params.items():
        if param.format != "float" and (profile.alias is None or name != profile.alias.offset):
            yield f"param.{name}", int(param.min), int(param.max)
    for value in profile.weights.shared:
        yield f"shared.{value.name}", value.min, value.max
    if profile.time.delay_scope != "none":
        yield "delay", profile.time.delay_min, profile.time.delay_max


@pytest.mark.parametrize("name", PROFILES)
def test_every_edge_is_taken(name):
    taken = edges_of(name)
    for what, low, high in ranges_of(profile_of(name)):
        marks = {
            "min": low,
            "max": high,
            "min+1": low + 1,
            "max-1": high - 1,
            "zero": 0,
            "one": 1,
            "minus_one": -1,
        }
        for kind, value in marks.items():
            assert not low <= value <= high or taken[f"{what}.{kind}"] > 0, f"{what}.{kind}"
    for kind in BY_KIND:
        assert sum(count for edge, count in taken.items() if edge.endswith(f".{kind}")) > 0, kind


@pytest.mark.parametrize("name", PROFILES)
def test_weights_and_first_values_take_every_edge(name):
    taken, profile = edges_of(name), profile_of(name)
    drawn = ["code"] + ["init"] * any(state.init == "free" for state in profile.state.values())
    free = [profile.regs[name] for name, state in profile.state.items() if state.init == "free"]
    unsigned = {"init.minus_one"} if free and not any(register.signed for register in free) else set()
    for what in drawn:
        kinds = {"zero", "one", "minus_one", *BY_KIND}
        if what == "code" and profile.weights.formula == "type_table":
            kinds = {"zero", "one"}  # a bit
        for kind in kinds if profile.is_analog else kinds | {"min", "max", "min+1", "max-1"}:
            assert taken[f"{what}.{kind}"] > 0 or f"{what}.{kind}" in unsigned, f"{what}.{kind}"


def rules_of(profile):
    """Every rule that the profile states, by its counter."""
    for name, register in profile.regs.items():
        if register.bits is not None:
            yield f"{name}.{register.overflow}"
    if profile.delivery.merge == "or":
        yield "delivery.merge"
    if profile.event is not None:
        yield from ("fifo.drop", "fifo.unsettled")
    if profile.delivery.spikes_max != SpikesMax():
        yield "delivery.spikes_max"


@pytest.mark.parametrize("name", PROFILES)
def test_every_rule_acts(name):
    acted = Counter()
    for seed in SEEDS:
        found = twin_outcome(name, seed)
        if not isinstance(found, EmulationError):
            acted.update(found.rules)
    for rule in rules_of(profile_of(name)):
        unreachable = rule in UNREACHABLE or (name, rule) in OF_ONE_CHIP
        assert acted[rule] > 0 or unreachable or rule in TRAPS_ELSEWHERE, rule


def test_every_operation_is_in_a_profile_of_this_suite():
    used = {
        type(operation)
        for name in (*MADE_UP, *REAL, *ANALOG_CHIPS, "loihi1", "xylo_a2")
        for operation in profile_of(name).operation
    }
    assert used == set(OPERATIONS)


@pytest.mark.parametrize("name", PROFILES)
def test_most_programs_spike(name):
    traces = [found for found in map(twin_outcome, [name] * len(SEEDS), SEEDS) if hasattr(found, "spikes")]
    assert sum(bool(trace.spikes.any()) for trace in traces) > len(traces) / 2
