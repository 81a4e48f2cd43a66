"""One stage of the pipeline: the registers and parameters of a neuron, read and written by one operation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from spikeloom.errors import ProgramError
from spikeloom.exporters.verilog.fields import Field
from spikeloom.exporters.verilog.numbers import Logic, Value, signed_bits
from spikeloom.profile.intervals import register_interval
from spikeloom.profile.schema import Profile


@dataclass
class Spikes:
    """What the firing operation decides: the count of this clock, and whether it goes on in the next one."""

    count: Value
    again: str | None = None  # flag
    feedback: list[str] = field(
        default_factory=list
    )  # clocked lines of a loop, when the stage does not advance


class Stage:
    """The logic of stage `number`, on the bits `raw` of each register and parameter at its start.

    `fields` says how they are stored. A register that is written has new bits in `raw` afterwards.
    """

    def __init__(
        self, profile: Profile, number: int, fields: Mapping[str, Field], raw: Mapping[str, str]
    ) -> None:
        self.profile, self.number, self.fields = profile, number, fields
        self.logic = Logic(f"s{number}")
        self.raw = dict(raw)
        self.acting: str | None = None  # flag of `unless`; None: always
        self.spikes: Spikes | None = None
        self.registers: list[str] = []  # declarations of registers of the stage's own
        self._read: dict[tuple[str, str], Value] = {}

    def read(self, operand: int | str) -> Value:
        """The value of an operand."""
        if isinstance(operand, int):
            return self.logic.constant(operand)
        key = (operand, self.raw[operand])
        if key not in self._read:
            self._read[key] = self._wire(self.fields[operand], self.raw[operand])
        return self._read[key]

    def _wire(self, stored: Field, raw: str) -> Value:
        """Stored bits as a signed number."""
        parts = ["1'b0"] * (not stored.is_signed) + [raw] + [f"{stored.zeros}'b0"] * (stored.zeros > 0)
        code = f"{{{', '.join(parts)}}}" if len(parts) > 1 else raw
        whole = stored.bits + stored.zeros + (not stored.is_signed)
        if signed_bits(stored.low, stored.high) == whole:
            return self.logic.signed(code, stored.low, stored.high)
        return self.logic.signed(
            code, 0 if not stored.is_signed else -(2 ** (whole - 1)), 2 ** (whole - 1) - 1
        )

    def write(self, name: str, value: Value, where: str | None = None) -> None:
        """Write once through the register's rule; `where` is a flag, by default where the entry acts."""
        where = self.acting if where is None else where
        ruled = self.ruled(name, value)
        bits = self.fields[name].bits
        self.raw[name] = (
            ruled if where is None else self.logic.raw(bits, f"{where} ? {ruled} : {self.raw[name]}")
        )

    def both(self, *flags: str | None) -> str | None:
        """The flag of all of them; None is always true."""
        given = [flag for flag in flags if flag is not None]
        return self.logic.flag(" && ".join(given)) if len(given) > 1 else given[0] if given else None

    def ruled(self, name: str, value: Value) -> str:
        """The bits that a register keeps of a value.

        A register with the rule `trap` keeps the low-order bits: the circuit has no way to stop a run, and
        the emulator, which has, is never compared beyond that point.
        """
        register, stored = self.profile.regs[name.split("[")[0]], self.fields[name]
        if register.overflow == "saturate" and not stored.low <= value.low <= value.high <= stored.high:
            constant = self.logic.constant
            value = self.logic.smaller(self.logic.larger(value, constant(stored.low)), constant(stored.high))
        if register.overflow == "wrap_lava24":
            value = self._wrapped_once(value, int(register.bits or 0))
        return self.bits(value, stored.bits)

    def wrapped(self, name: str, value: Value) -> Value:
        """A number wrapped to the width of a register, whatever its rule."""
        register = register_interval(self.profile.regs[name.split("[")[0]])
        width = (register.high - register.low).bit_length()
        bits = self.bits(value, width)
        code = bits if register.low < 0 else f"{{1'b0, {bits}}}"
        return self.logic.signed(code, register.low, register.high)

    def _wrapped_once(self, value: Value, bits: int) -> Value:
        """2^bits off above 2^(bits-1), then 2^bits added at or below -2^(bits-1)."""
        logic = self.logic
        turn, half = logic.constant(2**bits), 2 ** (bits - 1)
        if value.low <= -half - 2**bits or value.high > half + 2**bits:
            raise ProgramError(
                f"profile {self.profile.name}, operation stage {self.number}",
                "may wrap more than once under wrap_lava24, which no circuit is made for",
                value=f"{value.low} to {value.high}", limit=2**bits + half,
            )  # fmt: skip
        high = logic.compare(value, ">", logic.constant(half))
        off = logic.choose(high, logic.subtract(value, turn), value)
        low = logic.compare(off, "<=", logic.constant(-half))
        return logic.choose(low, logic.add(off, turn), off)

    def bits(self, value: Value, bits: int) -> str:
        """The lowest `bits` bits of a number, its sign repeated where it has fewer."""
        wired = self.logic.wired(value)
        if wired.bits <= bits:
            return self.logic.raw(bits, self.logic.widened(wired, bits))
        return self.logic.raw(bits, f"{wired.name}[{bits - 1}:0]")
