"""The code of one tick as Brian2 lines: reading, naming and writing values, each write through its rule.

All variables are float64 that hold integers (Brian2's own integers are 32 bit). `whole` is the floor, `power`
is 2^x; both are given in the namespace, because Brian2's own `floor` passes through 32 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from spikeloom.errors import EmulationError
from spikeloom.profile.schema import Profile, Register
from spikeloom.reference.brian2.exact import (
    Exact,
    Inexact,
    Range,
    choose,
    constant,
    larger,
    quotient,
    smaller,
)  # fmt: skip


def variable(name: str) -> str:
    """The Brian2 name of a register element or a parameter: "i[0]" becomes "i_0_"."""
    return "x_" + name.replace("[", "_").replace("]", "_")


def register_range(register: Register) -> tuple[int, int]:
    """Every value that a register may hold; the rule wrap_lava24 keeps 2^(bits-1), too."""
    bits = register.bits or 0
    if not register.signed:
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - (register.overflow != "wrap_lava24")


class Block:
    """The lines of one tick of all neurons, from the arrival of spikes on.

    `arriving` is, for each accumulator, the range of what a tick may bring. In a `noisy` block operations draw
    random numbers, which makes a run comparable only as one of many.
    """

    def __init__(
        self,
        profile: Profile,
        params: Mapping[str, Range],
        arriving: Mapping[str, Range],
        *,
        noisy: bool = False,
    ) -> None:
        self.profile = profile
        self.noisy = noisy
        self.ranges = dict(params)  # of the effective parameters that the program has
        self.widths = {name: profile.regs[name.split("[")[0]] for name in profile.element_names()}
        for name, register in self.widths.items():
            self.ranges[name] = None if profile.is_analog else register_range(register)
        self.lines: list[str] = ["z = 0.0", "near = 0.0"]
        self.sites: list[str] = []  # the register of every write that may trap, numbered from 1
        self.acting = "1.0"  # 0 or 1: whether the current entry acts on a neuron
        for name, bounds in arriving.items():
            self.entry(f"delivery into {name}", partial(self._accumulate, name, bounds))

    def clear_accumulators(self) -> None:
        """The registers that start every tick at 0."""
        self.lines += [f"{variable(name)} = 0.0" for name in self.widths if self.widths[name].clear == "tick"]

    def entry(self, subject: str, add: Callable[[], None], unless: str | None = None) -> None:
        """Add the lines of one entry, which acts where the register `unless` is 0."""
        self.acting = "1.0"
        try:
            if unless is not None:
                self.acting = self.keep(f"int({variable(unless)} == 0.0)", (0, 1)).code
            add()
        except Inexact as inexact:
            raise EmulationError(
                subject, "cannot be carried in Brian2's float64", value=inexact.magnitude, limit=2**53,
                remedy="use the reference twin",
            ) from None  # fmt: skip

    def _accumulate(self, name: str, bounds: Range) -> None:
        """One write of what arrived since the last tick, then an empty tray."""
        self.write(name, self.read(name) + Exact(f"in_{variable(name)}", bounds))
        self.lines.append(f"in_{variable(name)} = 0.0")

    def read(self, operand: int | str) -> Exact:
        """The value of an operand."""
        if isinstance(operand, int):
            return constant(operand)
        return Exact(variable(operand), self.ranges[operand])

    def keep(self, value: Exact | str, bounds: Range = None) -> Exact:
        """Give a value a name, so that it is computed once and later writes do not change it."""
        value = value if isinstance(value, Exact) else Exact(value, bounds)
        name = f"k{len(self.lines)}"
        self.lines.append(f"{name} = {value.code}")
        return Exact(name, value.range)

    def flag(self, condition: str) -> str:
        """The name of 1 where the condition holds and the entry acts, else 0."""
        return self.keep(f"{self.acting} * int({condition})", (0, 1)).code

    def write(self, name: str, value: Exact, where: str | None = None) -> None:
        """Write once through the register's rule; `where` is a 0 or 1, by default where the entry acts."""
        where = self.acting if where is None else where
        ruled = self._ruled(name, self.keep(value), where)
        kept = ruled if where == "1.0" else choose(where, ruled, self.read(name))
        self.lines.append(f"{variable(name)} = {kept.code}")

    def ruled(self, name: str, value: Exact) -> Exact:
        """What a rule that keeps no note of its acting makes of a value."""
        return self._ruled(name, value, "1.0")

    def _ruled(self, name: str, value: Exact, where: str) -> Exact:
        """What the register's overflow rule makes of a value."""
        register = self.widths[name]
        if register.bits is None or value.range is None:
            return value
        low, high = register_range(register)
        if low <= value.range[0] and value.range[1] <= high and register.overflow != "wrap_lava24":
            return value
        return _RULES[str(register.overflow)](self, name, value, where)

    def _wrap(self, name: str, value: Exact, where: str) -> Exact:
        return wrap(value, self.widths[name])

    def _saturate(self, name: str, value: Exact, where: str) -> Exact:
        low, high = register_range(self.widths[name])
        return smaller(larger(value, constant(low)), constant(high))

    def _wrap_lava24(self, name: str, value: Exact, where: str) -> Exact:
        turn = 2 ** int(self.widths[name].bits or 0)
        half = turn // 2
        if value.range is None or value.range[0] <= -half - turn or value.range[1] > half + turn:
            raise EmulationError(
                f"register {name}", "may wrap more than once", remedy="use the reference twin"
            )
        off = self.keep(value - Exact(f"int({value.code} > {float(half)!r})", (0, 1)) * constant(turn))
        back = self.keep(off + Exact(f"int({off.code} <= {float(-half)!r})", (0, 1)) * constant(turn))
        return Exact(back.code, (-half, half))

    def _trap(self, name: str, value: Exact, where: str) -> Exact:
        """Note the first value outside the width of each neuron; the run is refused afterwards."""
        self.sites.append(name)
        low, high = register_range(self.widths[name])
        outside = f"(int({value.code} < {float(low)!r}) + int({value.code} > {float(high)!r}))"
        first = self.keep(f"{where} * {outside} * int(trap_site == 0.0)", (0, 1)).code
        self.lines += [
            f"trap_site = trap_site + {first} * {float(len(self.sites))!r}",
            f"trap_tick = trap_tick + {first} * t_in_timesteps",
            f"trap_value = trap_value + {first} * {value.code}",
        ]
        return self._saturate(name, value, where)


_RULES: dict[str, Callable[[Block, str, Exact, str], Exact]] = {
    "wrap": Block._wrap,
    "saturate": Block._saturate,
    "wrap_lava24": Block._wrap_lava24,
    "trap": Block._trap,
}


def wrap(value: Exact, register: Register) -> Exact:
    """x - 2^bits fl((x - low) / 2^bits)."""
    low, high = register_range(register)
    bits = int(register.bits or 0)
    turns = quotient(value - constant(low), bits)
    return Exact(f"({value.code} - {float(2**bits)!r} * {turns.code})", (low, high))
