"""Everything a run gives back."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation.clock_log import ClockLog
from spikeloom.emulation.cycles import CycleReport
from spikeloom.emulation.energy import EnergyReport
from spikeloom.errors import EmulationError


@dataclass(frozen=True, eq=False)
class Recording:
    """What a run gives back; see `emulate`.

    outputs: (samples, outputs) float64, reading * scale + offset, in the ANN's units
    counts: population -> (samples, neurons) int32, spikes over the population's window
    spikes: population -> rows (sample, tick, neuron) int32, sorted; a neuron that made n spikes has n rows
    registers: "population.register" -> (samples, ticks, neurons) int32, float64 on an analog soma
    (on a chip of the time mode `continuous`, "tick" in spikes and registers is the step)
    events: "spikes", "input_spikes", "synaptic_operations", "neuron_updates", "packets" (spikes of neurons
        times the axons they go to), "input_packets" -> (samples,) int64, over the whole run
    rules: "register.rule", "delivery.merge", "delivery.spikes_max" -> (samples,) how often it changed a value;
        in event mode also "fifo.drop", events dropped, and "fifo.unsettled", drains that were stopped
    clocks: of each sample, every signal of every clock, where "clocks" was recorded
    cycles: absent where timing is "none"; effects: imperfections that were applied; notes: what else to know
    """

    outputs: NDArray[np.float64]
    spikes: Mapping[str, NDArray[np.int32]]
    counts: Mapping[str, NDArray[np.int32]]
    registers: Mapping[str, NDArray]
    events: Mapping[str, NDArray[np.int64]]
    rules: Mapping[str, NDArray[np.int64]]
    energy: EnergyReport
    cycles: CycleReport | None = None
    clocks: tuple[ClockLog, ...] = ()
    effects: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def save(self, path: str | Path) -> None:
        """Write everything to one `.npz` file, atomically; mappings become names such as "counts/fc1".

        Raises EmulationError where the path does not end in `.npz` or cannot be written.
        """
        path = Path(path)
        if path.suffix != ".npz":
            raise EmulationError(f"file {path}", "must end in .npz")
        try:
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
                temporary = Path(file.name)
                try:
                    np.savez_compressed(file, allow_pickle=False, **self._arrays())
                    file.close()
                    temporary.chmod(0o644)
                    temporary.replace(path)
                except BaseException:
                    temporary.unlink(missing_ok=True)
                    raise
        except OSError as error:
            raise EmulationError(f"file {path}", f"cannot be written: {error.strerror or error}") from None

    def _arrays(self) -> dict[str, NDArray]:
        facts: dict[str, object] = {
            "energy": asdict(self.energy),
            "effects": self.effects,
            "notes": self.notes,
        }
        if self.cycles is not None:
            kept = ("controller", "exact", "clock_hz", "not_modelled")
            facts["cycles"] = {name: getattr(self.cycles, name) for name in kept}
        arrays: dict[str, NDArray] = {"outputs": self.outputs, "facts": np.array(json.dumps(facts))}
        for name in ("spikes", "counts", "registers", "events", "rules"):
            arrays |= {f"{name}/{key}": value for key, value in getattr(self, name).items()}
        for sample, log in enumerate(self.clocks):
            arrays |= {f"clocks/{sample}/{key}": value for key, value in log.arrays().items()}
        if self.cycles is not None:
            arrays |= {f"cycles/{key}": value for key, value in self.cycles.arrays().items()}
        return arrays
