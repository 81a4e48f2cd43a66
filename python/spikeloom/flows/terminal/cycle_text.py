"""What the command line says about clocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spikeloom.flows.terminal.printing import number, percent

if TYPE_CHECKING:
    from spikeloom.emulation.cycles import CycleReport


def cycle_rows(cycles: CycleReport | None) -> list[tuple[str, str]]:
    """Clocks of a tick and of a sample, the share in which cores worked, what waited, and the fullest buffers."""
    if cycles is None or cycles.per_tick.size == 0:
        return []
    kind = "exact" if cycles.exact else "modelled, not exact"
    ticks = cycles.per_tick
    rows = [
        ("clocks", f"{cycles.controller} ({kind}): {ticks.mean():,.0f} a tick, {ticks.max():,} at most; "
                   f"{cycles.total.mean():,.0f} a sample{_seconds(cycles)}"),
        ("busy", f"cores work in {percent(cycles.utilisation.mean())} of the clocks, the busiest in "
                 f"{percent(cycles.utilisation.mean(axis=0).max())}"),
    ]  # fmt: skip
    groups = (("phases", cycles.phases), ("stalls", cycles.stalls), ("counted", cycles.counters))
    for label, group in groups:
        if group:
            samples = len(ticks)
            means = (f"{name} {number(values.sum() / samples)}" for name, values in group.items())
            rows.append((label, f"a sample: {', '.join(means)}"))
    if cycles.high_water:
        most = (f"{name} {values.max(initial=0)}" for name, values in cycles.high_water.items())
        rows.append(("fullest", ", ".join(most)))
    if cycles.missed.any():
        rows.append(("missed", f"{cycles.missed.sum():,} ticks were longer than the deadline"))
    if cycles.not_modelled:
        rows.append(("note", f"clocks not modelled: {', '.join(cycles.not_modelled)}"))
    return rows


def _seconds(cycles: CycleReport) -> str:
    return "" if cycles.seconds is None else f", {number(1e6 * cycles.seconds.mean())} us"
