"""The twin's operations of real numbers: one function of each name, on one neuron."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from spikeloom.reference.twin import elementary, linear_neuron
from spikeloom.reference.twin.adaptive_exponential import adex_step
from spikeloom.reference.twin.differential_pair import dpi_step
from spikeloom.reference.twin.neuron import Neuron

Matrix = list[list[float]]


def linear_exact(entry: Any, neuron: Neuron) -> None:
    """x = P y, y the states and what is held during the step."""
    for state, x in zip(entry.states, moved(entry, neuron), strict=True):
        neuron.write(state, x)


def linear_step(entry: Any, neuron: Neuron) -> None:
    """The same, and the spike's time."""
    linear_neuron.restart(entry, neuron)
    linear_neuron.step(entry, neuron, moved(entry, neuron))


def moved(entry: Any, neuron: Neuron) -> list[float]:
    """P y, one value a state."""
    columns = [*entry.states]
    for row in entry.gains.values():
        columns += [source for source in row if source not in columns]
    equations = []
    for state, tau in zip(entry.states, entry.taus, strict=True):
        gains = {source: float(neuron.read(gain)) for source, gain in entry.gains.get(state, {}).items()}
        equations.append((float(neuron.read(tau)), tuple((columns.index(s), g) for s, g in gains.items())))
    matrix = step_matrix(tuple(equations), len(columns), neuron.chip.dt)
    before = [float(neuron.read(name)) for name in columns]
    return [dot(row, before) for row in matrix[: len(entry.states)]]


@lru_cache(maxsize=4096)
def step_matrix(
    equations: tuple[tuple[float, tuple[tuple[int, float], ...]], ...], size: int, dt: float
) -> Matrix:
    """exp(D): of each state its time constant and its (column, gain) pairs; the other rows of D are 0."""
    step = [[0.0] * size for _ in range(size)]
    for k, (tau, gains) in enumerate(equations):
        rate = dt / tau
        step[k][k] = -rate
        for column, gain in gains:
            step[k][column] += gain * rate
    halvings = 0
    while largest_row(step) / 2**halvings > 0.5:
        halvings += 1
    small = [[entry / 2**halvings for entry in row] for row in step]
    result = [[float(k == j) for j in range(size)] for k in range(size)]
    for term in range(14, 0, -1):
        product = times(small, result)
        result = [[product[k][j] / term + (k == j) for j in range(size)] for k in range(size)]
    for _ in range(halvings):
        result = times(result, result)
    return result


def largest_row(matrix: Matrix) -> float:
    """The largest sum of magnitudes of a row."""
    totals = []
    for row in matrix:
        total = 0.0
        for entry in row:
            total += abs(entry)
        totals.append(total)
    return max(totals)


def times(a: Matrix, b: Matrix) -> Matrix:
    """The product of two square matrices, sums in the order of the index."""
    size = range(len(a))
    return [[dot(a[k], [b[m][j] for m in size]) for j in size] for k in size]


def dot(a: list[float], b: list[float]) -> float:
    """a1 b1 + a2 b2 + ..., from 0 on."""
    total = 0.0
    for x, y in zip(a, b, strict=True):
        total += x * y
    return total


def exp_euler(entry: Any, neuron: Neuron) -> None:
    """One exponential step toward the target that the sources and conductances make."""
    total, opened = 0.0, 1.0
    for source, gain in entry.gains.items():
        total += neuron.read(gain) * neuron.read(source)
    for conductance, reversal in entry.conductances.items():
        opened += neuron.read(conductance)
        total += neuron.read(reversal) * neuron.read(conductance)
    target = total / opened
    decay = elementary.exp(-((neuron.chip.dt * opened) / neuron.read(entry.tau)))
    neuron.write(entry.reg, target + (neuron.read(entry.reg) - target) * decay)


def exp_drive(entry: Any, neuron: Neuron) -> None:
    """slope exp(min((v - vt) / slope, max))."""
    slope = float(neuron.read(entry.slope))
    exponent = min((neuron.read(entry.v) - neuron.read(entry.vt)) / slope, float(neuron.read(entry.max)))
    neuron.write(entry.dst, slope * elementary.exp(exponent))


def add_noise(entry: Any, neuron: Neuron) -> None:
    """reg + sigma z; sigma 0 draws nothing."""
    sigma = float(neuron.read(entry.sigma))
    if sigma != 0.0:
        z = neuron.chip.noise("membrane", entry.name, neuron.core, neuron.local)
        neuron.write(entry.reg, neuron.read(entry.reg) + sigma * z)


def adc(entry: Any, neuron: Neuron) -> None:
    """The code of a value, moved by the nonlinearity."""
    low, high = float(neuron.read(entry.lo)), float(neuron.read(entry.hi))
    position = (neuron.read(entry.reg) - low) / (high - low) * 2.0**entry.bits
    neuron.write(entry.reg, code_of(position, entry))


def dac(entry: Any, neuron: Neuron) -> None:
    """The level of a code, moved by the nonlinearity."""
    low, high = float(neuron.read(entry.lo)), float(neuron.read(entry.hi))
    unit = (high - low) / 2.0**entry.bits
    neuron.write(entry.reg, low + code_of(float(neuron.read(entry.reg)), entry) * unit)


def code_of(position: float, entry: Any) -> float:
    """The floor within the codes, plus what the nonlinearity adds there."""
    code: float = min(max(float(math.floor(position)), 0.0), 2.0**entry.bits - 1.0)
    return code + float(entry.inl[int(code)]) if entry.inl else code


def mac(entry: Any, neuron: Neuron) -> None:
    """Every block scaled, noisy, rounded and clamped; then the sum of them."""
    low, high = float(neuron.read(entry.out_min)), float(neuron.read(entry.out_max))
    total, sigma = 0.0, float(neuron.read(entry.sigma))
    for b, block in enumerate(entry.blocks):
        part = float(neuron.read(block)) * float(neuron.read(entry.gain))
        if sigma != 0.0:
            index = neuron.local * len(entry.blocks) + b
            part = part + sigma * neuron.chip.noise("membrane", entry.name, neuron.core, index)
        rounded = float(math.floor(part + 0.5 if entry.round == "nearest" else part))
        total += min(max(rounded, low), high)
    neuron.write(entry.dst, min(max(total, low), high))


REAL_OPERATIONS: Mapping[str, Callable[[Any, Neuron], None]] = {
    "linear_exact": linear_exact,
    "linear_step": linear_step,
    "exp_euler": exp_euler,
    "exp_drive": exp_drive,
    "add_noise": add_noise,
    "adc": adc,
    "dac": dac,
    "mac": mac,
    "dpi_step": dpi_step,
    "adex_step": adex_step,
}
