"""Soundness of `[[imperfection]]`: does each name what it acts on, and does it contradict nothing?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from spikeloom.profile.dotted import nearest
from spikeloom.profile.imperfections import Dead, Drift, Jitter, Mismatch, Noise, OperationEffect, ReadNoise
from spikeloom.profile.linear_operations import Linear
from spikeloom.profile.real_operations import ExpEuler
from spikeloom.profile.schema import Profile

MOST_LAYERS = 256  # numbers of noise that one byte holds


def imperfection_findings(profile: Profile) -> Iterator[str]:
    """Every problem of the list, "dotted.key: what is wrong"."""
    if profile.imperfection and not profile.is_analog:
        yield "imperfection: needs an analog soma"
    if max(len(profile.imperfection), len(profile.operation)) > MOST_LAYERS:
        yield f"imperfection: at most {MOST_LAYERS} imperfections and operations can be told apart"
    for entry in profile.imperfection:
        for field, problem in _problems(profile, entry):
            yield f"imperfection.{entry.name}.{field}: {problem}"
    for kind in (ReadNoise, Jitter):
        if sum(isinstance(entry, kind) for entry in profile.imperfection) > 1:
            yield f"imperfection: has two entries of the kind {_kind(kind)}"


def _kind(kind: Any) -> str:
    return str(kind.model_fields["kind"].annotation.__args__[0])


def _problems(profile: Profile, entry: Any) -> Iterator[tuple[str, str]]:
    if isinstance(entry, Mismatch):
        yield from _mismatch_problems(profile, entry)
    if isinstance(entry, Noise) and (entry.of not in profile.params or not profile.params[entry.of].is_real):
        yield "of", f"no real parameter {entry.of}; {nearest(entry.of, list(profile.params))}"
    if isinstance(entry, OperationEffect):
        names = [operation.name for operation in profile.operation]
        for name in entry.operations:
            if name not in names:
                yield (
                    "operations",
                    f"no operation {name}; {nearest(name, names) or 'known: ' + ', '.join(names)}",
                )
            elif name == profile.fire.name:
                yield "operations", f"{name} makes the spikes and cannot be left out"
    if isinstance(entry, Dead) and (profile.fire.op != "fire" or profile.fire.gate != 0):
        yield "kind", "dead needs a fire operation whose gate is free"
    if isinstance(entry, Jitter) and profile.time.mode != "continuous":
        yield "kind", "jitter needs the time mode continuous"
    if isinstance(entry, Drift) and (entry.mean_min > entry.mean_max or entry.spread_min > entry.spread_max):
        yield "mean_min", "a smallest value is above the largest"
    if getattr(entry, "g_max", None) is not None and profile.weights.formula != "float":
        yield "kind", f"{entry.kind} needs conductances, the weight formula float"


def _mismatch_problems(profile: Profile, entry: Mismatch) -> Iterator[tuple[str, str]]:
    if (entry.cv is None) == (entry.std is None):
        yield "cv", "needs either cv or std"
    if entry.distribution == "lognormal" and entry.cv is None:
        yield "std", "a lognormal spread is given as cv"
    if entry.of == "weight":
        if entry.scope == "neuron":
            yield "scope", "a weight's mismatch is one of the synapse, the row or the core"
        return
    if entry.of not in profile.params or not profile.params[entry.of].is_real:
        known = ["weight", *(name for name, param in profile.params.items() if param.is_real)]
        yield (
            "of",
            f"no real parameter {entry.of}; {nearest(entry.of, known) or 'known: ' + ', '.join(known)}",
        )
    if entry.scope not in ("neuron", "core"):
        yield "scope", "a parameter's mismatch is one of the neuron or the core"
    if entry.of in _time_constants(profile) and entry.distribution != "lognormal":
        yield "distribution", f"{entry.of} is a time constant, which only a lognormal spread keeps above 0"


def _time_constants(profile: Profile) -> set[str]:
    found: set[str] = set()
    for operation in profile.operation:
        if isinstance(operation, Linear):
            found.update(str(tau) for tau in operation.taus)
        if isinstance(operation, ExpEuler):
            found.add(str(operation.tau))
    return found
