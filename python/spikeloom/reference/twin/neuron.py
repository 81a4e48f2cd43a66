"""What the twin's operations work on: one neuron, and the moment of the chip that it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from spikeloom.profile.schema import Register
from spikeloom.reference.twin import elementary as twin_elementary
from spikeloom.reference.twin import numbers as twin_numbers
from spikeloom.reference.twin.numbers import Number

STREAMS = {"membrane": 2, "read": 3, "jitter": 4}  # second word of the key of each random effect


@dataclass
class Moment:
    """When and in which trial a chip is: what temporal noise depends on."""

    dt: float = 0.0  # seconds of a step
    step: int = 0
    sample: int = 0
    trial_seed: int = 0
    layers: Mapping[str, int] = field(default_factory=dict)  # effect -> its number

    def noise(self, stream: str, effect: str, core: int, index: int) -> float:
        """The normal number of one index of a core in this step."""
        return self.draw(stream, self.layers[effect], core, index)

    def draw(self, stream: str, layer: int, core: int, index: int) -> float:
        """The normal number of one index of a core in this step, of the effect with this number."""
        key = (self.trial_seed, STREAMS[stream])
        rest = (self.step, self.sample, core << 8 | layer)
        return twin_elementary.normal(twin_elementary.word(key, index, rest))


@dataclass
class Neuron:
    """One neuron: its registers by element name, its effective parameters, and the spikes of this tick."""

    number: int
    core: int
    registers: dict[str, Number]
    params: dict[str, Number]
    rules: dict[str, int]  # how often each rule acted, shared by the whole chip
    widths: dict[str, Register]  # element name -> its register, shared by the whole chip
    peers: list[Neuron]  # all neurons by number
    spikes: int = 0
    local: int = 0  # its number within the core
    chip: Moment = field(default_factory=Moment)  # shared by the whole chip

    def read(self, operand: int | str) -> Number:
        """The value of an operand: an integer, a register element, or a parameter."""
        if isinstance(operand, int):
            return operand
        return self.registers[operand] if operand in self.registers else self.params[operand]

    def write(self, name: str, value: Number) -> None:
        """Write once through the register's rule, and count the rule where it acted."""
        register = self.widths[name]
        try:
            stored = twin_numbers.store(value, register)
        except twin_numbers.Trapped as trapped:
            trapped.core, trapped.neuron, trapped.register = self.core, self.number, name
            raise
        if register.bits is not None and stored != value:
            key = f"{name.split('[')[0]}.{register.overflow}"
            self.rules[key] = self.rules.get(key, 0) + 1
        self.registers[name] = stored
