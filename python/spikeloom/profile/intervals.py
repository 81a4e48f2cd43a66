"""Interval proof: every exact result of an operation list fits a signed 64-bit integer.

An interval is (smallest, largest), both ends included. Results are bounded from register widths and parameter
ranges alone, so the proof holds for every program of the profile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from spikeloom.profile import operations as ops
from spikeloom.profile.operation_base import Operand
from spikeloom.profile.schema import Param, Profile, Register
from spikeloom.profile.weights import mode_names, weight_levels

INT64_MAX = 2**63 - 1
_HUGE_EXPONENT = 256  # a code above it cannot fit anyway; 2^code is not computed


class Interval(NamedTuple):
    """All integers from `low` to `high`."""

    low: int
    high: int

    def __add__(self, other: Interval) -> Interval:  # type: ignore[override]
        return Interval(self.low + other.low, self.high + other.high)

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def __sub__(self, other: Interval) -> Interval:
        return self + -other

    def __mul__(self, other: Interval) -> Interval:  # type: ignore[override]
        corners = [a * b for a in self for b in other]
        return Interval(min(corners), max(corners))

    def __or__(self, other: Interval) -> Interval:
        """The smallest interval that holds both."""
        return Interval(min(self.low, other.low), max(self.high, other.high))

    def fits_int64(self) -> bool:
        """True where both ends are signed 64-bit integers."""
        return self.low >= -INT64_MAX - 1 and self.high <= INT64_MAX


class Result(NamedTuple):
    """One exact value that an operation computes before any rule acts: what it is, and its bounds."""

    what: str
    interval: Interval


def register_interval(register: Register) -> Interval:
    """What a digital register can hold.

    >>> register_interval(Register(bits=8, overflow="wrap"))
    Interval(low=-128, high=127)
    """
    assert register.bits is not None, "only digital registers have an interval"
    if register.signed:
        return Interval(-(2 ** (register.bits - 1)), 2 ** (register.bits - 1) - 1)
    return Interval(0, 2**register.bits - 1)


def parameter_interval(param: Param) -> Interval:
    """What a parameter's effective value can be; the formats are those of `Param`.

    >>> parameter_interval(Param(format="mant_exp", min=-3, max=5, exp_max=2))
    Interval(low=-12, high=20)
    """
    assert param.min is not None and param.max is not None, "only integer formats have an interval"
    low, high = int(param.min), int(param.max)
    match param.format:
        case "shift":
            return Interval(low, high) * Interval(2**param.shift, 2**param.shift)
        case "mant_exp":
            return Interval(low, high) * Interval(1, 2**param.exp_max)
        case "pow2_minus1":
            return Interval(_pow2(low) - 1, _pow2(high) - 1)
        case "neg_pow2_plus1":
            return Interval(1 - _pow2(high), 1 - _pow2(low))
        case "pow2_9_plus_2e_minus1":
            return Interval(_pow2(9 + 2 * low) - 1, _pow2(9 + 2 * high) - 1)
    return Interval(low, high)


def _pow2(exponent: int) -> int:
    return 1 << min(max(exponent, 0), _HUGE_EXPONENT)


def operand_interval(profile: Profile, operand: Operand) -> Interval:
    """The bounds of a register, an element of one (`i[0]`), a parameter or an integer."""
    if isinstance(operand, int):
        return Interval(operand, operand)
    if operand in profile.params:
        return parameter_interval(profile.params[operand])
    return register_interval(profile.regs[operand.split("[")[0]])


def decay_factor(profile: Profile, operation: ops.DecayMul) -> Interval:
    """The bounds of k of a `decay_mul`."""
    whole = 2**operation.shift - operation.offset
    return Interval(whole, whole) - operand_interval(profile, operation.param)


def results(profile: Profile, operation: ops.Operation) -> tuple[Result, ...]:
    """Every exact value that an operation computes before a rule acts, with its bounds.

    The profile's names must be sound and its soma digital.
    """
    return _BOUNDS[type(operation)](profile, operation)


def _sum(profile: Profile, operation: ops.Sum) -> tuple[Result, ...]:
    total = Interval(0, 0)
    for term in operation.terms:
        name = term.lstrip("-") if isinstance(term, str) else term
        every = isinstance(name, str) and name.endswith("[*]")
        count = profile.regs[str(name).split("[")[0]].count if every else 1
        value = operand_interval(profile, name) * Interval(count, count)
        total += -value if isinstance(term, str) and term.startswith("-") else value
    return (Result("sum", total),)


def _decay_mul(profile: Profile, operation: ops.DecayMul) -> tuple[Result, ...]:
    product = operand_interval(profile, operation.reg) * decay_factor(profile, operation)
    half = 2 ** (operation.shift - 1) if operation.round == "nearest" else 0
    return (Result("product", product + Interval(0, half)),)


def _decay_shift(profile: Profile, operation: ops.DecayShift) -> tuple[Result, ...]:
    reg, param = operand_interval(profile, operation.reg), operand_interval(profile, operation.param)
    shifts = [min(max(shift, 0), 64) for shift in param]
    ends = [end >> shift for end in reg for shift in shifts]
    step = Interval(min(*ends, -1 if reg.low < 0 else 0), max(*ends, 1 if reg.high > 0 else 0))
    return (Result("negated step", -step) if operation.negate else Result("difference", reg - step),)


def _decay_sub(profile: Profile, operation: ops.DecaySub) -> tuple[Result, ...]:
    reg, param = operand_interval(profile, operation.reg), operand_interval(profile, operation.param)
    return Result("difference", reg - param), Result("sum", reg + param)


def _leak_signed(profile: Profile, operation: ops.LeakSigned) -> tuple[Result, ...]:
    leak = operand_interval(profile, operation.lambda_)
    return (Result("sum", operand_interval(profile, operation.reg) + (leak | -leak)),)


def _clip(profile: Profile, operation: ops.Clip) -> tuple[Result, ...]:
    value = operand_interval(profile, operation.reg)
    if operation.min is not None:
        value = Interval(*map(max, value, operand_interval(profile, operation.min)))
    if operation.max is not None:
        value = Interval(*map(min, value, operand_interval(profile, operation.max)))
    return (Result("clipped value", value),)


def _zero(profile: Profile, operation: ops.Clear | ops.HoldZero) -> tuple[Result, ...]:
    return (Result("value", operand_interval(profile, operation.reg) | Interval(0, 0)),)


def _count_down(profile: Profile, operation: ops.CountDown) -> tuple[Result, ...]:
    return (Result("count", operand_interval(profile, operation.reg) - Interval(1, 1)),)


def _fire(profile: Profile, operation: ops.Fire) -> tuple[Result, ...]:
    reg, threshold = operand_interval(profile, operation.reg), operand_interval(profile, operation.thr)
    reset = {
        "zero": Interval(0, 0),
        "value": operand_interval(profile, operation.value),
        "subtract": reg - threshold,
        "none": reg,
    }[operation.reset]
    starts = (Result(f"start of {c}", operand_interval(profile, p)) for c, p in operation.start.items())
    return Result("threshold", threshold), Result("reset", reset), *starts


def _fire2(profile: Profile, operation: ops.Fire2) -> tuple[Result, ...]:
    reg, r = operand_interval(profile, operation.reg), operand_interval(profile, operation.r)
    above = reg - operand_interval(profile, operation.pos)
    below = reg - operand_interval(profile, operation.neg)
    low = operand_interval(profile, operation.neg)
    return Result("reset above", above | r), Result("reset below", below | -r | low)


def _multi_fire(profile: Profile, operation: ops.MultiFire) -> tuple[Result, ...]:
    reg, threshold = operand_interval(profile, operation.reg), operand_interval(profile, operation.thr)
    return Result("difference", reg - threshold), Result("spikes", operand_interval(profile, operation.max))


def _alias(profile: Profile, operation: ops.Alias) -> tuple[Result, ...]:
    return (Result("spikes", Interval(0, operation.max)),)


_BOUNDS: dict[type, Callable[..., tuple[Result, ...]]] = {
    ops.Sum: _sum, ops.DecayMul: _decay_mul, ops.DecayShift: _decay_shift, ops.DecaySub: _decay_sub,
    ops.LeakSigned: _leak_signed, ops.Clip: _clip, ops.Clear: _zero, ops.HoldZero: _zero,
    ops.CountDown: _count_down, ops.Fire: _fire, ops.Fire2: _fire2, ops.MultiFire: _multi_fire,
    ops.Alias: _alias,
}  # fmt: skip


def weight_interval(profile: Profile) -> Interval:
    """The bounds of a digital effective weight before `clip` acts."""
    weights = profile.weights
    if weights.formula == "type_table":
        values = [parameter_interval(profile.params[name]) for name in weights.table]
        return Interval(min(0, *(v.low for v in values)), max(0, *(v.high for v in values)))
    levels = [weight_levels(weights, mode) for mode in mode_names(weights)]
    codes = Interval(min(level.low for level in levels), max(level.high for level in levels))
    shifts = [shared.max for shared in weights.shared if shared.name in ("w_exp", "shift")]
    highest = _pow2(weights.unit_shift + max(shifts, default=0))
    return codes * Interval(highest, highest) | codes


def prove(profile: Profile) -> list[str]:
    """Findings: values and results that may leave int64, factors and shifts that leave their range."""
    findings = []
    for name, param in profile.params.items():
        if not parameter_interval(param).fits_int64():
            bounds = _text(parameter_interval(param))
            findings.append(f"params.{name}: its effective value may leave 64 bits; {bounds}")
    for operation in profile.operation:
        key = f"operation.{operation.name}"
        for what, interval in results(profile, operation):
            if not interval.fits_int64():
                findings.append(f"{key}: its {what} may leave 64 bits; {_text(interval)}")
        findings += [f"{key}: {problem}" for problem in _factor_problems(profile, operation)]
    if profile.chip.synapse == "digital" and not weight_interval(profile).fits_int64():
        bounds = _text(weight_interval(profile))
        findings.append(f"weights: an effective weight may leave 64 bits; {bounds}")
    return findings


def _factor_problems(profile: Profile, operation: ops.Operation) -> list[str]:
    if isinstance(operation, ops.DecayMul):
        factor, whole = decay_factor(profile, operation), 2**operation.shift
        if not (factor.low >= 0 and factor.high <= whole):
            formula = f"k = {whole} - {operation.offset} - {operation.param}"
            return [f"needs 0 <= k <= {whole}; {formula} {_text(factor)}"]
    if isinstance(operation, ops.DecayShift):
        shift = operand_interval(profile, operation.param)
        if not (shift.low >= 0 and shift.high < 64):
            return [f"needs a shift from 0 to 63; {operation.param} {_text(shift)}"]
    if isinstance(operation, ops.Fire2):
        mode = operand_interval(profile, operation.mode)
        if mode.low < 0 or mode.high > 2:
            return [f"needs a mode of 0, 1 or 2; {operation.mode} {_text(mode)}"]
    if isinstance(operation, ops.MultiFire) and operand_interval(profile, operation.max).high >= 2**31:
        return [f"needs a largest number of spikes below 2^31; {operation.max} may be larger"]
    return []


def _text(interval: Interval) -> str:
    return f"in [{_rounded(interval.low)}, {_rounded(interval.high)}]"


def _rounded(end: int) -> str:
    """A number of more than 64 bits as a power of two."""
    sign = "-" if end < 0 else ""
    return str(end) if abs(end) <= 2**64 else f"{sign}2^{abs(end).bit_length() - 1}"
