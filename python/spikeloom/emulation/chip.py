"""One emulated chip that a script clocks itself."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.emulation.cycles import CoreState, CycleReport, core_state, cycle_report
from spikeloom.emulation.encoding import checked_counts
from spikeloom.emulation.instance import chosen_chip
from spikeloom.emulation.loading import core_program, program_hash
from spikeloom.emulation.options import check_timing, checked_seed
from spikeloom.errors import EmulationError
from spikeloom.program.program import ChipProgram

MAGIC = b"spikeloom chip state 1\n"
DIGEST = 32  # bytes of a SHA-256


class Chip:
    """Samples of one program side by side, run tick by tick.

    Parameters
    ----------
    program : what the chip loads. Where the host computes a first layer, its bias is the program's own.
    samples : chips with the same program, each in a state of its own.
    chip_seed, trial_seed, age_s, effects, timing : as in `emulate`.
    """

    def __init__(
        self,
        program: ChipProgram,
        *,
        samples: int = 1,
        chip_seed: int | None = None,
        trial_seed: int = 0,
        age_s: float = 0.0,
        effects: Collection[str] | None = None,
        timing: str = "none",
    ) -> None:
        from spikeloom import _core

        check_timing(timing, program)
        chip = chosen_chip(program, chip_seed, age_s, effects)
        if isinstance(samples, bool) or not isinstance(samples, (int, np.integer)) or samples < 1:
            raise EmulationError("samples", "must be an integer of at least 1", value=repr(samples))
        self._program = program
        self._samples = int(samples)
        self._timing = timing
        self._core = core_program(program, chip)
        self._chip = _core.Chip(self._core, self._samples, timing == "cycle", checked_seed(trial_seed))
        who = f"{program_hash(program)} {self._samples} {timing} {chip} {trial_seed}"
        self._tag = hashlib.sha256(who.encode()).digest()

    @property
    def ticks(self) -> int:
        """Ticks since the initial state."""
        return int(self._chip.ticks)

    def tick(self, spikes: ArrayLike | None = None) -> NDArray:
        """Run one tick.

        Parameters
        ----------
        spikes : (samples, lines) bool, or counts from 0 to 255; none where absent.

        Returns (samples, outputs): this tick's spike counts, or the register's value after it, unscaled, in
        the order of the program's outputs. Raises EmulationError where a register left its width under
        `trap`; the chip then stands still until it is reset or restored.
        """
        fired = self._chip.tick(self._lines(spikes))
        columns = [np.zeros((self._samples, 0), dtype=np.int32)]
        for port in self._program.outputs:
            readable = fired if port.read == "spikes" else self._element(port.read)
            columns.append(readable[:, port.neurons])
        return np.concatenate(columns, axis=1)

    def clock(self, spikes: ArrayLike | None = None, *, clocks: int = 1) -> CoreState:
        """Run one clock of the cores, or several of one tick, and show the last of them.

        Parameters
        ----------
        spikes : (1, lines) as in `tick`; taken by the first clock of a tick only.
        clocks : run so many, or to the end of the tick if that comes first. Stretches in which nothing is
            decided are skipped, which changes no value.

        A tick is over at a clock that shows `go`. Needs samples=1, timing="cycle", and a controller that is
        exact; raises EmulationError otherwise.
        """
        if self._program.profile.cycles is None or self._timing != "cycle":
            subject = f"profile {self._program.profile.name}"
            problem = 'describes no clock-by-clock controller, or the chip was opened without timing="cycle"'
            raise EmulationError(subject, problem, remedy="use tick()")
        tick = self.ticks
        self._chip.clock(self._lines(spikes), int(clocks))
        regs = self._program.profile.regs
        accumulators = {name for name in self._core.elements if regs[name.partition("[")[0]].clear == "tick"}
        values = {name: self._element(name)[0] for name in self._core.elements if name not in accumulators}
        first_neurons = self._program.arrays.core_neuron_start
        return core_state(self._chip.view(), self._core.cycle_names, tick, first_neurons, values)

    @property
    def cycles(self) -> CycleReport | None:
        """Clocks since the last reset or restore; absent where timing is "none"."""
        if self._timing != "cycle":
            return None
        return cycle_report(self._program.profile, self._core.cycle_names, self._chip.cycles())

    def registers(self, population: str) -> Mapping[str, NDArray]:
        """Register element -> (samples, neurons) its values after the last tick."""
        names = [placed.name for placed in self._program.populations]
        if population not in names:
            raise EmulationError(f"population {population}", "does not exist", limit=", ".join(names))
        neurons = self._program.populations[names.index(population)].neurons
        return {name: self._element(name)[:, neurons] for name in self._program.profile.element_names()}

    def state(self) -> bytes:
        """Everything that changes, to be given to `restore` of a chip with the same program and samples."""
        payload = self._chip.save()
        return MAGIC + self._tag + hashlib.sha256(payload).digest() + payload

    def restore(self, state: bytes) -> None:
        """Go back to a state.

        EmulationError where it is damaged or of another program; the chip is then as it was.
        """
        if not isinstance(state, bytes) or not state.startswith(MAGIC):
            raise EmulationError("chip state", "is no state of a chip")
        tag, digest = state[len(MAGIC) :][:DIGEST], state[len(MAGIC) + DIGEST :][:DIGEST]
        payload = state[len(MAGIC) + 2 * DIGEST :]
        if tag != self._tag:
            raise EmulationError("chip state", "belongs to another program or number of samples")
        if hashlib.sha256(payload).digest() != digest:
            raise EmulationError("chip state", "is damaged")
        self._chip.restore(payload)

    def reset(self) -> None:
        """Back to the program's initial state."""
        self._chip.reset()

    def _element(self, name: str) -> NDArray:
        return self._chip.registers(self._core.elements.index(name))

    def _lines(self, spikes: ArrayLike | None) -> NDArray[np.uint8] | None:
        if spikes is None:
            return None
        counts = np.asarray(spikes)
        wanted = (self._samples, self._program.n_inputs)
        if counts.shape != wanted:
            raise EmulationError("spikes", "have the wrong shape", value=counts.shape, limit=wanted)
        return np.ascontiguousarray(checked_counts(counts))
