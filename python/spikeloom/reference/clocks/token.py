"""A clock-stepped model of the controller token with its mesh, written from the profile's description.

One generator a core, one clock a step. The twin computes each tick once its slot is set; its spikes reach their
axons when the mesh brings them there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from spikeloom.program.program import ChipProgram
from spikeloom.reference.clocks.core import Queue
from spikeloom.reference.clocks.memories import Destination
from spikeloom.reference.clocks.open_core import OPPOSITE, PORTS, STEP, Router
from spikeloom.reference.twin import executor as twin
from spikeloom.reference.twin.neuron import Moment

SET_CLOCKS = 2  # of a tick, until its slot is set


class TokenCore:
    """One core: its state in the controller, the slot that its scheduler reads, and the packets it sends."""

    def __init__(self, neurons: int, axons: int, router: Queue) -> None:
        self.neurons, self.axons, self.router = neurons, axons, router
        self.state, self.pointer, self.waited = "IDLE", -1, 0
        self.received = Queue(2)
        self.packets: Mapping[int, Any] = {}  # neuron -> what it sends in this tick
        self.engine: Iterator[None] = iter(())
        self.busy_clocks = 0

    def sample(self, tick: int) -> bool:
        """The edge of a tick; False where it is lost because the core is busy."""
        if self.state not in ("IDLE", "CLEAR"):  # a clock that clears is followed by one in idle
            return False
        self.engine = self.run(tick)
        return True

    def run(self, tick: int) -> Iterator[None]:
        """One tick, state by state; the first clock is the one in idle that samples it."""
        self.state = "IDLE"
        yield
        self.state = "SET"
        yield
        self.pointer = tick
        for neuron in range(self.neurons):
            self.state = "AXONS"
            for _ in range(self.axons):
                yield
            self.state = "WRITE"
            while neuron in self.packets and self.router.full():
                self.waited += 1
                yield
            if neuron in self.packets:
                self.router.push(self.packets[neuron])
            yield
            self.state = "CHECK"
            yield
        self.state = "CLEAR"
        yield
        self.state = "IDLE"

    def clock(self) -> None:
        """One clock; a core without a tick stays idle."""
        next(self.engine, None)
        self.busy_clocks += self.state != "IDLE"


class TokenTwin:
    """All cores and routers, from one tick to the next."""

    def __init__(self, program: ChipProgram) -> None:
        profile: Any = program.profile
        self.program, self.cycles, self.width = program, profile.cycles, profile.noc.width
        places = [(x, y) for y in range(profile.noc.height) for x in range(self.width)]
        self.routers = {place: Router(place, profile.noc.buffer) for place in places}
        sizes = profile.limits.neurons_per_core, profile.limits.in_axons_per_core
        used = places[: program.n_cores]
        self.cores = {place: TokenCore(*sizes, self.routers[place].inputs["L"]) for place in used}
        self.chip = twin._Chip(program, {}, Moment())
        self.latency, self.computed = profile.time.spike_latency_ticks, -1
        self.late = self.lost = self.lost_ticks = self.hops = 0

    def run_tick(self, tick: int, lines: list[int]) -> list[tuple]:
        """(states, router entries, transfers) of every clock up to the next tick; lines: spikes from outside."""
        took = [core.sample(tick) for core in self.cores.values()]
        self.lost_ticks += took.count(False)
        clocks = []
        for clock in range(self.cycles.tick_clocks):
            if clock == SET_CLOCKS:
                self.compute(tick, lines, took)
            queues = tuple(tuple(len(r.inputs[p].entries) for p in PORTS) for r in self.routers.values())
            for core in self.cores.values():
                core.clock()
            for core in self.cores.values():
                self.receive(core)
            moved = self.move()
            clocks.append((tuple(core.state for core in self.cores.values()), queues, moved))
            self.end_clock()
        return clocks

    def fired(self) -> list[int]:
        """The neurons that fired in the tick that was computed last."""
        return [neuron.number for neuron in self.chip.neurons if neuron.spikes]

    def compute(self, tick: int, lines: list[int], took: list[bool]) -> None:
        """The tick itself; what a core sends that lost it is in time, as without clocks."""
        self.chip.compute(tick, lines)
        self.computed = tick
        for number, core in enumerate(self.cores.values()):
            packets = self.packets(number, tick)
            if took[number]:
                core.packets = packets
            else:
                for route, _ in packets.values():
                    self.chip.send([route.axon], 1, tick + self.latency)

    def packets(self, core: int, tick: int) -> dict[int, Any]:
        """What the neurons of a core send that fired in this tick, by their number on the core."""
        arrays, found = self.program.arrays, {}
        first, stop = arrays.core_neuron_start[core : core + 2]
        for neuron in (n for n in self.fired() if first <= n < stop):
            for axon in arrays.neuron_fan_axon[
                arrays.neuron_fan_start[neuron] : arrays.neuron_fan_start[neuron + 1]
            ]:
                there = max(c for c in range(self.program.n_cores) if arrays.core_axon_start[c] <= axon)
                template = arrays.axon_template[axon]
                delay = int(arrays.run_delay[arrays.template_run_start[template]])
                route = Destination(there % self.width, there // self.width, int(axon), delay)
                found[int(neuron - first)] = (route, tick + self.latency + delay)
        return found

    def receive(self, core: TokenCore) -> None:
        """The scheduler writes what the router gave it in the clock before."""
        if not core.received.entries:
            return
        route, due = core.received.pop()
        if core.state == "CLEAR":
            self.lost += 1
            return
        read = max(core.pointer + self.latency, self.computed + 1)  # a tick that was computed has gone by
        self.late += read + route.d != due
        self.chip.send([route.axon], 1, read)

    def move(self) -> tuple[tuple[int, int, str], ...]:
        """One packet at most for each output of each router."""
        moved = []
        for (x, y), router in self.routers.items():
            for output in PORTS:
                port = router.choose(output)
                if port is None:
                    continue
                dx, dy = STEP.get(output, (0, 0))
                ahead = (
                    self.cores[x, y].received
                    if output == "L"
                    else self.routers[x + dx, y + dy].inputs[OPPOSITE[output]]
                )
                if not ahead.full():
                    ahead.push(router.inputs[port].pop())
                    router.granted[output] = port
                    moved.append((x, y, output))
        self.hops += len(moved)
        return tuple(sorted(moved, key=lambda one: (one[0], one[1], PORTS.index(one[2]))))

    def end_clock(self) -> None:
        """What happened in the clock becomes the state of the next."""
        queues = [queue for router in self.routers.values() for queue in router.inputs.values()]
        for queue in [*queues, *(core.received for core in self.cores.values())]:
            queue.end_clock()
