"""Brian2 code that carries the range of its value: a sum or product that float64 cannot hold is refused.

Every integer of magnitude below 2^53 is a float64 exactly. Whatever is built from these pieces is proven to
stay below, from the ranges of registers and parameters, or not built. On an analog soma there is nothing to
prove: the arithmetic is binary64 itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

LIMIT = 2**53
Range = tuple[int, int] | None  # None: real numbers


class Inexact(Exception):
    """A value may leave the integers that float64 holds."""

    def __init__(self, magnitude: int) -> None:
        super().__init__(magnitude)
        self.magnitude = magnitude


@dataclass(frozen=True)
class Exact:
    """An expression in Brian2's language and the range of the integer it stands for."""

    code: str
    range: Range

    def __post_init__(self) -> None:
        if self.range is not None and max(abs(bound) for bound in self.range) >= LIMIT:
            raise Inexact(max(abs(bound) for bound in self.range))

    def __add__(self, other: Exact) -> Exact:
        return Exact(f"({self.code} + {other.code})", _corners(lambda a, b: a + b, self.range, other.range))

    def __sub__(self, other: Exact) -> Exact:
        return Exact(f"({self.code} - {other.code})", _corners(lambda a, b: a - b, self.range, other.range))

    def __mul__(self, other: Exact) -> Exact:
        return Exact(f"({self.code} * {other.code})", _corners(lambda a, b: a * b, self.range, other.range))

    def __neg__(self) -> Exact:
        return constant(0) - self


def constant(value: int | float) -> Exact:
    """A number of the program text, as a float literal."""
    return Exact(f"({float(value)!r})", (int(value), int(value)) if value == int(value) else None)


def quotient(value: Exact, shift: int) -> Exact:
    """fl(value / 2^shift): dividing a float64 by a power of two is exact."""
    bounds = None if value.range is None else (value.range[0] >> shift, value.range[1] >> shift)
    return Exact(f"whole({value.code} / {float(2**shift)!r})", bounds)


def magnitude(value: Exact) -> Exact:
    """|value|."""
    bounds = None if value.range is None else (0, max(abs(bound) for bound in value.range))
    return Exact(f"abs({value.code})", bounds)


def sign(value: Exact) -> Exact:
    """1, 0 or -1."""
    return Exact(f"sign({value.code})", None if value.range is None else (-1, 1))


def smaller(a: Exact, b: Exact) -> Exact:
    """min(a, b)."""
    return Exact(f"minimum({a.code}, {b.code})", _corners(min, a.range, b.range))


def larger(a: Exact, b: Exact) -> Exact:
    """max(a, b)."""
    return Exact(f"maximum({a.code}, {b.code})", _corners(max, a.range, b.range))


def choose(condition: str, yes: Exact, no: Exact) -> Exact:
    """`yes` where the 0 or 1 of `condition` is 1, else `no`; both are finite, so that 0 times them is 0."""
    union = None
    if yes.range is not None and no.range is not None:
        union = (min(yes.range[0], no.range[0]), max(yes.range[1], no.range[1]))
    return Exact(f"({condition} * {yes.code} + (1.0 - {condition}) * {no.code})", union)


def _corners(function: Callable[[int, int], int], a: Range, b: Range) -> Range:
    """The range of a function that is monotonic in each argument."""
    if a is None or b is None:
        return None
    values = [function(x, y) for x, y in product(a, b)]
    return min(values), max(values)
