"""What the command line says of a chip's profile, on at most 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from spikeloom.flows.terminal.printing import facts, heading, number, table
from spikeloom.profile.provenance import numbers, unsourced, weakest_status
from spikeloom.profile.weights import weight_levels

if TYPE_CHECKING:
    from spikeloom.profile.schema import Profile


def profile_facts(profile: Profile) -> dict[str, Any]:
    """What a list of profiles says of one."""
    chip = profile.chip
    kind = chip.soma if chip.soma == chip.synapse else "hybrid"
    return {
        "profile": profile.name,
        "name": chip.name,
        "kind": kind,
        "fidelity": chip.fidelity,
        "reference": chip.reference,
    }


def show_profiles(profiles: Iterable[Profile]) -> None:
    """One line a profile."""
    columns = ("profile", "name", "kind", "fidelity")
    table(columns, [[profile_facts(profile)[column] for column in columns] for profile in profiles], left=4)


def show_profile(profile: Profile) -> None:
    """A chip's limits, weights, neuron, and how well all that is known."""
    said = profile_facts(profile)
    facts(
        ("chip", f"{said['name']} ({said['profile']}), {said['kind']}"),
        ("fidelity", f"{said['fidelity']} to {said['reference']}"),
        ("limits", _limits(profile)),
        ("time", _time(profile)),
        ("weights", _weights(profile)),
        ("reads", ", ".join(profile.outputs.readable)),
        ("sources", _sources(profile)),
        ("variants", ", ".join(profile.variant) or "none"),
    )
    heading("\nWhat a neuron does in each tick")
    table(("operation", "does", "with"), [_operation(each) for each in profile.operation], left=3)


def _limits(profile: Profile) -> str:
    said = profile.limits.model_dump(exclude_none=True, exclude={"memory", "shared_table"})
    counts = [f"{value:,} {name.replace('_', ' ')}" for name, value in said.items()]
    memories = [f"{memory.bits:,} bits of {memory.name} memory" for memory in profile.limits.memory]
    tables = [f"{shared.max} sets of {', '.join(shared.fields)}" for shared in profile.limits.shared_table]
    return "; ".join([*counts, *memories, *tables]) or "none"


def _time(profile: Profile) -> str:
    time, event = profile.time, profile.event
    if event is not None:
        leak = f", a leak every {event.leak_every_ticks} ticks" if event.leak_every_ticks else ""
        return f"one event after the other, from a FIFO of {event.fifo_depth}{leak}"
    length = f" of {number(1e6 * time.tick_s)} us" if time.tick_s else ""
    delays = f"{time.delay_min} to {time.delay_max} ticks per {time.delay_scope}"
    return f"ticks{length}; a spike arrives after {time.spike_latency_ticks}, delays {delays}"


def _weights(profile: Profile) -> str:
    weights = profile.weights
    if not weights.mode:
        return "any real number" if weights.formula == "float" else weights.formula
    levels = [f"{mode.name} {weight_levels(weights, mode.name)}" for mode in weights.mode]
    shared = [f"{value.name} {value.min} to {value.max}" for value in weights.shared]
    return "; ".join([f"{weights.bits} bits, {weights.formula}", *levels, *shared])


def _operation(operation: Any) -> tuple[str, str, str]:
    fields = operation.model_dump(exclude={"name", "op"}, exclude_defaults=True, by_alias=True)
    said = ", ".join(f"{name} {_value(value)}" for name, value in fields.items())
    return operation.name, operation.op, said


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{key} = {item}" for key, item in value.items())
    return " + ".join(str(item) for item in value) if isinstance(value, tuple | list) else str(value)


def _sources(profile: Profile) -> str:
    """The weakest status behind the numbers, and which ones rest on it."""
    stated = numbers(profile)
    if not stated:
        return "no numbers"
    weakest = weakest_status(profile, stated)
    keys = [*unsourced(profile)] if weakest == "unverified" else []
    keys += [key for key, source in profile.provenance.items() if source.status == weakest]
    return f"weakest status: {weakest} ({', '.join(dict.fromkeys(keys))})"
