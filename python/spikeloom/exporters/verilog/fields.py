"""How registers and parameters are stored in the circuit's words: width, sign, and the bits of a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spikeloom.profile.intervals import parameter_interval, register_interval
from spikeloom.profile.schema import Param, Profile


@dataclass(frozen=True)
class Field:
    """One value in a word: all numbers from `low` to `high` that are multiples of 2^zeros."""

    name: str
    bits: int
    low: int
    high: int
    zeros: int = 0  # lowest bits that are always 0 and are not stored

    @property
    def is_signed(self) -> bool:
        """Stored in two's complement."""
        return self.low < 0

    def encode(self, value: int) -> int:
        """The stored bits of a value.

        >>> Field("v", 4, -8, 7).encode(-1)
        15
        """
        return (int(value) >> self.zeros) & ((1 << self.bits) - 1)

    def decode(self, bits: int) -> int:
        """The value of stored bits.

        >>> Field("v", 4, -8, 7).decode(15)
        -1
        """
        negative = int(self.is_signed and bits >> (self.bits - 1) == 1)
        return (bits - (negative << self.bits)) << self.zeros


def register_field(profile: Profile, element: str) -> Field:
    """A register element; one of rule wrap_lava24 may hold 2^(bits-1), too, and is a bit wider."""
    register = profile.regs[element.split("[")[0]]
    low, high = register_interval(register)
    bits = register.bits or 0
    if register.overflow == "wrap_lava24":
        return Field(element, bits + 1, low, high + 1)
    return Field(element, bits, low, high)


def parameter_field(name: str, param: Param) -> Field:
    """A parameter, by its effective value: the loader has already decoded what the chip's own codes mean."""
    low, high = parameter_interval(param)
    zeros = param.shift if param.format == "shift" else 0
    stored = max(
        (low >> zeros if low >= 0 else ~(low >> zeros)), (high >> zeros if high >= 0 else ~(high >> zeros))
    )
    return Field(name, max(stored.bit_length() + (low < 0), 1), low, high, zeros)


def state_fields(profile: Profile) -> tuple[Field, ...]:
    """The STATE word, lowest bits first: every register element that is no accumulator."""
    names = [name for name in profile.element_names() if name not in profile.delivery.into]
    return tuple(register_field(profile, name) for name in names)


def accumulator_fields(profile: Profile) -> tuple[Field, ...]:
    """The ACC registers, one a receptor."""
    return tuple(register_field(profile, name) for name in profile.delivery.into)


def parameter_columns(profile: Profile) -> dict[int, tuple[Field, ...]]:
    """PARAM by the stage that reads a parameter first, from 1 on: a memory for each of these stages.

    So a neuron's parameters are read where they are needed, and not carried there.
    """
    columns: dict[int, tuple[Field, ...]] = {}
    seen: set[str] = set()
    for stage, operation in enumerate(profile.operation, 1):
        new = [name for name in profile.params if name in operation.reads() and name not in seen]
        seen.update(new)
        if new:
            columns[stage] = tuple(parameter_field(name, profile.params[name]) for name in new)
    return columns


def parameter_fields(profile: Profile) -> tuple[Field, ...]:
    """The PARAM word of the load bus, lowest bits first: the columns one after the other."""
    return tuple(field for column in parameter_columns(profile).values() for field in column)


def width(fields: Sequence[Field]) -> int:
    """Bits of a word."""
    return sum(field.bits for field in fields)


def placed(fields: Sequence[Field]) -> list[tuple[Field, int]]:
    """Every field with its lowest bit in the word."""
    return [(field, width(fields[:k])) for k, field in enumerate(fields)]
