"""A clock-stepped model of the controller token with its mesh, written from the profile's description.

Spikes are given: it says only when what happens. One generator a core, one clock a step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from spikeloom.program.program import ChipProgram
from spikeloom.reference.clocks.core import Queue
from spikeloom.reference.clocks.memories import Destination
from spikeloom.reference.clocks.open_core import OPPOSITE, PORTS, STEP, Router


class TokenCore:
    """One core: its state in the controller, the slot that its scheduler reads, and the packets it sends."""

    def __init__(self, neurons: int, axons: int, router: Queue) -> None:
        self.neurons, self.axons, self.router = neurons, axons, router
        self.state, self.pointer, self.waited = "IDLE", -1, 0
        self.received = Queue(2)
        self.engine: Iterator[None] = iter(())
        self.busy_clocks = 0

    def sample(self, tick: int, packets: Mapping[int, Any]) -> bool:
        """The edge of a tick; False where it is lost because the core is busy. packets: neuron -> what it sends."""
        if self.state not in ("IDLE", "CLEAR"):  # a clock that clears is followed by one in idle
            return False
        self.engine = self.run(tick, packets)
        return True

    def run(self, tick: int, packets: Mapping[int, Any]) -> Iterator[None]:
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
            while neuron in packets and self.router.full():
                self.waited += 1
                yield
            if neuron in packets:
                self.router.push(packets[neuron])
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
        self.late = self.lost = self.lost_ticks = self.hops = 0

    def run_tick(self, tick: int, fired: Sequence[int]) -> list[tuple]:
        """(states, router entries, transfers) of every clock up to the next tick; fired: neurons."""
        for number, place in enumerate(self.cores):
            self.lost_ticks += not self.cores[place].sample(tick, self.packets(number, tick, fired))
        clocks = []
        for _ in range(self.cycles.tick_clocks):
            queues = tuple(tuple(len(r.inputs[p].entries) for p in PORTS) for r in self.routers.values())
            for core in self.cores.values():
                core.clock()
            for core in self.cores.values():
                self.receive(core)
            moved = self.move()
            clocks.append((tuple(core.state for core in self.cores.values()), queues, moved))
            self.end_clock()
        return clocks

    def packets(self, core: int, tick: int, fired: Sequence[int]) -> dict[int, Any]:
        """What the neurons of a core send that fired in this tick, by their number on the core."""
        arrays, found = self.program.arrays, {}
        first, stop = arrays.core_neuron_start[core : core + 2]
        for neuron in (n for n in fired if first <= n < stop):
            for axon in arrays.neuron_fan_axon[
                arrays.neuron_fan_start[neuron] : arrays.neuron_fan_start[neuron + 1]
            ]:
                there = max(c for c in range(self.program.n_cores) if arrays.core_axon_start[c] <= axon)
                template = arrays.axon_template[axon]
                delay = int(arrays.run_delay[arrays.template_run_start[template]])
                route = Destination(there % self.width, there // self.width, int(axon), delay)
                found[int(neuron - first)] = (route, tick + 1 + delay)
        return found

    def receive(self, core: TokenCore) -> None:
        """The scheduler writes what the router gave it in the clock before."""
        if not core.received.entries:
            return
        route, due = core.received.pop()
        if core.state == "CLEAR":
            self.lost += 1
        elif core.pointer + route.d + 1 != due:
            self.late += 1

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
