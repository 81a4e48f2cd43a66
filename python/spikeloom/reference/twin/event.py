"""The twin's event mode: inputs one by one, a FIFO, and a test of the threshold after every write.

It takes the neurons and synapses that the twin has loaded, and replaces the tick.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from spikeloom.profile.event_mode import EventMode
from spikeloom.profile.schema import Profile
from spikeloom.reference.twin.neuron import Neuron
from spikeloom.reference.twin.numbers import Number
from spikeloom.reference.twin.operations import OPERATIONS


@dataclass(frozen=True)
class Event:
    """What a neuron or an input line sends: `weights` by target, for all neurons or for the targets alone."""

    kind: str  # of EventKind
    element: str  # the register that the weights are added to
    weights: Mapping[int, Number]

    def singles(self) -> list[Event]:
        """One event for each synapse."""
        return [Event(self.kind, self.element, {target: weight}) for target, weight in self.weights.items()]


class Loaded(Protocol):
    """What the twin has loaded of a program."""

    profile: Profile
    neurons: list[Neuron]
    rules: dict[str, int]
    rows: list[dict[int, list[Any]]]  # axon -> delay -> runs
    axon_target: list[int]
    line_axons: list[list[int]]
    neuron_axons: list[list[int]]

    def weights_of(self, axon: int, run: Any) -> list[Number]:
        """The effective weights of one run, as this axon reads it."""


def event_of(chip: Loaded, axons: list[int]) -> Event:
    """The rows of these axons as one event; a source without axons sends a row of zeros."""
    receptors, into = _event(chip).receptors, chip.profile.delivery.into
    receptor = 0
    weights: dict[int, Number] = {}
    for axon in axons:
        for run in chip.rows[axon].get(0, []):
            receptor = run.receptor
            targets = (chip.axon_target[axon] + target for target in run.targets)
            weights.update(zip(targets, chip.weights_of(axon, run), strict=True))
    return Event(receptors[receptor], into[receptor], weights)


def lines_in_order(chip: Loaded) -> list[int]:
    """The lines that drive an axon, by the first one."""
    driving = [line for line, axons in enumerate(chip.line_axons) if axons]
    return sorted(driving, key=lambda line: chip.line_axons[line][0])


def _event(chip: Loaded) -> EventMode:
    assert chip.profile.event is not None
    return chip.profile.event


class EventTicks:
    """The FIFO of the one core, and the neurons that its events visit."""

    def __init__(self, chip: Loaded) -> None:
        self.profile, self.event = chip.profile, _event(chip)
        self.neurons, self.rules = chip.neurons, chip.rules
        self.inputs = {line: event_of(chip, chip.line_axons[line]) for line in lines_in_order(chip)}
        self.own = [event_of(chip, axons) for axons in chip.neuron_axons]
        self.fifo: deque[Event] = deque()
        self.spikes = [0] * len(chip.neurons)

    def run_tick(self, tick: int, lines: Sequence[int]) -> None:
        """All inputs of a tick, each drained before the next, then the leak."""
        self.spikes = [0] * len(self.neurons)
        for line, event in self.inputs.items():
            for _ in range(lines[line] if line < len(lines) else 0):
                self.take_input(event)
        if leaks(self.event, tick):
            self.leak()
            self.drain()
        for neuron, n in zip(self.neurons, self.spikes, strict=True):
            neuron.spikes = n

    def take_input(self, event: Event) -> None:
        """One spike from outside."""
        for single in [event] if event.kind == "neuron" else event.singles():
            if single.kind == "synapse":
                self.handle(single)
            else:
                self.push(single)
            self.drain()

    def push(self, event: Event) -> None:
        """Put an event into the FIFO, or drop it where there is no place."""
        if len(self.fifo) == self.event.fifo_depth:
            self.count("fifo.drop")
        else:
            self.fifo.append(event)

    def drain(self) -> None:
        """Handle events until there is none; those past the limit stay."""
        handled = 0
        while self.fifo:
            if handled == self.event.max_events:
                self.count("fifo.unsettled")
                return
            self.pop()
            handled += 1

    def pop(self) -> None:
        """Handle the oldest event; it leaves its place after its last write."""
        self.handle(self.fifo[0])
        self.fifo.popleft()

    def handle(self, event: Event) -> None:
        """Write every neuron that the event visits, in ascending order."""
        for neuron in self.visited(event):
            neuron.write(event.element, neuron.read(event.element) + event.weights.get(neuron.number, 0))
            self.operate(neuron, "virtual" if event.kind == "virtual" else "synapse")

    def visited(self, event: Event) -> Iterator[Neuron]:
        """All neurons, with or without a synapse; those of single synapses alone."""
        return (n for n in self.neurons if event.kind == "neuron" or n.number in event.weights)

    def leak(self) -> None:
        """The leak event of all neurons."""
        for neuron in self.neurons:
            self.operate(neuron, "leak")

    def operate(self, neuron: Neuron, on: str) -> None:
        """The operations of this kind of event on one neuron; its spikes go into the FIFO."""
        neuron.spikes = 0
        for entry in self.profile.operation:
            if acts(entry, on) and (entry.unless is None or neuron.read(entry.unless) == 0):
                OPERATIONS[entry.op](entry, neuron)
        self.spikes[neuron.number] += neuron.spikes
        for _ in range(neuron.spikes):
            self.push(self.own[neuron.number])

    def count(self, rule: str) -> None:
        """Note that a rule acted."""
        self.rules[rule] = self.rules.get(rule, 0) + 1


def acts(entry: Any, on: str) -> bool:
    """Whether an operation belongs to this kind of event."""
    return entry.on is None or entry.on == on


def leaks(event: EventMode, tick: int) -> bool:
    """Whether this tick ends with a leak event."""
    return event.leak_every_ticks is not None and (tick + 1) % event.leak_every_ticks == 0
