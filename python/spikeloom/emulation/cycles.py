"""How many clocks a run took, and where they went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.profile.catalog import list_profiles, load_profile
from spikeloom.profile.schema import Profile

HURRIED = {
    "late": "packets that came after their tick was set were read a tick later, as on the chip",
    "lost": "packets that came while a slot was cleared were lost, as on the chip",
    "lost_ticks": "ticks that came while a core was busy; the spikes shown are those of an unhurried chip",
}
LINEAR_COSTS = ("fixed", "per_neuron", "per_axon", "per_event", "per_spike")
INPUTS = ("L", "E", "W", "N", "S")  # of a router, in their order


@dataclass(frozen=True, eq=False)
class CycleReport:
    """Clocks of a run, as the profile's controller takes them.

    controller: its name; exact: False where clocks are modelled from counts of events
    per_tick: (samples, ticks) int64, clocks of each tick; a chip that a script clocks: since its last reset
    phases: name -> (samples, ticks), clocks of the core that was longest in that phase
    busy: (samples, cores), clocks in which a core worked; `utilisation` is their share of all clocks
    stalls: cause -> (samples,), clocks that something waited
    high_water: "output_fifo", "receive_fifo" -> (samples, cores), "router" -> (samples, inputs of all routers, by
        place and then L, E, W, N, S): most entries at once
    counters: "synaptic_words", "hops", ... -> (samples,)
    missed: (samples,), ticks that were longer than `cycles.tick_clocks`
    clock_hz: of the profile; not_modelled: costs of the controller that the profile does not state
    """

    controller: str
    exact: bool
    per_tick: NDArray[np.int64]
    phases: Mapping[str, NDArray[np.int64]]
    busy: NDArray[np.int64]
    stalls: Mapping[str, NDArray[np.int64]]
    high_water: Mapping[str, NDArray[np.int64]]
    counters: Mapping[str, NDArray[np.int64]]
    missed: NDArray[np.int64]
    clock_hz: float | None
    not_modelled: tuple[str, ...]

    @property
    def total(self) -> NDArray[np.int64]:
        """Clocks of each sample."""
        clocks: NDArray[np.int64] = self.per_tick.sum(axis=1)
        return clocks

    @property
    def seconds(self) -> NDArray[np.float64] | None:
        """Time of each sample, where the profile states the frequency of its clock."""
        return None if self.clock_hz is None else self.total / self.clock_hz

    @property
    def utilisation(self) -> NDArray[np.float64]:
        """(samples, cores): the share of all clocks in which a core worked."""
        shares: NDArray[np.float64] = self.busy / np.maximum(self.total, 1)[:, None]
        return shares

    def arrays(self) -> dict[str, NDArray]:
        """Every array by its name, mappings as "phases/UPDATE"."""
        found = {"per_tick": self.per_tick, "busy": self.busy, "missed": self.missed}
        for group in ("phases", "stalls", "high_water", "counters"):
            found |= {f"{group}/{name}": values for name, values in getattr(self, group).items()}
        return found


def cycle_report(profile: Profile, names: Mapping[str, Any], counted: Mapping[str, NDArray]) -> CycleReport:
    """The core's columns by their names; `profile` has a `[cycles]` table."""
    cycles: Any = profile.cycles
    ticks = counted["ticks"]
    late = ticks > cycles.tick_clocks if cycles.tick_clocks is not None else np.zeros_like(ticks)
    if (
        cycles.controller == "serial_event"
    ):  # its ticks come from outside; the work of one may reach into the next
        late = counted["counters"][:, names["counters"].index("overruns"), None]
    costs = LINEAR_COSTS if cycles.controller == "linear" else ()
    return CycleReport(
        controller=cycles.controller,
        exact=bool(names["exact"]),
        per_tick=ticks,
        phases={name: counted["phases"][:, :, k] for k, name in enumerate(names["phases"])},
        busy=counted["busy"],
        stalls={name: counted["stalls"][:, k] for k, name in enumerate(names["stalls"])},
        high_water=by_buffer(names, counted["high_water"]),
        counters={name: counted["counters"][:, k] for k, name in enumerate(names["counters"])},
        missed=late.sum(axis=1),
        clock_hz=cycles.clock_hz,
        not_modelled=tuple(f"cycles.{cost}" for cost in costs if getattr(cycles, cost) is None),
    )


def hurry_notes(cycles: CycleReport | None) -> tuple[str, ...]:
    """What a run must say whose packets or ticks came too late for the chip."""
    if cycles is None:
        return ()
    counts = {n: int(cycles.counters[n].sum()) for n in HURRIED if n in cycles.counters}
    said = {name: HURRIED[name] for name, n in counts.items() if n}
    return tuple(
        f"{name.replace('_', ' ')} {counts[name]:,}: {what}; raise cycles.tick_clocks"
        for name, what in said.items()
    )


def unsettled_notes(rules: Mapping[str, NDArray[np.int64]]) -> tuple[str, ...]:
    """What a run must say of samples in which the chip's own spikes went on and on."""
    if "fifo.unsettled" not in rules:
        return ()
    samples = int((rules["fifo.unsettled"] > 0).sum())
    return (f"{samples} samples unsettled: a drain was stopped after event.max_events",) if samples else ()


def controller_notes(profile: Profile, cycles: CycleReport | None) -> tuple[str, ...]:
    """What a run in clocks must say where the chip's own profile has another controller."""
    own = None if cycles is None else _own_controller(profile.chip.id)
    if cycles is None or own is None or cycles.controller == own:
        return ()
    return (
        f"clocks are those of the controller {cycles.controller}; that of {profile.chip.name} is another",
    )


@cache
def _own_controller(chip: str) -> str | None:
    """The controller in the profile named after a chip, "" where it states none; None without such a profile."""
    if chip not in list_profiles():
        return None
    return str(getattr(load_profile(chip).cycles, "controller", ""))


def by_buffer(names: Mapping[str, Any], columns: NDArray) -> dict[str, NDArray]:
    """Columns of the last axis, one group a buffer."""
    ends = np.cumsum(names["buffer_sizes"], dtype=np.int64)[:-1]
    return dict(zip(names["buffers"], np.split(columns, ends, axis=-1), strict=False))


@dataclass(frozen=True, eq=False)
class CoreState:
    """One clock of a chip: what registers held when it began, and what happened in it.

    tick: its number; clock: since the tick began; go: it was the tick's last clock
    phase: by core; neuron: (cores,), the neuron in the write stage by its number on the core, -1 where none
    registers: element -> (cores,), what that neuron's registers (accumulators aside) are written with, 0 where
        there is none
    spikes: (core, neuron, n) of each spike that entered an output FIFO
    queues: "output_fifo", "receive_fifo" -> (cores,) entries; "router" -> (height * width, 5), entries of the
        inputs L, E, W, N, S of the router at x, y in row y * width + x
    transfers: (x, y, output) of each packet that a router moved; output "L" is the core
    """

    tick: int
    clock: int
    go: bool
    phase: tuple[str, ...]
    neuron: NDArray[np.int32]
    registers: Mapping[str, NDArray]
    spikes: tuple[tuple[int, int, int], ...]
    queues: Mapping[str, NDArray[np.int32]]
    transfers: tuple[tuple[int, int, str], ...]


def core_state(
    view: Mapping[str, Any],
    names: Mapping[str, Any],
    tick: int,
    first_neurons: NDArray,
    values: Mapping[str, NDArray],
) -> CoreState:
    """The core's view by its names. `values`: element -> (neurons,) after this tick's update."""
    written = np.array(view["written"], dtype=np.int32)
    placed = written < np.diff(first_neurons)  # a core may have more neurons than the program uses
    held = (written >= 0) & placed
    at = np.where(held, first_neurons[:-1] + written, 0)
    queues = by_buffer(names, np.array(view["queues"], dtype=np.int32))
    if "router" in queues:
        queues["router"] = queues["router"].reshape(-1, len(INPUTS))
    return CoreState(
        tick=tick,
        clock=view["clock"],
        go=view["go"],
        phase=tuple(names["phases"][phase] for phase in view["phase"]),
        neuron=written,
        registers={name: np.where(held, array[at], 0) for name, array in values.items()},
        spikes=tuple(view["spikes"]),
        queues=queues,
        transfers=tuple((x, y, INPUTS[output]) for x, y, output in view["transfers"]),
    )
