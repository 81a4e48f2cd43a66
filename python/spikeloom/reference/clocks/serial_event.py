"""The twin's clocks of event mode: the controller `serial_event`, one clock after the other.

What registers hold when a clock begins decides what happens in it; what they take over at its end is seen in the
next clock.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from spikeloom.program.program import ChipProgram
from spikeloom.reference.compare import Trace
from spikeloom.reference.twin import executor as twin
from spikeloom.reference.twin.event import Event, EventTicks, Loaded, leaks
from spikeloom.reference.twin.loading import trace_of
from spikeloom.reference.twin.neuron import Moment


@dataclass(frozen=True)
class ClockedTrace:
    """A run in clocks.

    phases: for each tick, the clocks spent in each state; counters: "requests", "late" (which found the chip at
    work), "overruns" (ticks whose work was not done at their end), "popped", and "output", the clocks in which all
    counters stood still
    """

    trace: Trace
    phases: Sequence[Counter[str]]
    counters: Counter[str]


def run_serial_event(program: ChipProgram, spikes: NDArray, *, ticks: int | None = None) -> ClockedTrace:
    """Run one sample clock by clock; the parameters are those of `run_twin`."""
    chip = twin._Chip(program, {}, Moment())
    clocked = SerialEvents(chip)
    counts, rows = [], []
    for tick in range(len(spikes) if ticks is None else ticks):
        clocked.run_tick(tick, [int(n) for n in spikes[tick]] if tick < len(spikes) else [])
        counts.append([neuron.spikes for neuron in chip.neurons])
        rows.append([list(neuron.registers.values()) for neuron in chip.neurons])
    return ClockedTrace(trace_of(program, counts, rows, chip.rules), clocked.phases, clocked.counters)


@dataclass
class Request:
    """What the partner asks for, at the earliest in this clock. No event: a leak of all neurons."""

    clock: int
    event: Event | None
    arrived: bool = field(default=False)

    @property
    def state(self) -> str:
        """The state that serves it."""
        if self.event is None:
            return "LEAK"
        return "SYNAPSE" if self.event.kind == "synapse" else "PUSH"


class SerialEvents(EventTicks):
    """The controller, its two links, and the partner behind them."""

    def __init__(self, chip: Loaded) -> None:
        super().__init__(chip)
        self.cycles: Any = chip.profile.cycles
        everyone = self.event.visits == "all"
        visited = chip.profile.limits.neurons_per_core if everyone else len(chip.neurons)
        self.sweep = 2 * (visited or 0)
        self.now = 0
        self.state, self.place, self.down = "WAIT", 0, 0
        self.requests: deque[Request] = deque()
        self.line: Request | None = None  # the request that the partner holds up
        self.request_sync = [False, False]
        self.busy = self.asking = self.answered = False  # the output, its request, and the partner's answer
        self.asking_for = 0  # clocks since `asking` changed
        self.answer_sync = [False, False, False]
        self.spiked = False
        self.phases: list[Counter[str]] = []
        self.counters: Counter[str] = Counter()

    def run_tick(self, tick: int, lines: Sequence[int]) -> None:
        """`tick_clocks` clocks; what is not done by then goes on in the next tick."""
        self.spikes = [0] * len(self.neurons)
        self.phases.append(Counter())
        self.ask(tick, lines)
        for _ in range(self.cycles.tick_clocks):
            self.clock()
        self.counters["overruns"] += not self.is_idle() or bool(self.requests)
        for neuron, n in zip(self.neurons, self.spikes, strict=True):
            neuron.spikes = n

    def ask(self, tick: int, lines: Sequence[int]) -> None:
        """The requests of a tick: its inputs, then the leak."""
        asked: list[Event | None] = []
        for line, event in self.inputs.items():
            for _ in range(lines[line] if line < len(lines) else 0):
                asked += [event] if event.kind == "neuron" else event.singles()
        if leaks(self.event, tick):
            asked.append(None)
        for k, event_or_leak in enumerate(asked):
            self.requests.append(Request(self.now + k * self.cycles.aer.input_gap, event_or_leak))

    def is_idle(self) -> bool:
        """Nothing happens, and nothing is on its way."""
        waiting = any(request.arrived for request in self.requests)
        return self.state == "WAIT" and not (self.fifo or self.busy or waiting or any(self.request_sync))

    def clock(self) -> None:
        """One clock."""
        self.arrive()
        self.phases[-1][self.state] += 1
        self.drive_input()
        self.drive_output()
        self.spiked = False
        if self.busy and self.state != "REQUEST_DOWN":
            self.counters["output"] += 1
        else:
            self.act()
        self.take_over()
        self.now += 1

    def arrive(self) -> None:
        """Requests whose time has come, one after the other; those that do not find the chip idle are late."""
        for request in self.requests:
            if request.clock > self.now:
                break
            if not request.arrived:
                self.counters["late"] += not self.is_idle()
                request.arrived = True

    def drive_input(self) -> None:
        """The partner raises a request while there is no acknowledge, and lets it fall after one."""
        acknowledged = self.state == "REQUEST_DOWN"
        if self.line is not None and acknowledged and self.down >= self.cycles.aer.req_fall:
            self.line = None
            self.requests.popleft()
            self.counters["requests"] += 1
        elif self.line is None and not acknowledged and self.requests and self.requests[0].arrived:
            self.line = self.requests[0]
        self.down = self.down + 1 if acknowledged else 0

    def drive_output(self) -> None:
        """The partner answers the output's request, and takes its answer back."""
        wait = self.cycles.aer.ack_rise if self.asking else self.cycles.aer.ack_fall
        if self.asking_for >= wait:
            self.answered = self.asking

    def act(self) -> None:
        """What the state does in this clock."""
        if self.state == "WAIT":
            self.decide()
        elif self.state in ("LEAK", "POP"):
            self.visit_all()
        elif self.state in ("SYNAPSE", "POP_VIRTUAL"):
            self.visit_one()
        elif self.state == "PUSH":
            assert self.requests[0].event is not None
            self.push(self.requests[0].event)
            self.enter("REQUEST_DOWN")
        elif self.state == "TAIL":
            self.place += 1
            if self.place == self.cycles.pop_tail:
                self.leave_fifo()
        elif not self.request_sync[1]:
            self.enter("WAIT")

    def decide(self) -> None:
        """A full FIFO first, then a request, then the FIFO."""
        if len(self.fifo) < self.event.fifo_depth and self.request_sync[1]:
            self.enter(self.requests[0].state)
        elif self.fifo:
            self.enter("POP" if self.fifo[0].kind == "neuron" else "POP_VIRTUAL")

    def enter(self, state: str) -> None:
        """Another state from the next clock on."""
        self.state, self.place = state, 0

    def visit_all(self) -> None:
        """Neuron j is read in clock 2j and written in clock 2j + 1."""
        number, writes = divmod(self.place, 2)
        if writes and number < len(self.neurons):
            self.write(number, None if self.state == "LEAK" else self.fifo[0])
        self.place += 1
        if self.place == self.sweep:
            if self.state == "LEAK":
                self.enter("REQUEST_DOWN")
            elif self.cycles.pop_tail:
                self.enter("TAIL")
            else:
                self.leave_fifo()

    def visit_one(self) -> None:
        """A single neuron is read, then written."""
        event = self.requests[0].event if self.state == "SYNAPSE" else self.fifo[0]
        self.place += 1
        if self.place < 2:
            return
        assert event is not None
        self.write(next(iter(event.weights)), event)
        if self.state == "SYNAPSE":
            self.enter("REQUEST_DOWN")
        else:
            self.leave_fifo()

    def write(self, number: int, event: Event | None) -> None:
        """One write of a neuron, and the operations that follow it; no event is the leak."""
        neuron = self.neurons[number]
        if event is not None:
            neuron.write(event.element, neuron.read(event.element) + event.weights.get(number, 0))
        before = self.spikes[number]
        self.operate(neuron, "leak" if event is None else "virtual" if event.kind == "virtual" else "synapse")
        self.spiked = self.spikes[number] > before

    def leave_fifo(self) -> None:
        """The popped event leaves its place."""
        self.fifo.popleft()
        self.counters["popped"] += 1
        self.enter("WAIT")

    def take_over(self) -> None:
        """What registers take over at the end of the clock."""
        self.request_sync = [self.line is not None, self.request_sync[0]]
        first, second, before = self.answer_sync
        asking = self.asking
        if self.spiked:
            asking = self.busy = True
        elif second:
            asking, self.busy = False, True
        elif before:
            asking = self.busy = False
        self.asking_for = 0 if asking != self.asking else self.asking_for + 1
        self.asking = asking
        self.answer_sync = [self.answered, first, second]
