"""One open_core, each of its state machines a generator that yields at the end of every clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from spikeloom.profile.operations import FIRING
from spikeloom.profile.schema import Profile
from spikeloom.reference.clocks.memories import Destination, Memories
from spikeloom.reference.twin.neuron import Neuron
from spikeloom.reference.twin.operations import OPERATIONS

Packet = tuple[Destination, int]


class Queue:
    """A FIFO: `entries` is what it held when the clock began; `end_clock` lets a push and a pop happen."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.entries: list[Any] = []
        self.pushed: list[Any] = []
        self.popped = 0
        self.most = 0

    def full(self) -> bool:
        """Whether it takes nothing in this clock."""
        return len(self.entries) == self.depth

    def push(self, entry: Any) -> None:
        """Put an entry in; it is seen from the next clock on."""
        assert not self.full()
        self.pushed.append(entry)

    def pop(self) -> Any:
        """Take the first entry out; it is still seen in this clock."""
        self.popped += 1
        return self.entries[0]

    def end_clock(self) -> None:
        """What happened in the clock becomes the state of the next."""
        self.entries = self.entries[self.popped :] + self.pushed
        self.pushed, self.popped = [], 0
        self.most = max(self.most, len(self.entries))


class ClockCore:
    """A core between two clocks; `here` is its place on the grid."""

    def __init__(self, profile: Profile, memories: Memories, here: tuple[int, int]) -> None:
        cycles: Any = profile.cycles
        self.profile, self.memories, self.here = profile, memories, here
        self.size, self.axons = (
            int(profile.limits.neurons_per_core or 0),
            profile.limits.in_axons_per_core or 0,
        )
        self.slots, self.counted = cycles.slots, int(2**cycles.count_bits - 1)
        self.schedule = [[0] * len(memories.rows) for _ in range(self.slots)]
        self.output, self.received = Queue(cycles.output_fifo), Queue(cycles.receive_fifo)
        self.phase = "DRAIN"
        self.written = -1  # neuron in the write stage
        self.spike: tuple[int, int] | None = None  # pushed in this clock
        self.holds = {"several_spikes": 0, "output_full": 0, "send_blocked": 0}
        self.words = self.packets = 0
        self.sending = self.receiving = False
        self.receiver = self.receive()

    def start_tick(self, tick: int, inputs: Mapping[int, int]) -> None:
        """Ready for the first clock of INPUT; inputs: axon -> spikes."""
        self.tick = tick
        self.engine, self.sender = self.run(inputs), self.send()

    def done(self) -> bool:
        """The signal `done`, of the state when the clock began."""
        return self.phase == "DRAIN" and not self.output.entries and not self.sending and not self.receiving

    def add_to_schedule(self, tick: int, axon: int, n: int) -> None:
        """A write of SCHED."""
        slot = self.schedule[tick % self.slots]
        slot[axon] = 1 if self.profile.delivery.merge == "or" else min(slot[axon] + n, self.most_on(axon))

    def most_on(self, axon: int) -> int:
        """The largest spike count of an axon: what its group may have, and what the bits hold."""
        limits = self.profile.delivery.spikes_max
        most = limits.input if self.memories.from_input[axon] else limits.recurrent
        return self.counted if most is None else min(most, self.counted)

    # The phases. What stands before a `yield` happens in that clock.

    def run(self, inputs: Mapping[int, int]) -> Iterator[None]:
        """INPUT, DELIVER, UPDATE, DRAIN of one tick."""
        self.phase = "INPUT"
        for axon in sorted(inputs):
            yield
            self.add_to_schedule(self.tick, axon, inputs[axon])
            yield
        yield
        self.phase = "DELIVER"
        yield from self.deliver()
        self.phase = "UPDATE"
        yield from self.update()
        self.phase, self.written = "DRAIN", -1
        while True:
            yield

    def deliver(self) -> Iterator[None]:
        """One word of SCHED after the other, and the rows of those that are not 0."""
        slot = self.schedule[self.tick % self.slots]
        for axon in range(self.axons):
            n = slot[axon] if axon < len(slot) else 0
            yield
            if n == 0:
                continue
            slot[axon] = 0
            yield
            for _ in range(n):
                for run in self.memories.rows[axon]:
                    yield
                    for word in run.words:
                        self.words += 1
                        yield
                        for neuron, weight in word.items():
                            target = self.memories.neurons[neuron]
                            target.write(run.element, target.read(run.element) + weight)
        yield

    def update(self) -> Iterator[None]:
        """Neurons go through read, one stage an operation, and write; a hold stops them all."""
        operations = self.profile.operation
        fire = 1 + next(k for k, entry in enumerate(operations) if entry.op in FIRING)
        last = len(operations) + 1
        stages: list[int | None] = [0, *[None] * last]  # neuron in each stage
        entering = 1
        while any(neuron is not None for neuron in stages):
            for stage, entry in enumerate(operations, start=1):
                self.compute(entry, stages[stage])
            writing = stages[last]
            self.written = -1 if writing is None else writing
            yield from self.hold(self.neuron(stages[fire]))
            self.finish(stages[last])
            stages = [entering if entering < self.size else None, *stages[:-1]]
            entering += 1

    def neuron(self, number: int | None) -> Neuron | None:
        """The neuron of a stage; there is none in an empty stage or where the program uses fewer."""
        used = number is not None and number < len(self.memories.neurons)
        return self.memories.neurons[number] if used and number is not None else None

    def compute(self, entry: Any, number: int | None) -> None:
        """What the stage of one operation does to its neuron, once."""
        neuron = self.neuron(number)
        if neuron is None:
            return
        if entry is self.profile.operation[0]:
            neuron.spikes = 0
        if entry.unless is None or neuron.read(entry.unless) == 0:
            OPERATIONS[entry.op](entry, neuron)

    def hold(self, firing: Neuron | None) -> Iterator[None]:
        """The clocks that the neuron in the firing stage stays there, one at least."""
        stayed = 0
        while firing is not None and firing.spikes > 0:
            if stayed < firing.spikes - 1:
                self.holds["several_spikes"] += 1
            elif self.output.full():
                self.holds["output_full"] += 1
            else:
                self.spike = (firing.number - self.memories.neurons[0].number, firing.spikes)
                self.output.push(self.spike)
                break
            stayed += 1
            yield
        yield

    def finish(self, number: int | None) -> None:
        """The write stage clears the accumulators that start every tick at 0."""
        neuron = self.neuron(number)
        for name, register in self.profile.regs.items():
            if neuron is not None and register.clear == "tick":
                cleared = [e for e in neuron.registers if e.partition("[")[0] == name]
                neuron.registers.update(dict.fromkeys(cleared, 0))

    def send(self) -> Iterator[None]:
        """SEND; `self.router` is the local input of the router."""
        while True:
            while not self.output.entries:
                yield
            neuron, n = self.output.pop()
            destinations = self.memories.routes[neuron]
            self.sends_next = bool(destinations)
            yield
            for k, destination in enumerate(destinations):
                yield
                while self.router.full():
                    self.holds["send_blocked"] += 1
                    yield
                self.router.push((destination, n))
                self.packets += 1
                self.sends_next = k + 1 < len(destinations)
                yield

    def receive(self) -> Iterator[None]:
        """RECEIVE: two clocks a packet, in UPDATE and DRAIN."""
        while True:
            while not self.received.entries or self.phase in ("INPUT", "DELIVER"):
                yield
            destination, n = self.received.pop()
            self.receives_next = True
            yield
            self.add_to_schedule(self.tick + destination.d, destination.axon, n)
            self.receives_next = False
            yield

    def clock(self) -> None:
        """One clock of all state machines; the phase of the clock is known first."""
        self.spike = None
        self.sends_next, self.receives_next = self.sending, self.receiving
        next(self.engine)
        if self.phase in ("UPDATE", "DRAIN"):
            next(self.sender)
        next(self.receiver)

    def end_clock(self) -> None:
        """What happened in the clock becomes the state of the next."""
        self.sending, self.receiving = self.sends_next, self.receives_next
        self.output.end_clock()
        self.received.end_clock()

    router: Queue
