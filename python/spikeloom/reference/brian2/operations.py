"""The operations as Brian2 code: one function of each name adds the lines of one entry to a block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from spikeloom.errors import EmulationError
from spikeloom.profile.schema import Profile
from spikeloom.reference.brian2.block import Block, variable, wrap
from spikeloom.reference.brian2.exact import (
    LIMIT,
    Exact,
    Range,
    choose,
    constant,
    larger,
    magnitude,
    quotient,
    sign,
    smaller,
)  # fmt: skip
from spikeloom.reference.brian2.real_operations import NEAR_THRESHOLD, REAL_OPERATIONS

# What no Brian2 code is made for, and why. Every operation has its function; these are uses of them.
NOT_EXPRESSIBLE: dict[str, str] = {
    "multi_fire, threshold below 1": "the number of spikes is no quotient; the loop depends on the neuron",
    "multi_fire, analog soma": "the quotient of two reals may round across an integer",
    "converter with a table of nonlinearity": "the table would be read by a computed index",
    "add_noise": "Brian2 draws numbers of its own; such runs are compared as distributions",
    "axon driven by input lines and neurons": "it would be in both groups of `delivery.order`",
    "alias": "a neuron's turn waits for another neuron of the same tick",
    "each addition, rule trap": "which of n equal additions left the width is not kept",
    "each addition, latency above 1": "a count is read when it arrives, and only the last one is kept",
}


def refuse(subject: str, use: str) -> EmulationError:
    """The error for an entry of NOT_EXPRESSIBLE."""
    return EmulationError(subject, f"{use}: {NOT_EXPRESSIBLE[use]}", remedy="use the reference twin")


def sum_terms(entry: Any, block: Block) -> None:
    """dst = t1 + t2 + ..."""
    total: Exact | None = None
    for term in entry.terms:
        negative = isinstance(term, str) and term.startswith("-")
        for element in _elements(term.lstrip("-") if isinstance(term, str) else term, block):
            value = block.read(element)
            if total is None:
                total = -value if negative else value
            else:
                total = total - value if negative else total + value
    block.write(entry.dst, total or constant(0))


def _elements(operand: int | str, block: Block) -> list[int | str]:
    if isinstance(operand, str) and operand.endswith("[*]"):
        count = block.profile.regs[operand[:-3]].count
        return [f"{operand[:-3]}[{k}]" for k in range(count)] if count > 1 else [operand[:-3]]
    return [operand]


def decay_mul(entry: Any, block: Block) -> None:
    """round(reg k / 2^shift)."""
    k = constant(2**entry.shift - entry.offset) - block.read(entry.param)
    product = block.keep(block.read(entry.reg) * k)
    if entry.round == "trunc":
        result = sign(product) * quotient(magnitude(product), entry.shift)
    elif entry.round == "floor":
        result = quotient(product, entry.shift)
    else:
        result = quotient(product + constant(2 ** (entry.shift - 1)), entry.shift)
    block.write(entry.reg, result)


def decay_shift(entry: Any, block: Block) -> None:
    """d = fl(reg / 2^param), one step at least where `min_step`."""
    value = block.read(entry.reg)
    power = Exact(f"power({block.read(entry.param).code})", None)
    bounds = None if value.range is None else (min(value.range[0], 0), max(value.range[1], 0))
    step = block.keep(Exact(f"whole({value.code} / {power.code})", bounds))
    if entry.min_step:
        step = block.keep(choose(f"int({step.code} == 0.0)", sign(value), step))
    result = -step if entry.negate else value - step
    if entry.negate == "wrap":
        result = wrap(block.keep(result), block.widths[entry.dst])
    block.write(entry.dst, result)


def decay_sub(entry: Any, block: Block) -> None:
    """Take p off, toward 0 or down to 0."""
    value, step = block.read(entry.reg), block.read(entry.param)
    where = block.flag(f"{block.read(entry.enable).code} != 0.0")
    down = larger(constant(0), value - step)
    if entry.toward == "zero":
        up = smaller(constant(0), value + step)
        down = choose(f"int({value.code} > 0.0)", down, choose(f"int({value.code} < 0.0)", up, value))
    block.write(entry.reg, down, where)


def leak_signed(entry: Any, block: Block) -> None:
    """r' = reg + w lambda, 0 where the guard sees the sign turn."""
    value = block.read(entry.reg)
    signed = block.keep(f"int({block.read(entry.eps).code} != 0.0)", (0, 1)).code
    result = block.keep(value + choose(signed, sign(value), constant(1)) * block.read(entry.lambda_))
    if entry.guard:
        turned = block.keep(f"{signed} * int(sign({result.code}) * sign({value.code}) < 0.0)", (0, 1)).code
        result = choose(turned, constant(0), result)
    block.write(entry.reg, result)


def clip(entry: Any, block: Block) -> None:
    """min(max(reg, min), max)."""
    value = block.read(entry.reg)
    if entry.min is not None:
        value = larger(value, block.read(entry.min))
    if entry.max is not None:
        value = smaller(value, block.read(entry.max))
    block.write(entry.reg, value)


def clear(entry: Any, block: Block) -> None:
    """0 where `flag`."""
    block.write(entry.reg, constant(0), block.flag(f"{block.read(entry.flag).code} != 0.0"))


def hold_zero(entry: Any, block: Block) -> None:
    """0 where counter > 0."""
    block.write(entry.reg, constant(0), block.flag(f"{block.read(entry.counter).code} > 0.0"))


def count_down(entry: Any, block: Block) -> None:
    """max(reg - 1, 0)."""
    block.write(entry.reg, larger(block.read(entry.reg) - constant(1), constant(0)))


_SYMBOLS = {"gt": ">", "ge": ">=", "ge_nonneg": ">=", "lt": "<", "le": "<="}


def fire(entry: Any, block: Block) -> None:
    """z = 1 where the register is past the threshold and no gate is closed; reset; counters."""
    value, threshold = block.keep(block.read(entry.reg)), block.read(entry.thr)
    condition = f"{value.code} {_SYMBOLS[entry.cmp]} {threshold.code}"
    past = block.flag(condition)
    if block.profile.is_analog:
        apart, most = f"abs({value.code} - {threshold.code})", f"{NEAR_THRESHOLD!r} * abs({threshold.code})"
        block.lines.append(f"near = {block.acting} * int({apart} <= {most})")
    if entry.cmp == "ge_nonneg":
        past = block.keep(f"{past} * int({value.code} >= 0.0)", (0, 1)).code
    block.lines.append(f"z = {past} * int({block.read(entry.gate).code} == 0.0)")
    if entry.reset == "zero":
        block.write(entry.reg, constant(0), past)
    elif entry.reset == "value":
        block.write(entry.reg, block.read(entry.value), past)
    elif entry.reset == "subtract":
        block.write(entry.reg, value - threshold, past)
    for counter, start in entry.start.items():
        block.write(counter, block.read(start), past)


def fire2(entry: Any, block: Block) -> None:
    """A spike past `pos`; a reset without a spike past `neg`."""
    value, reset = block.keep(block.read(entry.reg)), block.read(entry.r)
    high, low = block.read(entry.pos), block.read(entry.neg)
    mode = block.read(entry.mode).code
    subtract = block.keep(f"int({mode} == 1.0)", (0, 1)).code
    saturate = block.keep(f"int({block.read(entry.saturate).code} != 0.0)", (0, 1)).code
    above = block.flag(f"{value.code} {_SYMBOLS[entry.cmp]} {high.code}")
    below = block.flag(f"{value.code} {_SYMBOLS[entry.neg_cmp]} {low.code}")
    below = block.keep(f"{below} * (1.0 - {above})", (0, 1)).code
    block.lines.append(f"z = {above}")
    resets = block.keep(f"{above} * int({mode} < 2.0)", (0, 1)).code
    block.write(entry.reg, choose(subtract, value - high, reset), resets)
    resets = block.keep(f"{below} * (1.0 - {saturate}) * int({mode} < 2.0)", (0, 1)).code
    block.write(entry.reg, choose(subtract, value - low, -reset), resets)
    block.write(entry.reg, low, block.keep(f"{below} * {saturate}", (0, 1)).code)


def multi_fire(entry: Any, block: Block) -> None:
    """n = min(max, fl(reg / thr)) spikes, each of which takes the threshold off; thr > 0."""
    value, threshold, most = (block.read(operand) for operand in (entry.reg, entry.thr, entry.max))
    subject = f"operation {entry.name}"
    if value.range is None or threshold.range is None:
        raise refuse(subject, "multi_fire, analog soma")
    if threshold.range[0] < 1:
        raise refuse(subject, "multi_fire, threshold below 1")
    times = Exact(f"whole({value.code} / {threshold.code})", (value.range[0], value.range[1]))
    count = block.keep(larger(constant(0), smaller(most, times)))
    count = block.keep(Exact(f"({block.acting} * {count.code})", count.range))
    block.lines.append(f"z = {count.code}")
    taken = Exact(f"({count.code} * {threshold.code})", (0, max(value.range[1], 0)))  # never more than reg
    block.write(entry.reg, value - taken)


def alias(entry: Any, block: Block) -> None:
    """Nothing where no neuron gives its spikes away; refused otherwise."""
    if block.read(entry.offset).range != (0, 0):
        raise refuse(f"operation {entry.name}", "alias")


OPERATIONS: dict[str, Callable[[Any, Block], None]] = {
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


def each_addition(name: str, block: Block, most: float) -> str:
    """What a synapse of weight w does to its register for n spikes at once; |n w| is `most` at most.

    Raises EmulationError where the register traps, or where float64 may not hold the sum.
    """
    if block.widths[name].overflow == "trap":
        raise refuse(f"delivery into {name}", "each addition, rule trap")
    after = variable(name) + "_post"
    bounds = (int(max(-most, -LIMIT)), int(min(most, LIMIT)))
    code: list[str] = []

    def add() -> None:
        total = Exact(after, block.ranges[name]) + Exact("(n_pre * w)", bounds)
        code.append(f"{after} = {block.ruled(name, total).code}")

    block.entry(f"delivery into {name}", add)
    return code[0]


def operation_block(
    profile: Profile, params: Mapping[str, Range], arriving: Mapping[str, Range], *, noisy: bool = False
) -> Block:
    """The whole tick: delivery into the accumulators, the operation list, cleared accumulators.

    Raises EmulationError, naming the operation, where float64 cannot be shown to hold a value.
    """
    block = Block(profile, params, arriving, noisy=noisy)
    for entry in profile.operation:
        block.entry(f"operation {entry.name}", partial(OPERATIONS[entry.op], entry, block), entry.unless)
    block.clear_accumulators()
    return block
