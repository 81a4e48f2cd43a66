"""Does `[cycles]` fit the rest of its profile? Findings as in `checks.py`."""

from __future__ import annotations

from collections.abc import Iterator

from spikeloom.profile.cycle_tables import OpenCore, Token
from spikeloom.profile.schema import Profile


def cycle_findings(profile: Profile) -> Iterator[str]:
    """What the controller needs and the profile does not have."""
    yield from _mesh(profile)
    if isinstance(profile.cycles, OpenCore | Token):
        yield from _sizes(profile, profile.cycles.controller)
    if isinstance(profile.cycles, OpenCore):
        yield from _open_core(profile, profile.cycles)
    if isinstance(profile.cycles, Token):
        yield from _token(profile, profile.cycles)
    yield from _event(profile)


def _mesh(profile: Profile) -> Iterator[str]:
    if profile.noc is None:
        return
    places = profile.noc.width * profile.noc.height
    if profile.limits.cores is not None and profile.limits.cores > places:
        yield f"limits.cores: must be at most the {places} places of the mesh, got {profile.limits.cores}"


def _sizes(profile: Profile, controller: str) -> Iterator[str]:
    for key in ("neurons_per_core", "in_axons_per_core"):
        if getattr(profile.limits, key) is None:
            yield f"limits.{key}: is missing; the controller {controller} visits all of them"
    if profile.noc is None:
        yield f"noc: is missing; the controller {controller} sends packets"


def _open_core(profile: Profile, cycles: OpenCore) -> Iterator[str]:
    reach = profile.time.spike_latency_ticks + profile.time.delay_max
    if cycles.slots & (cycles.slots - 1) or cycles.slots <= reach:
        yield f"cycles.slots: must be a power of two above {reach} (latency and delay_max), got {cycles.slots}"
    if (profile.limits.neurons_per_core or 0) % cycles.lanes:
        yield f"limits.neurons_per_core: must be a multiple of cycles.lanes, {cycles.lanes}"
    most = 2**cycles.count_bits - 1
    limits = profile.delivery.spikes_max
    held = all(limit is not None and limit <= most for limit in (limits.input, limits.recurrent))
    if profile.delivery.merge == "count" and not held:
        yield f"delivery.spikes_max: must be at most {most} for both groups, what cycles.count_bits hold"
    if profile.time.delay_scope == "synapse":
        yield "time.delay_scope: open_core has delays of axons, not of synapses"
    if profile.is_analog:
        yield "cycles.controller: open_core has a digital soma"
    for element in profile.delivery.into:
        register = profile.regs.get(element.partition("[")[0])
        if register is not None and register.overflow != "wrap" and profile.delivery.accumulate == "sum":
            yield f"regs.{element}.overflow: must be wrap; open_core writes it after every addition"


def _event(profile: Profile) -> Iterator[str]:
    if profile.cycles is None:
        return
    controller = profile.cycles.controller
    if (controller == "serial_event") != (profile.time.mode == "event"):
        yield f"cycles.controller: {controller} is not for the mode {profile.time.mode}"
    if controller == "serial_event" and profile.cycles.tick_clocks is None:
        yield "cycles.tick_clocks: is missing; the controller serial_event takes its inputs from outside"
    if controller == "serial_event" and profile.fire.op == "multi_fire":
        yield "cycles.controller: serial_event sends one spike of a neuron at a time, not those of multi_fire"


def _token(profile: Profile, cycles: Token) -> Iterator[str]:
    if cycles.tick_clocks is None:
        yield "cycles.tick_clocks: is missing; the controller token takes its ticks from outside"
    if profile.time.delay_max >= cycles.slots:
        yield f"time.delay_max: must be below cycles.slots, {cycles.slots}"
