"""Are the proven bounds right? Small registers and parameters, every value tried."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
import spikeloom as sl
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeloom.profile.intervals import (
    Interval,
    parameter_interval,
    prove,
    register_interval,
    results,
    weight_interval,
)
from spikeloom.profile.operations import OPERATIONS
from spikeloom.profile.schema import Param, Profile, Register
from spikeloom.profile.weights import effective_weights, mode_names, weight_levels

LOIHI = sl.load_profile("loihi1")

registers = st.builds(Register, bits=st.integers(1, 4), signed=st.booleans(), overflow=st.just("wrap"))
ranges = st.tuples(st.integers(-6, 6), st.integers(-6, 6)).map(sorted)
params = ranges.map(lambda ends: Param(min=ends[0], max=ends[1]))
exponents = st.tuples(st.integers(0, 4), st.integers(0, 4)).map(sorted)


def values_of(register: Register) -> range:
    """Every value a register holds, by its definition."""
    assert register.bits is not None
    half = 2 ** (register.bits - 1)
    return range(-half, half) if register.signed else range(2 * half)


def codes_of(param: Param) -> range:
    assert param.min is not None and param.max is not None
    return range(int(param.min), int(param.max) + 1)


def machine(operation: dict[str, Any], regs: dict[str, Register], codes: dict[str, Param]) -> Profile:
    """A profile of that one operation; built past the loader, which would refuse some of them."""
    changes = {"operation": (_operation(operation),), "regs": regs, "params": codes}
    return LOIHI.model_copy(update=changes)


def _operation(fields: dict[str, Any]) -> Any:
    kinds = {kind.model_fields["op"].annotation.__args__[0]: kind for kind in OPERATIONS}  # type: ignore[union-attr]
    return kinds[fields["op"]].model_validate({"name": "it", **fields})


# What each operation computes, written from its docstring; r, s are registers, p, q parameters.
def _decay_shift(r: int, p: int, min_step: bool, negate: bool) -> int:
    d = int(r // 2**p)
    if min_step and d == 0 and r != 0:
        d = 1 if r > 0 else -1
    return -d if negate else r - d


def _sign(x: int) -> int:
    return (x > 0) - (x < 0)


CASES: dict[str, tuple[dict[str, Any], Any]] = {
    "sum": ({"op": "sum", "dst": "r", "terms": ["r", "-s", "p", 3]}, lambda r, s, p, q: [r - s + p + 3]),
    "clear": ({"op": "clear", "reg": "r"}, lambda r, s, p, q: [r, 0]),
    "hold_zero": ({"op": "hold_zero", "reg": "r", "counter": "s"}, lambda r, s, p, q: [r, 0]),
    "count_down": ({"op": "count_down", "reg": "r"}, lambda r, s, p, q: [r - 1]),
    "clip": ({"op": "clip", "reg": "r", "min": "p", "max": "q"}, lambda r, s, p, q: [min(max(r, p), q)]),
    "clip_low": ({"op": "clip", "reg": "r", "min": "s"}, lambda r, s, p, q: [max(r, s)]),
    "decay_sub": (
        {"op": "decay_sub", "reg": "r", "param": "p", "toward": "zero"},
        lambda r, s, p, q: [r - p, r + p],
    ),
    "leak_signed": (
        {"op": "leak_signed", "reg": "r", "lambda": "p", "eps": 1},
        lambda r, s, p, q: [r + _sign(r) * p],
    ),
    "leak_unsigned": ({"op": "leak_signed", "reg": "r", "lambda": "p", "eps": 0}, lambda r, s, p, q: [r + p]),
    "decay_mul": (
        {"op": "decay_mul", "reg": "r", "param": "p", "offset": 1, "shift": 3, "round": "nearest"},
        lambda r, s, p, q: [r * (8 - 1 - p), r * (8 - 1 - p) + 4],
    ),
    "fire_subtract": (
        {"op": "fire", "reg": "r", "cmp": "ge", "thr": "p", "reset": "subtract", "start": {"s": "q"}},
        lambda r, s, p, q: [p, q, *([r - p] if r >= p else [])],
    ),
    "fire_value": (
        {"op": "fire", "reg": "r", "cmp": "gt", "thr": "p", "reset": "value", "value": "q"},
        lambda r, s, p, q: [p, q],
    ),
    "fire2": (
        {"op": "fire2", "reg": "r", "pos": "p", "neg": -2, "cmp": "ge", "neg_cmp": "lt", "mode": 1, "r": "q"},
        lambda r, s, p, q: [r - p, r + 2, q, -q],
    ),
    "multi_fire": ({"op": "multi_fire", "reg": "r", "thr": "p", "max": "q"}, lambda r, s, p, q: [r - p, q]),
}  # fmt: skip
TIGHT = ("sum", "count_down", "clip", "clip_low", "decay_sub", "fire_value", "multi_fire")


def tried(formula: Any, r: Register, s: Register, p: Param, q: Param) -> Iterator[int]:
    for values in product(values_of(r), values_of(s), codes_of(p), codes_of(q)):
        yield from formula(*values)


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=25, deadline=None)
@given(r=registers, s=registers, p=params, q=params)
def test_no_value_leaves_its_proven_bounds(case: str, r: Register, s: Register, p: Param, q: Param) -> None:
    operation, formula = CASES[case]
    profile = machine(operation, {"r": r, "s": s}, {"p": p, "q": q})
    bounds = [result.interval for result in results(profile, profile.operation[0])]
    low, high = min(bound.low for bound in bounds), max(bound.high for bound in bounds)
    found = list(tried(formula, r, s, p, q))
    assert low <= min(found)
    assert max(found) <= high
    if case in TIGHT:
        assert (low, high) == (min(found), max(found))


@settings(max_examples=60, deadline=None)
@given(r=registers, ends=exponents, min_step=st.booleans(), negate=st.booleans())
def test_no_shifted_step_leaves_its_proven_bounds(
    r: Register, ends: list[int], min_step: bool, negate: bool
) -> None:
    shift = Param(min=ends[0], max=ends[1])
    fields = {
        "op": "decay_shift",
        "dst": "r",
        "reg": "r",
        "param": "p",
        "min_step": min_step,
        "negate": negate,
    }
    profile = machine(fields, {"r": r}, {"p": shift})
    ((_, bounds),) = results(profile, profile.operation[0])
    found = [_decay_shift(v, p, min_step, negate) for v in values_of(r) for p in codes_of(shift)]
    assert bounds.low <= min(found)
    assert max(found) <= bounds.high


def test_a_vector_counts_as_many_times_as_it_has_elements() -> None:
    vector = Register(bits=4, overflow="wrap", count=3)
    profile = machine({"op": "sum", "dst": "v", "terms": ["i[*]", "-i[1]"]}, {"i": vector, "v": vector}, {})
    assert results(profile, profile.operation[0])[0].interval == Interval(3 * -8 - 7, 3 * 7 + 8)


@given(registers)
def test_a_register_holds_what_its_width_says(register: Register) -> None:
    values = values_of(register)
    assert register_interval(register) == (values[0], values[-1])


FORMULAS = {
    "int": lambda m, e: m,
    "shift": lambda m, e: m * 2**3,
    "mant_exp": lambda m, e: m * 2**e,
    "pow2_minus1": lambda m, e: 2**m - 1,
    "neg_pow2_plus1": lambda m, e: 1 - 2**m,
    "pow2_9_plus_2e_minus1": lambda m, e: 2 ** (9 + 2 * m) - 1,
}


@pytest.mark.parametrize("format_", FORMULAS)
@given(signed=ranges, unsigned=exponents)
def test_an_effective_parameter_reaches_exactly_its_bounds(
    format_: str, signed: list[int], unsigned: list[int]
) -> None:
    low, high = unsigned if "pow2" in format_ else signed
    shift, exp_max = (3 if format_ == "shift" else 0), (4 if format_ == "mant_exp" else 0)
    fields = {"format": format_, "min": low, "max": high, "shift": shift, "exp_max": exp_max}
    found = [FORMULAS[format_](m, e) for m in range(low, high + 1) for e in range(exp_max + 1)]
    assert parameter_interval(Param.model_validate(fields)) == (min(found), max(found))


@pytest.mark.parametrize("name", ["loihi1", "loihi1:lava", "loihi1:brian"])
def test_no_effective_weight_leaves_its_bounds(name: str) -> None:
    profile = sl.load_profile(name)
    weights = profile.weights.model_copy(update={"clip": None})
    bounds = weight_interval(profile)
    for mode in mode_names(weights):
        low, high, step = weight_levels(weights, mode)
        codes = np.arange(low, high + 1, step)
        for w_exp in range(-7, 8):
            found = effective_weights(weights, codes, {"w_exp": w_exp})
            assert bounds.low <= found.min() and found.max() <= bounds.high


def test_the_proof_counts_to_the_last_bit() -> None:
    code = {"min": -(2**31), "max": 0, "format": "shift"}
    for shift, sound in ((31, True), (32, False)):
        param = Param.model_validate(code | {"shift": shift})
        profile = machine(
            {"op": "sum", "dst": "r", "terms": ["p", "p"]}, {"r": Register(bits=8)}, {"p": param}
        )
        found = [finding for finding in prove(profile) if finding.startswith("operation")]
        # twice -2^31 2^31 is -2^63, the smallest 64-bit integer; one bit more does not fit
        assert (found == []) == sound
    assert found == ["operation.it: its sum may leave 64 bits; in [-18446744073709551616, 0]"]


def test_a_neuron_cannot_make_more_spikes_than_32_bits_count() -> None:
    fields = {"op": "multi_fire", "reg": "r", "thr": 1}
    for most, findings in ((2**31 - 1, 0), (2**31, 1)):
        profile = machine(fields | {"max": most}, {"r": Register(bits=8)}, {})
        assert len(prove(profile)) == findings


def test_shipped_profiles_are_proven() -> None:
    for name in sl.list_profiles():
        profile = sl.load_profile(name)
        assert profile.is_analog or prove(profile) == []
