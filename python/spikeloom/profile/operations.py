"""The closed set of operations a core applies to its neurons; each docstring is the specification.

Every operation is exact in integers (or binary64 on an analog soma) and writes each result once through the
destination register's overflow rule. An operand is the name of a register, the name of a parameter, or an
integer. `fl(x)` is the floor.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from spikeloom.profile.operation_base import Operand, _Operation
from spikeloom.profile.real_operations import REAL_OPERATIONS, RealOperation


class Sum(_Operation):
    """dst = t1 + t2 + ..., one write; a term `-x` is subtracted, `i[*]` means all elements of a vector."""

    op: Literal["sum"]
    dst: str
    terms: tuple[Operand, ...]

    def reads(self) -> tuple[Operand, ...]:
        return (*super().reads(), *(t.lstrip("-") if isinstance(t, str) else t for t in self.terms))

    def writes(self) -> tuple[str, ...]:
        return (self.dst,)


class DecayMul(_Operation):
    """reg = round(reg * k / 2^shift), k = 2^shift - offset - param, 0 <= k <= 2^shift.

    trunc: sgn(p) fl(|p| / 2^shift); floor: fl(p / 2^shift); nearest: fl((p + 2^(shift-1)) / 2^shift), where
    p = reg * k.
    """

    op: Literal["decay_mul"]
    reg: str
    param: Operand
    offset: int = 0
    shift: Annotated[int, Field(ge=1, le=24)]
    round: Literal["trunc", "floor", "nearest"]

    def reads(self) -> tuple[Operand, ...]:
        return (*super().reads(), self.reg, self.param)

    def writes(self) -> tuple[str, ...]:
        return (self.reg,)


class DecayShift(_Operation):
    """d = fl(reg / 2^param); with `min_step`, d = sgn(reg) where d = 0 and reg != 0; dst = reg - d, or -d.

    `negate = true` writes -d through the rule of dst; `negate = "wrap"` first wraps -d to the width of dst.
    """

    op: Literal["decay_shift"]
    dst: str
    reg: str
    param: Operand
    min_step: bool = False
    negate: bool | Literal["wrap"] = False

    def reads(self) -> tuple[Operand, ...]:
        return (*super().reads(), self.reg, self.param)

    def writes(self) -> tuple[str, ...]:
        return (self.dst,)


class DecaySub(_Operation):
    """toward "zero": r > 0: max(0, r - p), r < 0: min(0, r + p); toward "floor0": max(0, r - p).

    Nothing happens where `enable` is 0.
    """

    op: Literal["decay_sub"]
    reg: str
    param: Operand
    toward: Literal["zero", "floor0"]
    enable: Operand = 1

    def reads(self) -> tuple[Operand, ...]:
        return (*super().reads(), self.reg, self.param, self.enable)

    def writes(self) -> tuple[str, ...]:
        return (self.reg,)


class LeakSigned(_Operation):
    """w = 1 where eps = 0, else sgn(reg), sgn(0) = 0; r' = reg + w lambda, the new reg.

    It is 0 instead where eps is not 0, guard holds, and sgn(r') sgn(reg) < 0.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    op: Literal["leak_signed"]
    reg: str
    lambda_: Annotated[Operand, Field(alias="lambda")]
    eps: Operand
    guard: bool = True

    def reads(self) -> tuple[Operand, ...]:
        return (*super().reads(), self.reg, self.lambda_, self.eps)

    def writes(self) -> tuple[str, ...]:
        return (self.reg,)


class Clip(_Operation):
    """reg = min(max(reg, min), max); either bound may be absent."""

    op: Literal["clip"]
    reg: str
    min: Operand | None = None
    max: Operand | None = None

    def reads(self) -> tuple[Operand, ...]:
        bounds = (bound for bound in (self.min, self.max) if bound is not None)
        return (*super().reads(), self.reg, *bounds)

    def writes(self) -> tuple[str, ...]:
        return (self.reg,)


class Clear(_Operation):
    """reg = 0 where `flag` is not 0."""

    op: Literal["clear"]
    reg: str
    flag: Operand = 1

    def reads(self) -> tuple[Operand, ...]:
        return (*super().reads(), self.reg, self.flag)

    def writes(self) -> tuple[str, ...]:
        return (self.reg,)


class HoldZero(_Operation):
    """reg = 0 where counter > 0."""

    op: Literal["hold_zero"]
    reg: str
    counter: str

    def reads(self) -> tuple[Operand, ...]:
        return (*super().reads(), self.reg, self.counter)

    def writes(self) -> tuple[str, ...]:
        return (self.reg,)


class CountDown(_Operation):
    """reg = max(reg - 1, 0)."""

    op: Literal["count_down"]
    reg: str

    def reads(self) -> tuple[Operand, ...]:
        return (*super().reads(), self.reg)

    def writes(self) -> tuple[str, ...]:
        return (self.reg,)


class Fire(_Operation):
    """Where reg cmp thr: n = 1 (0 where `gate` is not 0), reset, and start counters.

    gt: reg > thr; ge: reg >= thr; ge_nonneg: reg >= 0 and reg >= thr.
    reset zero: reg = 0; value: reg = value; subtract: reg = reg - thr; none: reg stays.
    `start = { counter = param }` writes each counter.
    """

    op: Literal["fire"]
    reg: str
    cmp: Literal["gt", "ge", "ge_nonneg"]
    thr: Operand
    reset: Literal["zero", "value", "subtract", "none"]
    value: Operand = 0
    start: dict[str, Operand] = {}
    gate: Operand = 0

    def reads(self) -> tuple[Operand, ...]:
        return (*super().reads(), self.reg, self.thr, self.value, self.gate, *self.start.values())

    def writes(self) -> tuple[str, ...]:
        return (self.reg, *self.start)


class Fire2(_Operation):
    """reg cmp pos: n = 1 and a reset; otherwise reg neg_cmp neg (a signed value): a reset without a spike.

    mode 0: reg = r above and -r below; 1: reg = reg - pos, reg - neg; 2: reg stays. Below, reg = neg instead
    where `saturate` is not 0.
    """

    op: Literal["fire2"]
    reg: str
    pos: Operand
    neg: Operand
    cmp: Literal["gt", "ge"]
    neg_cmp: Literal["lt", "le"]
    mode: Operand
    r: Operand
    saturate: Operand = 0

    def reads(self) -> tuple[Operand, ...]:
        return (*super().reads(), self.reg, self.pos, self.neg, self.mode, self.r, self.saturate)

    def writes(self) -> tuple[str, ...]:
        return (self.reg,)


class MultiFire(_Operation):
    """while reg >= thr and n < max: n += 1, reg = reg - thr. n starts at 0, or at what an `alias` gave.

    reset subtract: the difference goes through the rule of reg; wrap: it is wrapped to the width of reg,
    whatever the rule (they differ for thr <= 0 alone).
    """

    op: Literal["multi_fire"]
    reg: str
    thr: Operand
    max: Operand
    reset: Literal["subtract", "wrap"] = "subtract"

    def reads(self) -> tuple[Operand, ...]:
        return (*super().reads(), self.reg, self.thr, self.max)

    def writes(self) -> tuple[str, ...]:
        return (self.reg,)


class Alias(_Operation):
    """Directly after `multi_fire`, and part of it: neurons give their spikes to another one of their core.

    Neurons take their turns in ascending number. When neuron i has fired,
    n(i + offset) = min(max, n(i + offset) + n(i)), and a neuron whose turn is still to come starts its
    `multi_fire` with the n it has got. offset, a parameter, is 0 where nothing is given.
    """

    op: Literal["alias"]
    offset: str
    max: Annotated[int, Field(ge=1, le=65535)]

    def reads(self) -> tuple[Operand, ...]:
        return (*super().reads(), self.offset)


OPERATIONS: tuple[type[_Operation], ...] = (
    Sum, DecayMul, DecayShift, DecaySub, LeakSigned, Clip, Clear, HoldZero, CountDown, Fire, Fire2, MultiFire,
    Alias,
    *REAL_OPERATIONS,
)  # fmt: skip
FIRING = ("fire", "fire2", "multi_fire")

Operation = Annotated[
    Sum
    | DecayMul
    | DecayShift
    | DecaySub
    | LeakSigned
    | Clip
    | Clear
    | HoldZero
    | CountDown
    | Fire
    | Fire2
    | MultiFire
    | Alias
    | RealOperation,
    Field(discriminator="op"),
]
