"""Operations of real numbers, for analog somas; each docstring is the specification.

All arithmetic is binary64, in the order written, each operation rounded by itself; `exp` and `ln` are the
core's own (`base/elementary.hpp`), the same bits everywhere. dt is `time.dt_s`; a time constant is in seconds.
z is the normal number of machine.md section 5 for this neuron, step, sample and trial.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from spikeloom.profile.linear_operations import LinearExact, LinearStep
from spikeloom.profile.neuron_steps import AdexStep, DpiStep
from spikeloom.profile.operation_base import Operand, _Operation


class ExpEuler(_Operation):
    """tau dx/dt = -x + sum gain source + sum g (E - x), all but x held at the step's start.

    `gains = { source = gain }`, `conductances = { g = E }`, g in units of the leak's conductance.
    open = 1 + g1 + g2 + ...; t = (0 + gain1 source1 + ... + E1 g1 + ...) / open;
    x = t + (x - t) exp(-(dt open) / tau).
    """

    op: Literal["exp_euler"]
    reg: str
    tau: Operand
    gains: dict[str, Operand] = {}
    conductances: dict[str, Operand] = {}

    def reads(self) -> tuple[Operand, ...]:
        pairs = [*self.gains.items(), *self.conductances.items()]
        return (*super().reads(), self.reg, self.tau, *(name for pair in pairs for name in pair))

    def writes(self) -> tuple[str, ...]:
        return (self.reg,)


class ExpDrive(_Operation):
    """dst = slope exp(min((v - vt) / slope, max)): the exponential current of a spike's rise."""

    op: Literal["exp_drive"]
    dst: str
    v: Operand
    vt: Operand
    slope: Operand
    max: Operand

    def reads(self) -> tuple[Operand, ...]:
        return (*super().reads(), self.v, self.vt, self.slope, self.max)

    def writes(self) -> tuple[str, ...]:
        return (self.dst,)


class AddNoise(_Operation):
    """reg = reg + sigma z; stream membrane, layer the operation's number in the list, from 0."""

    op: Literal["add_noise"]
    reg: str
    sigma: Operand

    def reads(self) -> tuple[Operand, ...]:
        return (*super().reads(), self.reg, self.sigma)

    def writes(self) -> tuple[str, ...]:
        return (self.reg,)


class _Converter(_Operation):
    reg: str
    bits: Annotated[int, Field(ge=1, le=24)]
    lo: Operand
    hi: Operand
    inl: tuple[float, ...] = ()

    def reads(self) -> tuple[Operand, ...]:
        return (*super().reads(), self.reg, self.lo, self.hi)

    def writes(self) -> tuple[str, ...]:
        return (self.reg,)


class Adc(_Converter):
    """code = clip(fl((reg - lo) / (hi - lo) 2^bits), 0, 2^bits - 1); reg = code + inl[code].

    `inl`, one number for each code in units of a code, is the converter's nonlinearity; absent: none.
    """

    op: Literal["adc"]


class Dac(_Converter):
    """code = clip(fl(reg), 0, 2^bits - 1); reg = lo + (code + inl[code]) ((hi - lo) / 2^bits)."""

    op: Literal["dac"]


class Mac(_Operation):
    """y = clamp(sum over b of clamp(round(block_b gain + sigma z_b))), clamp to [out_min, out_max].

    round floor: fl(x); nearest: fl(x + 1/2). Sums go from 0 on in the order of `blocks`; z_b is that of the index
    neuron * blocks + b of its core, stream membrane, layer the operation's number. sigma 0 draws nothing.
    """

    op: Literal["mac"]
    dst: str
    blocks: tuple[str, ...]
    gain: Operand
    sigma: Operand
    round: Literal["floor", "nearest"]
    out_min: Operand
    out_max: Operand

    def reads(self) -> tuple[Operand, ...]:
        return (*super().reads(), *self.blocks, self.gain, self.sigma, self.out_min, self.out_max)

    def writes(self) -> tuple[str, ...]:
        return (self.dst,)


REAL_OPERATIONS: tuple[type[_Operation], ...] = (
    LinearExact, LinearStep, ExpEuler, ExpDrive, AddNoise, Adc, Dac, Mac, DpiStep, AdexStep,
)  # fmt: skip

RealOperation = (
    LinearExact | LinearStep | ExpEuler | ExpDrive | AddNoise | Adc | Dac | Mac | DpiStep | AdexStep
)
