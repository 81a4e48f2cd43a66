"""How `spikeloom explain` prints what it found."""

from __future__ import annotations

from spikeloom.flows.explain import Explanation, LayerNeeds, Problem
from spikeloom.flows.terminal.printing import counted, facts, number, percent, table

COLUMNS = ("layer", "neurons", "fan-in", "synapses", "words", "axons", "cores", "nearest limit", "used")

POOL_COLUMNS = ("max pool", "as", "neurons", "synapses", "sources behind", "ticks")

HELPER_COLUMNS = ("fan-in of", "synapses", "limit", "split into", "helper neurons", "ticks")


def show(found: Explanation) -> None:
    """The verdict, a table of the layers, and every problem with its remedy."""
    verdict = f"fits, on {counted(found.cores, 'core')}" if found.cores is not None else "does not fit"
    facts(("network", found.network), ("chip", found.profile), ("verdict", verdict))
    if found.layers:
        table(COLUMNS, [_row(layer) for layer in found.layers])
    if found.pools:
        table(
            POOL_COLUMNS, [(p.layer, p.pool, p.neurons, p.synapses, p.sources, p.ticks) for p in found.pools]
        )
    if found.helpers:
        table(
            HELPER_COLUMNS,
            [(h.layer, h.synapses, h.limit, h.blocks, h.neurons, h.ticks) for h in found.helpers],
        )
    facts(*(("problem", _sentence(problem)) for problem in found.problems))
    if not found.fits:
        facts(("others", ", ".join(found.alternatives) or "no other profile here holds it"))


def _row(layer: LayerNeeds) -> tuple[object, ...]:
    counts = (layer.neurons, layer.fan_in, layer.synapses, layer.memory_words, layer.axons, layer.cores)
    limit = layer.binding.removeprefix("limits.") or "none"
    return (layer.name, *counts, limit, percent(layer.used, 0))


def _sentence(problem: Problem) -> str:
    """One line: what, how much of how much, and what to change."""
    sizes = [f"{word} {_shown(value)}" for word, value in (("got", problem.value), ("limit", problem.allowed))
             if value is not None]  # fmt: skip
    parts = [f"{problem.subject}: {problem.text}", ", ".join(sizes), problem.remedy]
    return "; ".join(part for part in parts if part)


def _shown(value: object) -> str:
    return number(value) if isinstance(value, int | float) else str(value)
