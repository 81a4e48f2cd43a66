"""Everything a run gives back."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import EmulationError
from spikeloom.profile.schema import Profile

# Event that each cost of the profile's [energy] belongs to.
COSTED = {
    "synop_j": "synaptic_operations",
    "neuron_access_j": "neuron_updates",
    "neuron_update_j": "neuron_updates",
    "spike_out_j": "spikes",
    "axon_out_j": "packets",
}
STATUSES = ("exec", "code", "paper", "secondary", "derived", "unverified")  # strongest first


@dataclass(frozen=True)
class EnergyReport:
    """Energy of all samples together, as far as the profile states costs.

    total_j: sum of `parts_j`, absent where the profile states no cost; parts_j: cost -> joules; status: the
    weakest provenance behind the total; not_modelled: costs that the profile does not state, which are in no
    total.
    """

    total_j: float | None
    parts_j: Mapping[str, float]
    status: str | None
    not_modelled: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Recording:
    """What a run gives back; see `emulate`.

    outputs: (samples, outputs) float64, reading * scale + offset, in the ANN's units
    counts: population -> (samples, neurons) int32, spikes over the population's window
    spikes: population -> rows (sample, tick, neuron) int32, sorted; a neuron that made n spikes has n rows
    registers: "population.register" -> (samples, ticks, neurons) int32, float64 on an analog soma
    events: "spikes", "input_spikes", "synaptic_operations", "neuron_updates", "packets" (spikes of neurons
        times the axons they go to), "input_packets" -> (samples,) int64, over the whole run
    rules: "register.rule", "delivery.merge", "delivery.spikes_max" -> (samples,) how often it changed a value
    cycles: absent where timing is "none"; effects: imperfections that were applied; notes: what else to know
    """

    outputs: NDArray[np.float64]
    spikes: Mapping[str, NDArray[np.int32]]
    counts: Mapping[str, NDArray[np.int32]]
    registers: Mapping[str, NDArray]
    events: Mapping[str, NDArray[np.int64]]
    rules: Mapping[str, NDArray[np.int64]]
    energy: EnergyReport
    cycles: None = None
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
        facts = {"energy": asdict(self.energy), "effects": self.effects, "notes": self.notes}
        arrays: dict[str, NDArray] = {"outputs": self.outputs, "facts": np.array(json.dumps(facts))}
        for name in ("spikes", "counts", "registers", "events", "rules"):
            arrays |= {f"{name}/{key}": value for key, value in getattr(self, name).items()}
        return arrays


def energy_report(profile: Profile, events: Mapping[str, NDArray[np.int64]]) -> EnergyReport:
    """Costs of the profile times the events of all samples."""
    costs = {name: getattr(profile.energy, name) for name in COSTED}
    parts = {name: cost * int(events[COSTED[name]].sum()) for name, cost in costs.items() if cost is not None}
    return EnergyReport(
        total_j=sum(parts.values()) if parts else None,
        parts_j=parts,
        status=max((_status(profile, name) for name in parts), key=STATUSES.index, default=None),
        not_modelled=tuple(name for name, cost in costs.items() if cost is None),
    )


def _status(profile: Profile, cost: str) -> str:
    """Of the cost itself, else of the whole table; a number without a source is unverified."""
    source = profile.provenance.get(f"energy.{cost}") or profile.provenance.get("energy")
    return source.status if source is not None else "unverified"
