"""Operations of real numbers as Brian2 code, with numpy's exp and scipy's matrix exponential.

They agree with the core's own functions to the last few bits, not in every bit; `tolerance_of` says how far.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from spikeloom.errors import EmulationError
from spikeloom.profile.schema import Profile
from spikeloom.reference.brian2.adaptive_exponential import adex_step
from spikeloom.reference.brian2.block import Block
from spikeloom.reference.brian2.differential_pair import dpi_step
from spikeloom.reference.brian2.exact import Exact, constant, larger, smaller
from spikeloom.reference.brian2.linear_neuron import linear_step

INEXACT = ("linear_exact", "linear_step", "exp_euler", "exp_drive", "dpi_step", "adex_step")
NORMAL = Exact("randn()", None)  # drawn anew wherever it stands
NEAR_THRESHOLD = 1e-12  # of the threshold: a state so close to it may fire here and not there
TOLERANCE = 1e-9  # of the largest magnitude that a register has in a run


def tolerance_of(profile: Profile) -> float:
    """How far registers may differ, relative to the largest value each of them takes: 0, or that of exp."""
    return TOLERANCE if any(entry.op in INEXACT for entry in profile.operation) else 0.0


def real_constants(
    profile: Profile, params: Mapping[str, NDArray], neurons: int, noisy: bool = False
) -> dict[str, NDArray]:
    """The matrices of every linear operation, entry by entry, (neurons,) each.

    Raises EmulationError for a `mac` with noise, unless the model is `noisy`.
    """
    found: dict[str, NDArray] = {}
    for entry in profile.operation:
        noise = entry.op == "mac" and np.any(params.get(str(entry.sigma), 0.0 if entry.sigma == 0 else 1.0))
        if noise and not noisy:
            raise _draws(entry)
        if entry.op not in ("linear_exact", "linear_step"):
            continue
        columns = _columns(entry)
        step = np.zeros((neurons, len(columns), len(columns)))
        for k, (state, tau) in enumerate(zip(entry.states, entry.taus, strict=True)):
            step[:, k, k] = -1.0 / params[str(tau)]
            for source, gain in entry.gains.get(state, {}).items():
                factor = params[gain] if isinstance(gain, str) else gain
                step[:, k, columns.index(source)] += factor / params[str(tau)]
        matrices = expm(step * float(profile.time.dt_s or 1.0)) if neurons else step
        for k in range(len(entry.states)):
            for j in range(len(columns)):
                found[_coefficient(entry, k, j)] = matrices[:, k, j]
    return found


def _columns(entry: Any) -> list[str]:
    sources = [source for row in entry.gains.values() for source in row]
    return list(dict.fromkeys([*entry.states, *sources]))


def _coefficient(entry: Any, row: int, column: int) -> str:
    return f"{entry.name}_p{row}_{column}"


def linear_exact(entry: Any, block: Block) -> None:
    """Every state's row of P times what there was before."""
    before = [block.keep(block.read(name)) for name in _columns(entry)]
    after = []
    for k in range(len(entry.states)):
        total = constant(0)
        for j, value in enumerate(before):
            total = total + block.read(_coefficient(entry, k, j)) * value
        after.append(block.keep(total))
    for state, value in zip(entry.states, after, strict=True):
        block.write(state, value)


def exp_euler(entry: Any, block: Block) -> None:
    """Brian2's own `exponential_euler` of the same equation, written out."""
    total, opened = constant(0), constant(1)
    for source, gain in entry.gains.items():
        total = total + block.read(gain) * block.read(source)
    for conductance, reversal in entry.conductances.items():
        opened = opened + block.read(conductance)
        total = total + block.read(reversal) * block.read(conductance)
    target = block.keep(Exact(f"({total.code} / {opened.code})", None))
    rate = f"{opened.code} / {block.read(entry.tau).code}"
    decay = Exact(f"exp(-{float(block.profile.time.dt_s or 1.0)!r} * {rate})", None)
    block.write(entry.reg, target + (block.read(entry.reg) - target) * decay)


def exp_drive(entry: Any, block: Block) -> None:
    """slope exp(min((v - vt) / slope, max))."""
    v, vt, slope, most = (block.read(name) for name in (entry.v, entry.vt, entry.slope, entry.max))
    exponent = smaller(Exact(f"({v.code} - {vt.code}) / {slope.code}", None), most)
    block.write(entry.dst, Exact(f"({slope.code} * exp({exponent.code}))", None))


def add_noise(entry: Any, block: Block) -> None:
    """reg + sigma times a normal number that Brian2 draws."""
    if not block.noisy:
        raise _draws(entry)
    block.write(entry.reg, block.read(entry.reg) + block.read(entry.sigma) * NORMAL)


def _draws(entry: Any) -> EmulationError:
    """Brian2 draws numbers of its own, so a run with noise can only be compared as a distribution."""
    problem = "draws noise, and Brian2's numbers are others"
    return EmulationError(f"operation {entry.name}", problem, remedy="leave temporal effects out")


def adc(entry: Any, block: Block) -> None:
    """The code of a value."""
    low, high = block.read(entry.lo), block.read(entry.hi)
    span = f"({high.code} - {low.code})"
    position = f"({block.read(entry.reg).code} - {low.code}) / {span} * {2.0**entry.bits!r}"
    block.write(entry.reg, _code(entry, position))


def dac(entry: Any, block: Block) -> None:
    """The level of a code."""
    low, high = block.read(entry.lo), block.read(entry.hi)
    unit = Exact(f"(({high.code} - {low.code}) / {2.0**entry.bits!r})", None)
    block.write(entry.reg, low + _code(entry, block.read(entry.reg).code) * unit)


def _code(entry: Any, position: str) -> Exact:
    if entry.inl:
        problem = "has a table of nonlinearity, which the Brian2 model does not carry"
        raise EmulationError(f"operation {entry.name}", problem, remedy="use the reference twin")
    whole = Exact(f"whole({position})", None)
    return smaller(larger(whole, constant(0)), constant(2**entry.bits - 1))


def mac(entry: Any, block: Block) -> None:
    """Every block scaled, noisy, rounded and clamped; then the sum of them.

    `real_constants` refuses noise where the model has none.
    """
    low, high = block.read(entry.out_min), block.read(entry.out_max)
    total = constant(0)
    for name in entry.blocks:
        part = block.read(name) * block.read(entry.gain)
        if block.noisy:
            part = part + block.read(entry.sigma) * NORMAL
        half = " + 0.5" if entry.round == "nearest" else ""
        whole = block.keep(Exact(f"whole({part.code}{half})", None))
        total = total + smaller(larger(whole, low), high)
    block.write(entry.dst, smaller(larger(total, low), high))


REAL_OPERATIONS: dict[str, Callable[[Any, Block], None]] = {
    "linear_exact": linear_exact,
    "linear_step": partial(linear_step, move=linear_exact),
    "exp_euler": exp_euler,
    "exp_drive": exp_drive,
    "add_noise": add_noise,
    "adc": adc,
    "dac": dac,
    "mac": mac,
    "dpi_step": dpi_step,
    "adex_step": adex_step,
}
