"""Energy of a run: costs of the profile times the events that the run counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation.cycles import CycleReport
from spikeloom.profile.provenance import STATUSES, source_of
from spikeloom.profile.schema import Profile

# Event that each cost of the profile's [energy] belongs to.
COSTED = {
    "synop_j": "synaptic_operations",
    "neuron_access_j": "neuron_updates",
    "neuron_update_j": "neuron_updates",
    "spike_out_j": "spikes",
    "axon_out_j": "packets",
}
# Those that only a run in clocks counts, by its counters.
COSTED_IN_CLOCKS = {
    "synaptic_word_j": "synaptic_words",
    "accumulator_j": "accumulator_words",
    "fifo_push_j": "fifo_pushes",
    "hop_j": "hops",
    "clock_j": "core_clocks",
}


@dataclass(frozen=True)
class EnergyReport:
    """Energy of all samples together, as far as the profile states costs.

    total_j: sum of `parts_j`, absent where the profile states no cost; parts_j: cost -> joules; statuses: cost ->
    the provenance of its figure; status: the weakest of them; not_modelled: costs that the profile does not
    state, which are in no total; not_counted: costs whose events only a run with timing="cycle" counts.
    """

    total_j: float | None
    parts_j: Mapping[str, float]
    statuses: Mapping[str, str]
    status: str | None
    not_modelled: tuple[str, ...]
    not_counted: tuple[str, ...] = ()


def energy_report(
    profile: Profile, events: Mapping[str, NDArray[np.int64]], cycles: CycleReport | None = None
) -> EnergyReport:
    """Costs of the profile times the events of all samples."""
    counted = {cost: events[event] for cost, event in COSTED.items()}
    if cycles is not None:
        clocks = {"core_clocks": cycles.total * cycles.busy.shape[1]} | dict(cycles.counters)
        counted |= {cost: clocks[event] for cost, event in COSTED_IN_CLOCKS.items() if event in clocks}
    costs = {cost: getattr(profile.energy, cost) for cost in (*COSTED, *COSTED_IN_CLOCKS)}
    stated = {cost: joules for cost, joules in costs.items() if joules is not None}
    parts = {cost: stated[cost] * int(n.sum()) for cost, n in counted.items() if cost in stated}
    statuses = {cost: _status(profile, cost) for cost in parts}
    return EnergyReport(
        total_j=sum(parts.values()) if parts else None,
        parts_j=parts,
        statuses=statuses,
        status=max(statuses.values(), key=STATUSES.index, default=None),
        not_modelled=tuple(cost for cost in counted if cost not in stated),
        not_counted=tuple(cost for cost in stated if cost not in counted),
    )


def _status(profile: Profile, cost: str) -> str:
    """A number without a source is unverified."""
    source = source_of(profile, f"energy.{cost}")
    return source.status if source is not None else "unverified"
