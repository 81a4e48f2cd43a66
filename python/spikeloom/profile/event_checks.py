"""Soundness of `[event]`: what contradicts the mode of a profile."""

from __future__ import annotations

from collections.abc import Iterator

from spikeloom.profile.event_mode import EventMode
from spikeloom.profile.schema import Profile


def event_findings(profile: Profile) -> Iterator[str]:
    """Every problem, "dotted.key: what is wrong"."""
    event = profile.event
    if (profile.time.mode == "event") != (event is not None):
        yield "event: the table belongs to time.mode = event, which needs it"
    elif event is None:
        yield from _tick_findings(profile)
    else:
        yield from _settings(profile)
        yield from _receptors(profile, event)


def _tick_findings(profile: Profile) -> Iterator[str]:
    if profile.time.spike_latency_ticks < 1:
        yield "time.spike_latency_ticks: is at least 1 in the mode tick"
    for operation in profile.operation:
        if operation.on is not None:
            yield f"operation.{operation.name}.on: only the mode event has kinds of events"


def _settings(profile: Profile) -> Iterator[str]:
    """Fields that have one value only in event mode."""
    time, delivery, limits = profile.time, profile.delivery, profile.limits
    wanted = {
        "chip.synapse": (profile.chip.synapse, "digital"),
        "chip.soma": (profile.chip.soma, "digital"),
        "limits.cores": (limits.cores, 1),
        "limits.memory": (limits.memory, ()),
        "limits.shared_table": (limits.shared_table, ()),
        "time.spike_latency_ticks": (time.spike_latency_ticks, 0),
        "time.delay_scope": (time.delay_scope, "none"),
        "delivery.merge": (delivery.merge, "count"),
        "delivery.spikes_max.input": (delivery.spikes_max.input, None),
        "delivery.spikes_max.recurrent": (delivery.spikes_max.recurrent, None),
        "delivery.accumulate": (delivery.accumulate, "each"),
    }
    for key, (found, needed) in wanted.items():
        if found != needed:
            what = "none" if needed in ((), None) else repr(needed)
            yield f"{key}: is {what} in the mode event, got {found!r}"
    for name, register in profile.regs.items():
        if register.clear != "never":
            yield f"regs.{name}.clear: an event has no end of a tick"


def _receptors(profile: Profile, event: EventMode) -> Iterator[str]:
    if len(event.receptors) != len(profile.delivery.into):
        yield f"event.receptors: needs one kind for each of delivery.into, {len(profile.delivery.into)}"
    if event.receptors[:1] != ("neuron",):
        yield "event.receptors: begins with neuron, the kind of the neurons' own spikes"
    if event.visits == "all" and profile.limits.neurons_per_core is None:
        yield "event.visits: all needs limits.neurons_per_core"
    if event.virtual_targets is not None and "virtual" not in event.receptors:
        yield "event.virtual_targets: no receptor takes virtual events"
    kinds = {"leak", *("virtual" if kind == "virtual" else "synapse" for kind in event.receptors)}
    for operation in profile.operation:
        if operation.op == "alias":
            yield f"operation.{operation.name}.op: an alias sends to other neurons, and an event writes one at a time"
        if operation.on is not None and operation.on not in kinds:
            yield f"operation.{operation.name}.on: there are no events of the kind {operation.on}"
