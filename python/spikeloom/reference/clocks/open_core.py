"""A clock-stepped model of open_core, written from `hw_profiles/open_core.md`: every clock of every core is run.

It computes the spikes itself, word by word and stage by stage, and shares nothing with the other executors
but the twin's operations on one neuron.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from numpy.typing import NDArray

from spikeloom.program.program import ChipProgram
from spikeloom.reference.clocks.core import ClockCore, Queue
from spikeloom.reference.clocks.memories import Destination, load_memories

PORTS = ("L", "E", "W", "N", "S")
STEP = {"E": (1, 0), "W": (-1, 0), "N": (0, -1), "S": (0, 1)}
OPPOSITE = {"E": "W", "W": "E", "N": "S", "S": "N"}


@dataclass(frozen=True)
class Clock:
    """What can be observed in one clock: state when it began, and what happened in it."""

    tick: int
    clock: int
    go: bool
    phase: tuple[str, ...]
    neuron: tuple[int, ...]
    registers: tuple[dict[str, int], ...]  # of the neuron in the write stage, 0 where there is none
    spikes: tuple[tuple[int, int, int], ...]
    output_fifo: tuple[int, ...]
    receive_fifo: tuple[int, ...]
    router: tuple[tuple[int, ...], ...]
    transfers: tuple[tuple[int, int, str], ...]


class Router:
    """Five input queues, and for each output the input that was granted last."""

    def __init__(self, here: tuple[int, int], depth: int) -> None:
        self.here = here
        self.inputs = {port: Queue(depth) for port in PORTS}
        self.granted = dict.fromkeys(PORTS, "L")

    def wants(self, port: str) -> str | None:
        """The output that the first packet of an input goes to."""
        if not self.inputs[port].entries:
            return None
        destination: Destination = self.inputs[port].entries[0][0]
        x, y = self.here
        if destination.x != x:
            return "E" if destination.x > x else "W"
        if destination.y != y:
            return "S" if destination.y > y else "N"
        return "L"

    def choose(self, output: str) -> str | None:
        """The first input after the last granted one, in circular order, whose packet goes there."""
        start = PORTS.index(self.granted[output]) + 1
        order = [*PORTS[start:], *PORTS[:start]]
        return next((port for port in order if self.wants(port) == output), None)


class ClockTwin:
    """A chip that is run one clock at a time."""

    def __init__(self, program: ChipProgram) -> None:
        self.program, noc = program, program.profile.noc
        assert noc is not None
        self.places = [(x, y) for y in range(noc.height) for x in range(noc.width)]
        self.routers = {place: Router(place, noc.buffer) for place in self.places}
        memories = load_memories(program)
        self.cores = {
            place: ClockCore(program.profile, memory, place)
            for place, memory in zip(self.places, memories, strict=False)
        }
        for place, core in self.cores.items():
            core.router = self.routers[place].inputs["L"]
        self.waiting: dict[int, list[tuple[int, int]]] = {}  # tick -> (axon, n) from outside

    def run_tick(self, tick: int, lines: NDArray | list[int]) -> Iterator[Clock]:
        """Every clock of one tick; `lines` are the spike counts of the input lines."""
        self.start(tick, [int(n) for n in lines])
        quiet_since = None
        clock = 0
        while True:
            queues = self.counts()
            for core in self.cores.values():
                core.clock()
            if quiet_since is None and self.quiet():
                quiet_since = clock
            go = quiet_since is not None and clock == quiet_since + 2
            transfers = self.move()
            yield self.observed(tick, clock, go, queues, transfers)
            self.end_clock()
            if go:
                return
            clock += 1

    def start(self, tick: int, lines: list[int]) -> None:
        """Hand every core the spikes from outside that are due in this tick."""
        arrays = self.program.arrays
        for line, n in enumerate(lines):
            for axon in arrays.input_fan_axon[
                arrays.input_fan_start[line] : arrays.input_fan_start[line + 1]
            ]:
                due = tick + self.delay_of(int(axon))
                if n > 0:
                    self.waiting.setdefault(due, []).append((int(axon), n))
        spikes = self.waiting.pop(tick, [])
        for core in self.cores.values():
            first, size = core.memories.first_axon, len(core.memories.rows)
            inputs: dict[int, int] = {}
            for axon, n in spikes:
                if first <= axon < first + size:
                    inputs[axon - first] = inputs.get(axon - first, 0) + n
            core.start_tick(tick, inputs)

    def delay_of(self, axon: int) -> int:
        """The delay of an axon, by its number on the chip."""
        owner = next(
            core.memories
            for core in self.cores.values()
            if core.memories.first_axon <= axon < core.memories.first_axon + len(core.memories.rows)
        )
        return owner.delays[axon - owner.first_axon]

    def quiet(self) -> bool:
        """All cores done, all router and receive buffers empty."""
        queues = [queue for router in self.routers.values() for queue in router.inputs.values()]
        queues += [core.received for core in self.cores.values()]
        return all(core.done() for core in self.cores.values()) and not any(q.entries for q in queues)

    def move(self) -> tuple[tuple[int, int, str], ...]:
        """Every router moves at most one packet to each of its outputs."""
        moved = []
        for (x, y), router in self.routers.items():
            for output in PORTS:
                port = router.choose(output)
                if port is None:
                    continue
                ahead = self.ahead((x, y), output)
                if not ahead.full():
                    ahead.push(router.inputs[port].pop())
                    router.granted[output] = port
                    moved.append((x, y, output))
        return tuple(sorted(moved, key=lambda one: (one[0], one[1], PORTS.index(one[2]))))

    def ahead(self, place: tuple[int, int], output: str) -> Queue:
        """The buffer behind an output."""
        if output == "L":
            return self.cores[place].received
        dx, dy = STEP[output]
        return self.routers[place[0] + dx, place[1] + dy].inputs[OPPOSITE[output]]

    def counts(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[tuple[int, ...], ...]]:
        """Entries of the output, receive and router queues when the clock begins."""
        return (
            tuple(len(core.output.entries) for core in self.cores.values()),
            tuple(len(core.received.entries) for core in self.cores.values()),
            tuple(tuple(len(self.routers[p].inputs[port].entries) for port in PORTS) for p in self.places),
        )

    def observed(self, tick: int, clock: int, go: bool, queues: tuple, transfers: tuple) -> Clock:
        """One clock as the page lists it."""
        cores = list(self.cores.values())
        neurons = [core.neuron(core.written if core.written >= 0 else None) for core in cores]
        profile = self.program.profile
        names = profile.element_names()
        nothing = {name: 0 for name in names if profile.regs[name.partition("[")[0]].clear == "never"}
        spikes = [(k, *core.spike) for k, core in enumerate(cores) if core.spike is not None]
        return Clock(
            tick, clock, go,
            tuple(core.phase for core in cores),
            tuple(core.written for core in cores),
            tuple(nothing if n is None else {e: int(n.registers[e]) for e in nothing} for n in neurons),
            tuple(spikes), queues[0], queues[1], queues[2], transfers,
        )  # fmt: skip

    def end_clock(self) -> None:
        """What happened in the clock becomes the state of the next."""
        for core in self.cores.values():
            core.end_clock()
        for router in self.routers.values():
            for queue in router.inputs.values():
                queue.end_clock()
