"""Exact integers as Verilog wires: every value is a signed wire just wide enough for its bounds.

Verilog decides the width and the signedness of an expression from all of its operands, which is the classical
source of wrong circuits. So every intermediate result becomes a signed wire of its own, and operands are brought
to the width of the result first: no expression ever mixes widths or signs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


def signed_bits(low: int, high: int) -> int:
    """Bits of the narrowest two's complement number that holds both ends.

    >>> signed_bits(-8, 7), signed_bits(0, 8), signed_bits(0, 0)
    (4, 5, 1)
    """
    return max((low if low >= 0 else ~low).bit_length(), (high if high >= 0 else ~high).bit_length()) + 1


@dataclass(frozen=True)
class Value:
    """A signed wire `name`, and the bounds of what it carries."""

    name: str
    low: int
    high: int

    @property
    def bits(self) -> int:
        """The width of the wire."""
        return signed_bits(self.low, self.high)

    @property
    def is_constant(self) -> bool:
        """A literal instead of a wire, of which no bits can be taken."""
        return "'" in self.name


@dataclass
class Logic:
    """Combinational logic that grows line by line; names of its wires start with `prefix`."""

    prefix: str
    lines: list[str] = field(default_factory=list)
    count: int = 0

    def constant(self, number: int) -> Value:
        """A number, written as the bits of its two's complement."""
        return Value(_literal(number, signed_bits(number, number)), number, number)

    def signed(self, code: str, low: int, high: int) -> Value:
        """A new wire for an expression of exactly the width that the bounds need."""
        value = Value(self._name(), low, high)
        self.lines.append(f"wire signed [{value.bits - 1}:0] {value.name} = {code};")
        return value

    def flag(self, code: str) -> str:
        """A new wire of one bit."""
        name = self._name()
        self.lines.append(f"wire {name} = {code};")
        return name

    def raw(self, bits: int, code: str) -> str:
        """A new wire of plain bits."""
        name = self._name()
        self.lines.append(f"wire [{bits - 1}:0] {name} = {code};")
        return name

    def _name(self) -> str:
        self.count += 1
        return f"{self.prefix}_{self.count}"

    def widened(self, value: Value, bits: int) -> str:
        """The same number in `bits` bits: a constant, or the name of a signed wire."""
        if value.bits == bits:
            return value.name
        if value.is_constant:
            return _literal(value.low, bits)
        name, more = self._name(), bits - value.bits
        copies = f"{{{more}{{{value.name}[{value.bits - 1}]}}}}"
        self.lines.append(f"wire signed [{bits - 1}:0] {name} = {{{copies}, {value.name}}};")
        return name

    def _binary(self, symbol: str, a: Value, b: Value, low: int, high: int) -> Value:
        """An operation at the width of its result, which is that of the operands at least."""
        low, high = min(low, a.low, b.low), max(high, a.high, b.high)
        bits = signed_bits(low, high)
        return self.signed(f"{self.widened(a, bits)} {symbol} {self.widened(b, bits)}", low, high)

    def add(self, a: Value, b: Value) -> Value:
        """a + b."""
        return self._binary("+", a, b, a.low + b.low, a.high + b.high)

    def subtract(self, a: Value, b: Value) -> Value:
        """a - b."""
        return self._binary("-", a, b, a.low - b.high, a.high - b.low)

    def multiply(self, a: Value, b: Value) -> Value:
        """a b; both operands as wires of the product's width, which a synthesiser narrows again."""
        corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
        return self._binary("*", a, b, min(corners), max(corners))

    def negate(self, a: Value) -> Value:
        """-a."""
        return self.subtract(self.constant(0), a)

    def quotient(self, a: Value, shift: int) -> Value:
        """fl(a / 2^shift): the upper bits."""
        low, high = a.low >> shift, a.high >> shift
        bits = signed_bits(low, high)
        first = min(shift, a.bits - 1)
        return self.signed(f"{self.wired(a).name}[{first + bits - 1}:{first}]", low, high)

    def shifted(self, a: Value, shift: Value) -> Value:
        """fl(a / 2^shift) for a shift that is a wire, 0 or more."""
        unsigned = max(shift.bits - 1, 1)
        amount = self.raw(unsigned, f"{self.wired(shift).name}[{unsigned - 1}:0]")
        # At most the number itself is left, at least 0, or -1 of a negative one.
        return self.signed(f"{self.wired(a).name} >>> {amount}", min(a.low, 0), max(a.high, -1))

    def wired(self, a: Value) -> Value:
        """The value as a wire, of which bits can be taken."""
        return self.signed(a.name, a.low, a.high) if a.is_constant else a

    def compare(self, a: Value, symbol: str, b: Value) -> str:
        """The flag of a comparison of two signed numbers."""
        bits = max(a.bits, b.bits)
        return self.flag(f"{self.widened(a, bits)} {symbol} {self.widened(b, bits)}")

    def is_zero(self, a: Value) -> str:
        """The flag of a = 0."""
        return self.compare(a, "==", self.constant(0))

    def choose(self, flag: str, a: Value, b: Value) -> Value:
        """a where the flag holds, else b."""
        low, high = min(a.low, b.low), max(a.high, b.high)
        bits = signed_bits(low, high)
        return self.signed(f"{flag} ? {self.widened(a, bits)} : {self.widened(b, bits)}", low, high)

    def larger(self, a: Value, b: Value) -> Value:
        """max(a, b)."""
        chosen = self.choose(self.compare(a, ">", b), a, b)
        return self.narrowed(chosen, max(a.low, b.low), max(a.high, b.high))

    def smaller(self, a: Value, b: Value) -> Value:
        """min(a, b)."""
        chosen = self.choose(self.compare(a, "<", b), a, b)
        return self.narrowed(chosen, min(a.low, b.low), min(a.high, b.high))

    def narrowed(self, a: Value, low: int, high: int) -> Value:
        """The same number, known to lie within closer bounds."""
        bits = signed_bits(low, high)
        if bits >= a.bits:
            return a
        return self.signed(f"{self.wired(a).name}[{bits - 1}:0]", low, high)

    def sign(self, a: Value) -> Value:
        """1, 0 or -1."""
        positive = self.choose(self.compare(a, ">", self.constant(0)), self.constant(1), self.constant(0))
        return self.choose(self.compare(a, "<", self.constant(0)), self.constant(-1), positive)


def _literal(number: int, bits: int) -> str:
    """A number as the bits of its two's complement."""
    return f"{bits}'sh{number & (2**bits - 1):x}"


def indented(lines: Iterable[str], spaces: int = 4) -> str:
    """Lines of a module's body."""
    return "\n".join(" " * spaces + line if line else "" for line in lines)
