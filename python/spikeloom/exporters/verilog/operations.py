"""The operations as Verilog: one function of each name adds the logic of one entry to its stage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spikeloom.errors import ProgramError
from spikeloom.exporters.verilog.numbers import Value
from spikeloom.exporters.verilog.stage import Spikes, Stage
from spikeloom.profile.schema import Profile

# What no circuit is made for, and why.
NOT_EXPRESSIBLE: dict[str, str] = {
    "alias": "a neuron would add to the spikes of another one, which is in another stage of the pipeline",
    "sum into a register that saturates": "the core adds every weight through the rule of the accumulator",
    "wrap_lava24 of an accumulator": "it may leave its range, and the core adds every weight through the rule",
    "spikes without a limit": "the counts of SCHED have a width; set delivery.spikes_max",
    "analog": "a circuit computes in integers",
    "linear_exact": "it computes in binary64",
    "linear_step": "it computes in binary64",
    "exp_euler": "it computes in binary64",
    "exp_drive": "it computes in binary64",
    "dpi_step": "it computes in binary64",
    "adex_step": "it computes in binary64",
    "mac": "it computes in binary64",
    "add_noise": "it computes in binary64",
    "adc": "it reads a binary64 number",
    "dac": "it makes a binary64 number",
}


def refuse(subject: str, use: str) -> ProgramError:
    """The error for an entry of NOT_EXPRESSIBLE."""
    return ProgramError(subject, f"{use}: {NOT_EXPRESSIBLE[use]}")


def check_expressible(profile: Profile) -> None:
    """Raise ProgramError, naming the reason, where no circuit can do what the profile says."""
    subject, delivery = f"profile {profile.name}", profile.delivery
    if profile.is_analog or profile.chip.synapse == "analog":
        raise refuse(subject, "analog")
    for entry in profile.operation:
        if entry.op not in OPERATIONS:
            raise refuse(f"operation {entry.name}", entry.op)
    for name in delivery.into:
        overflow = profile.regs[name.split("[")[0]].overflow
        if overflow == "wrap_lava24":
            raise refuse(subject, "wrap_lava24 of an accumulator")
        if overflow == "saturate" and delivery.accumulate == "sum":
            raise refuse(subject, "sum into a register that saturates")
    if delivery.merge == "count" and None in (delivery.spikes_max.input, delivery.spikes_max.recurrent):
        raise refuse(subject, "spikes without a limit")


def sum_terms(entry: Any, stage: Stage) -> None:
    """dst = t1 + t2 + ..."""
    total: Value | None = None
    for term in entry.terms:
        negative = isinstance(term, str) and term.startswith("-")
        for element in elements(stage, term.lstrip("-") if isinstance(term, str) else term):
            value = stage.read(element)
            if total is None:
                total = stage.logic.negate(value) if negative else value
            else:
                total = stage.logic.subtract(total, value) if negative else stage.logic.add(total, value)
    stage.write(entry.dst, total or stage.logic.constant(0))


def elements(stage: Stage, operand: int | str) -> list[int | str]:
    """The operand itself, or every element of the vector where it is written `i[*]`."""
    if isinstance(operand, str) and operand.endswith("[*]"):
        return [name for name in stage.profile.element_names() if name.split("[")[0] == operand[:-3]]
    return [operand]


def decay_mul(entry: Any, stage: Stage) -> None:
    """round(reg k / 2^shift); toward zero is the floor after 2^shift - 1 was added to a negative product."""
    logic = stage.logic
    k = logic.subtract(logic.constant(2**entry.shift - entry.offset), stage.read(entry.param))
    product = logic.multiply(stage.read(entry.reg), k)
    if entry.round == "trunc":
        negative = logic.compare(product, "<", logic.constant(0))
        lifted = logic.add(product, logic.constant(2**entry.shift - 1))
        product = logic.choose(negative, lifted, product)
    elif entry.round == "nearest":
        product = logic.add(product, logic.constant(2 ** (entry.shift - 1)))
    stage.write(entry.reg, logic.quotient(product, entry.shift))


def decay_shift(entry: Any, stage: Stage) -> None:
    """d = fl(reg / 2^param), one step at least where `min_step`; dst = reg - d, or -d."""
    logic, value = stage.logic, stage.read(entry.reg)
    step = logic.shifted(value, stage.read(entry.param))
    if entry.min_step:
        step = logic.choose(logic.is_zero(step), logic.sign(value), step)
    result = logic.negate(step) if entry.negate else logic.subtract(value, step)
    if entry.negate == "wrap":
        result = stage.wrapped(entry.dst, result)
    stage.write(entry.dst, result)


def decay_sub(entry: Any, stage: Stage) -> None:
    """Take p off, toward 0 or down to 0."""
    logic, value, step = stage.logic, stage.read(entry.reg), stage.read(entry.param)
    zero = logic.constant(0)
    result = logic.larger(zero, logic.subtract(value, step))
    if entry.toward == "zero":
        up = logic.smaller(zero, logic.add(value, step))
        below = logic.choose(logic.compare(value, "<", zero), up, value)
        result = logic.choose(logic.compare(value, ">", zero), result, below)
    stage.write(entry.reg, result, stage.both(stage.acting, is_set(stage, entry.enable)))


def leak_signed(entry: Any, stage: Stage) -> None:
    """r' = reg + w lambda, 0 where the guard sees the sign turn."""
    logic, value, leak = stage.logic, stage.read(entry.reg), stage.read(entry.lambda_)
    zero, signed = logic.constant(0), is_set(stage, entry.eps)
    positive, negative = logic.compare(value, ">", zero), logic.compare(value, "<", zero)
    if signed is None or signed != "1'b0":
        by_sign = logic.choose(positive, leak, logic.choose(negative, logic.negate(leak), zero))
        leak = by_sign if signed is None else logic.choose(signed, by_sign, leak)
    result = logic.add(value, leak)
    if entry.guard:
        up, down = logic.compare(result, ">", zero), logic.compare(result, "<", zero)
        turned = logic.flag(f"({positive} && {down}) || ({negative} && {up})")
        result = logic.choose(str(stage.both(signed, turned)), zero, result)
    stage.write(entry.reg, result)


def is_set(stage: Stage, operand: int | str) -> str | None:
    """The flag of an operand that is not 0; None where it never is."""
    if isinstance(operand, int):
        return "1'b0" if operand == 0 else None
    return stage.logic.compare(stage.read(operand), "!=", stage.logic.constant(0))


def clip(entry: Any, stage: Stage) -> None:
    """min(max(reg, min), max)."""
    value = stage.read(entry.reg)
    if entry.min is not None:
        value = stage.logic.larger(value, stage.read(entry.min))
    if entry.max is not None:
        value = stage.logic.smaller(value, stage.read(entry.max))
    stage.write(entry.reg, value)


def clear(entry: Any, stage: Stage) -> None:
    """0 where `flag`."""
    stage.write(entry.reg, stage.logic.constant(0), stage.both(stage.acting, is_set(stage, entry.flag)))


def hold_zero(entry: Any, stage: Stage) -> None:
    """0 where counter > 0."""
    zero = stage.logic.constant(0)
    counting = stage.logic.compare(stage.read(entry.counter), ">", zero)
    stage.write(entry.reg, zero, stage.both(stage.acting, counting))


def count_down(entry: Any, stage: Stage) -> None:
    """max(reg - 1, 0)."""
    logic = stage.logic
    less = logic.subtract(stage.read(entry.reg), logic.constant(1))
    stage.write(entry.reg, logic.larger(less, logic.constant(0)))


SYMBOLS = {"gt": ">", "ge": ">=", "ge_nonneg": ">=", "lt": "<", "le": "<="}


def fire(entry: Any, stage: Stage) -> None:
    """One spike where the register is past the threshold and no gate is closed; reset; counters."""
    logic, value, threshold = stage.logic, stage.read(entry.reg), stage.read(entry.thr)
    past = logic.compare(value, SYMBOLS[entry.cmp], threshold)
    if entry.cmp == "ge_nonneg":
        past = logic.flag(f"{past} && {logic.compare(value, '>=', logic.constant(0))}")
    past = str(stage.both(stage.acting, past))
    gate = is_set(stage, entry.gate)
    spike = "1'b0" if gate is None else past if gate == "1'b0" else logic.flag(f"{past} && !{gate}")
    stage.spikes = Spikes(logic.choose(spike, logic.constant(1), logic.constant(0)))
    resets: dict[str, Callable[[], Value]] = {
        "zero": lambda: logic.constant(0),
        "value": lambda: stage.read(entry.value),
        "subtract": lambda: logic.subtract(value, threshold),
    }
    if entry.reset in resets:
        stage.write(entry.reg, resets[entry.reset](), past)
    for counter, start in entry.start.items():
        stage.write(counter, stage.read(start), past)


def fire2(entry: Any, stage: Stage) -> None:
    """A spike past `pos`; a reset without a spike past `neg`; mode 0 sets, 1 subtracts, 2 keeps."""
    logic, value = stage.logic, stage.read(entry.reg)
    high, low, reset, mode = (stage.read(operand) for operand in (entry.pos, entry.neg, entry.r, entry.mode))
    subtract, keep = (logic.compare(mode, "==", logic.constant(number)) for number in (1, 2))
    above = str(stage.both(stage.acting, logic.compare(value, SYMBOLS[entry.cmp], high)))
    below = str(stage.both(stage.acting, logic.compare(value, SYMBOLS[entry.neg_cmp], low)))
    stage.spikes = Spikes(logic.choose(above, logic.constant(1), logic.constant(0)))
    taken = logic.choose(keep, value, logic.choose(subtract, logic.subtract(value, high), reset))
    given = logic.choose(keep, value, logic.choose(subtract, logic.subtract(value, low), logic.negate(reset)))
    given = logic.choose(is_set(stage, entry.saturate) or "1'b1", low, given)
    stage.write(entry.reg, logic.choose(above, taken, given), logic.flag(f"{above} || {below}"))


def multi_fire(entry: Any, stage: Stage) -> None:
    """One threshold off a clock, while the register has reached it; the stage holds until the last one."""
    logic, name, number = stage.logic, entry.reg, stage.number
    threshold, most = stage.read(entry.thr), stage.read(entry.max)
    bits, highest = stage.fields[name].bits, max(most.high, 1)
    looping, kept, counted = (f"s{number}_{what}" for what in ("looping", "kept", "counted"))
    counter = logic.signed(f"{looping} ? {counted} : {_zeros(highest)}", 0, highest)
    stage.raw[name] = logic.raw(bits, f"{looping} ? {kept} : {stage.raw[name]}")
    before = stage.read(name)
    fires = _may_fire(stage, before, threshold, counter, most)
    rest = logic.subtract(before, threshold)
    stage.write(name, stage.wrapped(name, rest) if entry.reset == "wrap" else rest, fires)
    more = logic.add(counter, logic.constant(1))
    count = logic.narrowed(logic.choose(fires, more, counter), 0, highest)
    again = logic.flag(f"{fires} && {_may_fire(stage, stage.read(name), threshold, count, most)}")
    stage.registers += [
        f"reg {looping};",
        f"reg [{bits - 1}:0] {kept};",
        f"reg signed [{count.bits - 1}:0] {counted};",
    ]
    stage.spikes = Spikes(count, again, [f"{kept} <= {stage.raw[name]};", f"{counted} <= {count.name};"])


def _zeros(highest: int) -> str:
    """0, as wide as a signed count up to `highest`."""
    return f"{highest.bit_length() + 1}'sh0"


def _may_fire(stage: Stage, value: Value, threshold: Value, count: Value, most: Value) -> str:
    """Whether one more spike is due."""
    reached = stage.logic.compare(value, ">=", threshold)
    return str(stage.both(stage.acting, reached, stage.logic.compare(count, "<", most)))


OPERATIONS: dict[str, Callable[[Any, Stage], None]] = {
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
}
