"""The twin's operations: one function of each name, on one neuron, as the operation's docstring says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from spikeloom.profile.schema import Profile
from spikeloom.reference.twin import numbers as twin_numbers
from spikeloom.reference.twin.neuron import Neuron
from spikeloom.reference.twin.numbers import Number, power
from spikeloom.reference.twin.real_operations import REAL_OPERATIONS


def sign(value: Number) -> int:
    """1, 0 or -1."""
    return (value > 0) - (value < 0)


def sum_terms(entry: Any, neuron: Neuron) -> None:
    """dst = t1 + t2 + ..., from left to right."""
    total: Number = 0
    for term in entry.terms:
        negative = isinstance(term, str) and term.startswith("-")
        for element in _elements(term.lstrip("-") if isinstance(term, str) else term, neuron):
            total = total - neuron.read(element) if negative else total + neuron.read(element)
    neuron.write(entry.dst, total)


def _elements(operand: int | str, neuron: Neuron) -> list[int | str]:
    """The operand itself, or every element of the vector where it is written `i[*]`."""
    if isinstance(operand, str) and operand.endswith("[*]"):
        return [name for name in neuron.registers if name.split("[")[0] == operand[:-3]]
    return [operand]


def decay_mul(entry: Any, neuron: Neuron) -> None:
    """reg = round(reg k / 2^shift), k = 2^shift - offset - param."""
    k = 2**entry.shift - entry.offset - neuron.read(entry.param)
    neuron.write(entry.reg, rounded(neuron.read(entry.reg) * k, entry.shift, entry.round))


def rounded(product: Number, shift: int, mode: str) -> Number:
    """product / 2^shift, rounded: `trunc` toward zero, `floor` down, `nearest` to the nearest, halves up."""
    if mode == "trunc":
        return sign(product) * (abs(product) // power(shift))
    if mode == "floor":
        return product // power(shift)
    return (product + power(shift - 1)) // power(shift)


def decay_shift(entry: Any, neuron: Neuron) -> None:
    """d = fl(reg / 2^param), at least one step where `min_step`; dst = reg - d, or -d."""
    value = neuron.read(entry.reg)
    step = value // power(int(neuron.read(entry.param)))
    if entry.min_step and step == 0 and value != 0:
        step = sign(value)
    result = -step if entry.negate else value - step
    if entry.negate == "wrap":
        result = twin_numbers.wrap(int(result), *twin_numbers.register_range(neuron.widths[entry.dst]))
    neuron.write(entry.dst, result)


def decay_sub(entry: Any, neuron: Neuron) -> None:
    """Take p off: toward 0 from both sides, or down to 0."""
    value, step = neuron.read(entry.reg), neuron.read(entry.param)
    if neuron.read(entry.enable) == 0:
        return
    if entry.toward == "floor0" or value > 0:
        neuron.write(entry.reg, max(0, value - step))
    elif value < 0:
        neuron.write(entry.reg, min(0, value + step))


def leak_signed(entry: Any, neuron: Neuron) -> None:
    """r' = reg + w lambda, w = 1 or sgn(reg); 0 where the guard sees the sign turn."""
    value, signed = neuron.read(entry.reg), neuron.read(entry.eps) != 0
    direction = sign(value) if signed else 1
    result = value + direction * neuron.read(entry.lambda_)
    if signed and entry.guard and sign(result) * sign(value) < 0:
        result = 0
    neuron.write(entry.reg, result)


def clip(entry: Any, neuron: Neuron) -> None:
    """reg = min(max(reg, min), max)."""
    value = neuron.read(entry.reg)
    if entry.min is not None:
        value = max(value, neuron.read(entry.min))
    if entry.max is not None:
        value = min(value, neuron.read(entry.max))
    neuron.write(entry.reg, value)


def clear(entry: Any, neuron: Neuron) -> None:
    """reg = 0 where `flag` is not 0."""
    if neuron.read(entry.flag) != 0:
        neuron.write(entry.reg, 0)


def hold_zero(entry: Any, neuron: Neuron) -> None:
    """reg = 0 where counter > 0."""
    if neuron.read(entry.counter) > 0:
        neuron.write(entry.reg, 0)


def count_down(entry: Any, neuron: Neuron) -> None:
    """reg = max(reg - 1, 0)."""
    neuron.write(entry.reg, max(neuron.read(entry.reg) - 1, 0))


def crosses(comparison: str, value: Number, threshold: Number) -> bool:
    """Whether `value` is past `threshold`: gt, ge, ge_nonneg upward, lt, le downward."""
    if comparison == "gt":
        return value > threshold
    if comparison == "lt":
        return value < threshold
    if comparison == "le":
        return value <= threshold
    return value >= threshold and (comparison == "ge" or value >= 0)


def fire(entry: Any, neuron: Neuron) -> None:
    """Where reg cmp thr: one spike unless gated, reset, start the counters."""
    value, threshold = neuron.read(entry.reg), neuron.read(entry.thr)
    if not crosses(entry.cmp, value, threshold):
        return
    neuron.spikes = 0 if neuron.read(entry.gate) != 0 else 1
    if entry.reset == "zero":
        neuron.write(entry.reg, 0)
    elif entry.reset == "value":
        neuron.write(entry.reg, neuron.read(entry.value))
    elif entry.reset == "subtract":
        neuron.write(entry.reg, value - threshold)
    for counter, start in entry.start.items():
        neuron.write(counter, neuron.read(start))


def fire2(entry: Any, neuron: Neuron) -> None:
    """A spike past `pos`; a reset without a spike past `neg`."""
    value, high, low = (neuron.read(operand) for operand in (entry.reg, entry.pos, entry.neg))
    reset, mode = neuron.read(entry.r), neuron.read(entry.mode)
    if crosses(entry.cmp, value, high):
        neuron.spikes = 1
        if mode < 2:
            neuron.write(entry.reg, value - high if mode == 1 else reset)
    elif crosses(entry.neg_cmp, value, low):
        if neuron.read(entry.saturate) != 0:
            neuron.write(entry.reg, low)
        elif mode < 2:
            neuron.write(entry.reg, value - low if mode == 1 else -reset)


def multi_fire(entry: Any, neuron: Neuron) -> None:
    """while reg >= thr and n < max: n += 1, reg = reg - thr, through the rule or wrapped."""
    threshold, most = neuron.read(entry.thr), neuron.read(entry.max)
    width = neuron.widths[entry.reg]
    while neuron.read(entry.reg) >= threshold and neuron.spikes < most:
        neuron.spikes += 1
        rest = neuron.read(entry.reg) - threshold
        if entry.reset == "wrap" and width.bits is not None:
            rest = twin_numbers.wrap(int(rest), *twin_numbers.register_range(width))
        neuron.write(entry.reg, rest)


def alias(entry: Any, neuron: Neuron) -> None:
    """n(i + offset) = min(max, n(i + offset) + n(i)); no copy where the offset is 0."""
    offset = int(neuron.read(entry.offset))
    if offset != 0:
        target = neuron.peers[neuron.number + offset]
        target.spikes = min(entry.max, target.spikes + neuron.spikes)


OPERATIONS: dict[str, Callable[[Any, Neuron], None]] = {
    "sum": sum_terms,
    "decay_mul": decay_mul,
    "decay_shift": decay_shift,
    "decay_sub": decay_sub,
    "leak_signed": leak_signed,
    "clip": clip,
    "clear": clear,
    "hold_zero": hold_zero,
    "count_down": count_down,
    "fire": fire,
    "fire2": fire2,
    "multi_fire": multi_fire,
    "alias": alias,
    **REAL_OPERATIONS,
}


def run_operations(profile: Profile, neurons: list[Neuron]) -> None:
    """The operation list over the neurons of one core, operation by operation."""
    for neuron in neurons:
        neuron.spikes = 0
    for stage in stages(profile.operation):
        for neuron in neurons:
            for entry in stage:
                if entry.unless is None or neuron.read(entry.unless) == 0:
                    OPERATIONS[entry.op](entry, neuron)


def stages(entries: Sequence[Any]) -> list[list[Any]]:
    """Entries that a neuron runs in one go: one, or `multi_fire` with the `alias` that belongs to it."""
    found: list[list[Any]] = []
    for entry in entries:
        if entry.op == "alias" and found:
            found[-1].append(entry)
        else:
            found.append([entry])
    return found
