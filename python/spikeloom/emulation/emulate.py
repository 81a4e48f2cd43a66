"""Run samples through the emulated chip."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.emulation import options
from spikeloom.emulation.clock_log import ClockLog
from spikeloom.emulation.cycles import (
    CycleReport,
    controller_notes,
    cycle_report,
    hurry_notes,
    unsettled_notes,
)
from spikeloom.emulation.energy import energy_report
from spikeloom.emulation.inputs import CheckedInputs, Inputs, check_inputs, checked_ids
from spikeloom.emulation.instance import chosen_chip
from spikeloom.emulation.loading import core_program
from spikeloom.emulation.options import Draws, check_timing, checked_seed, worker_count
from spikeloom.emulation.raw_results import by_register, int32, joined, one, spikes_by_population
from spikeloom.emulation.recording import Recording
from spikeloom.errors import EmulationError, names_chip
from spikeloom.program.program import ChipProgram, Placed, Port

if TYPE_CHECKING:
    from spikeloom import _core

Progress = Callable[[str, int, int], None]  # what is done, how much of it, of how much

EVENTS = ("spikes", "input_spikes", "synaptic_operations", "neuron_updates", "packets", "input_packets")
CHUNK_SECONDS = 0.2  # between two looks for an interrupt
CHUNK_BYTES = 64e6  # of encoded input and probes of one chunk


@names_chip
def emulate(
    program: ChipProgram,
    inputs: Inputs,
    *,
    ticks: int | None = None,
    chip_seed: int | None = None,
    trial_seed: int = 0,
    sample_ids: ArrayLike | None = None,
    age_s: float = 0.0,
    effects: Collection[str] | None = None,
    timing: Literal["none", "cycle"] = "none",
    record: Collection[str] = (),
    threads: int | None = None,
    progress: Progress | None = None,
) -> Recording:
    """Run samples through the emulated chip, each from the program's initial state.

    The result does not depend on `threads`, nor on how samples are grouped: one sample repeated alone gives
    its bytes.

    Parameters
    ----------
    program : what the chip loads.
    inputs : (samples, channels) values, encoded as the program's input says; (samples, ticks, lines) spike
        counts where its encoding is "spikes". Several inputs: a mapping from name to array, or their columns
        in order. Values beyond the range of the input's scale are clipped, and counted in `Recording.notes`.
    ticks : length of the window; the program's own unless given.
    chip_seed, age_s, effects : the chip instance: the seed of its frozen draws (the program's own, else 0), the
        seconds since it was programmed, and the names of the imperfections that act; all of the profile's
        unless given, `()` is the ideal chip.
    trial_seed, sample_ids : of temporal noise and of the encoding "bernoulli"; a sample's id is the number
        that its draws have, its row unless given.
    timing : "cycle" also counts clocks, and needs a profile with a `[cycles]` table.
    record : "population.spikes", or "population.register" for its values after every tick (step, where the
        profile divides its tick); "clocks" for every signal of every clock, with timing="cycle" and the
        controller `open_core`.
    threads : samples in parallel, and on a chip of several large cores the cores of each sample where there are
        fewer samples than threads; all processors unless given. Clocks of a sample are counted on one thread, and
        a chip in event mode has one core. Threads that share a sample meet in every tick: where other programs
        have the processors, one thread is faster.
    progress : called with ("samples", done, all) now and then.

    Raises
    ------
    EmulationError
        Inputs of the wrong shape or with NaN, an unknown name in `record`, something the profile does not
        have, or a register that left its width under the rule `trap`.
    """
    check_timing(timing, program)
    chip = chosen_chip(program, chip_seed, age_s, effects)
    workers = worker_count(threads)
    core = core_program(program, chip)
    checked = check_inputs(program, inputs, ticks)
    draws = Draws(checked_seed(trial_seed), checked_ids(sample_ids, checked.samples), chip.effects)
    plan = _Plan.make(program, checked, record, timing, draws)
    parts: list[dict[str, Any]] = []
    for first, stop in _chunks(checked, plan, workers):
        parts.append(plan.run(core, first, stop, workers))
        if progress is not None:
            progress("samples", stop, checked.samples)
    if not parts:
        parts.append(plan.run(core, 0, 0, 1))
    return plan.recording(core, parts)


@dataclass(frozen=True, eq=False)
class _Plan:
    """What one run records, in the core's own numbers."""

    program: ChipProgram
    checked: CheckedInputs
    traced: tuple[Placed, ...]  # populations whose spikes are listed
    probes: tuple[tuple[str, str, Placed], ...]  # name, element, population
    ports: tuple[Port, ...]
    timing: str
    draws: Draws
    clocks: bool
    bytes_per_sample: int = field(default=1)

    @staticmethod
    def make(
        program: ChipProgram, checked: CheckedInputs, record: Collection[str], timing: str, draws: Draws
    ) -> _Plan:
        clocks = "clocks" in record
        traced, probes = _recorded(program, record)
        steps = program.profile.time.steps_per_tick
        run_ticks = checked.ticks * steps + max((placed.depth for placed in program.populations), default=0)
        wide = 8 if program.profile.is_analog else 4
        recorded = sum(placed.neurons.size for _, _, placed in probes) * run_ticks * wide
        size = max(1, checked.ticks * program.n_inputs + recorded + 8 * program.n_neurons)
        return _Plan(program, checked, traced, probes, program.outputs, timing, draws, clocks, size)

    @property
    def window(self) -> int:
        """The window in the core's unit, the tick or the step."""
        return self.checked.ticks * self.program.profile.time.steps_per_tick

    @property
    def run_ticks(self) -> int:
        return self.window + int(self.program.depths.max(initial=0))

    def run(self, core: _core.Program, first: int, stop: int, workers: int) -> dict[str, Any]:
        """Samples [first, stop) on the core."""
        encoded = self.checked.encoded(first, stop, self.draws.trial_seed, self.draws.ids)
        element = {name: k for k, name in enumerate(core.elements)} if self._reads_registers else {}
        placed = {p.name: p for p in self.program.populations} if encoded.biases else {}
        traced = np.zeros(self.program.n_neurons if self.traced else 0, dtype=np.uint8)
        for population in self.traced:
            traced[population.neurons] = 1
        result = core.run(
            encoded.spikes,
            ticks=self.run_ticks,
            window=self.window,
            depths=self.program.depths,
            probes=[(element[name], p.neurons) for _, name, p in self.probes],
            readings=[
                (element[port.read], np.asarray(port.neurons), self._reading_tick(port))
                for port in self._register_ports()
            ],
            traced=traced,
            overrides=[
                (str(self.program.profile.bias.param), placed[name].neurons, values)
                for name, values in encoded.biases.items()
            ],
            cycles=self.timing == "cycle",
            clocks=self.clocks,
            threads=workers,
            neurons_per_thread=options.NEURONS_PER_THREAD,
            trial_seed=self.draws.trial_seed,
            sample_ids=self.draws.ids[first:stop].tolist(),
        )
        if self.traced:
            result["spikes"][:, 0] += first
        return result

    def recording(self, core: _core.Program, parts: list[dict[str, Any]]) -> Recording:
        """All chunks as one."""
        counts = int32(joined(parts, "counts"))
        events = dict(zip(EVENTS, joined(parts, "events").T, strict=True))
        cycles = self._cycles(core, parts)
        rules = by_register(core.counters, joined(parts, "rules"))
        return Recording(
            outputs=self._outputs(counts, parts),
            spikes=spikes_by_population(self.traced, self.program.n_neurons, joined(parts, "spikes")),
            counts={p.name: counts[:, p.columns] for p in self.program.populations},
            registers={
                name: one([part["probes"][k] for part in parts]) for k, (name, _, _) in enumerate(self.probes)
            },
            events=events,
            rules=rules,
            energy=energy_report(self.program.profile, events, cycles),
            cycles=cycles,
            clocks=tuple(ClockLog(*log) for part in parts for log in part.get("clocks", [])),
            effects=self.draws.effects,
            notes=(
                *self.checked.clipped(),
                *unsettled_notes(rules),
                *hurry_notes(cycles),
                *controller_notes(self.program.profile, cycles),
            ),
        )

    def _cycles(self, core: _core.Program, parts: list[dict[str, Any]]) -> CycleReport | None:
        if self.timing != "cycle":
            return None
        counted = {name: joined([part["cycles"] for part in parts], name) for name in parts[0]["cycles"]}
        return cycle_report(self.program.profile, core.cycle_names, counted)

    @property
    def _reads_registers(self) -> bool:
        return bool(self.probes) or any(port.read != "spikes" for port in self.ports)

    def _register_ports(self) -> list[Port]:
        return [port for port in self.ports if port.read != "spikes"]

    def _reading_tick(self, port: Port) -> int:
        """The last tick of the window of the port's population."""
        return int(self.program.depths[port.neurons].max(initial=0)) + self.window - 1

    def _outputs(self, counts: NDArray, parts: list[dict[str, Any]]) -> NDArray[np.float64]:
        columns = [self._readings(port, counts, parts) for port in self.ports]
        return columns[0] if len(columns) == 1 else np.concatenate([np.zeros((len(counts), 0)), *columns], 1)

    def _readings(self, port: Port, counts: NDArray, parts: list[dict[str, Any]]) -> NDArray[np.float64]:
        """What an output says, in the ANN's units."""
        if port.read == "spikes":
            reading = counts[:, port.neurons]
        else:
            k = next(i for i, other in enumerate(self._register_ports()) if other is port)
            reading = one([part["readings"][k] for part in parts])
        scale = 1.0 if port.scale is None else port.scale
        offset = 0.0 if port.offset is None else port.offset
        return np.asarray(reading.astype(np.float64) * scale + offset)


def _recorded(
    program: ChipProgram, record: Collection[str]
) -> tuple[tuple[Placed, ...], tuple[tuple[str, str, Placed], ...]]:
    """Populations whose spikes are listed, and (name, element, population) of the registers to probe."""
    if isinstance(record, str):
        raise EmulationError("record", "must be a list of names", value=record)
    if not record:
        return (), ()
    elements = program.profile.element_names()
    known = {f"{p.name}.{what}": (what, p) for p in program.populations for what in ("spikes", *elements)}
    for name in record:
        if name not in known and name != "clocks":
            raise EmulationError(
                f"record {name}", "names nothing that can be recorded", limit=_some(list(known))
            )
    chosen = {name: known[name] for name in record if name != "clocks"}
    traced = tuple(placed for what, placed in chosen.values() if what == "spikes")
    return traced, tuple((name, what, placed) for name, (what, placed) in chosen.items() if what != "spikes")


def _some(names: list[str], most: int = 20) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def _chunks(checked: CheckedInputs, plan: _Plan, workers: int) -> Any:
    """(first, stop) of the samples to run next: few at first, then what keeps a chunk short and small."""
    most = max(1, int(CHUNK_BYTES / plan.bytes_per_sample))
    first, size = 0, workers
    while first < checked.samples:
        stop = min(checked.samples, first + min(size, most))
        started = time.perf_counter()
        yield first, stop
        seconds = max(time.perf_counter() - started, 1e-6)
        size = max(workers, min(4 * size, int((stop - first) / seconds * CHUNK_SECONDS)))
        first = stop
