"""What an analog soma computes with: effective parameters, and the constants of a step made from them.

All of it is plain binary64 arithmetic, element by element in a fixed order, so it gives the same bits on every
machine, and a program need not store it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.profile.linear_operations import Linear, LinearStep
from spikeloom.profile.neuron_steps import AdexStep, DpiStep
from spikeloom.profile.operation_base import Operand
from spikeloom.profile.real_operations import AddNoise, ExpEuler, Mac
from spikeloom.profile.schema import Param, Profile

Array = NDArray[np.float64]
Params = dict[str, Array]
DT = "time.dt_s"  # the name of the step's length among the constants
TERMS = 14  # of the exponential series


def effective_params(profile: Profile, codes: Mapping[str, NDArray]) -> Params:
    """(neurons,) values in the unit of the profile, before a time becomes steps."""
    return {name: _effective(param, name, codes) for name, param in profile.params.items()}


def _effective(param: Param, name: str, codes: Mapping[str, NDArray]) -> Array:
    values: Array = codes[name].astype(np.float64)
    match param.format:
        case "shift":
            return values * 2.0**param.shift
        case "mant_exp":
            return np.asarray(np.ldexp(values, codes[f"{name}_exp"].astype(np.int32)))
        case "pow2_minus1":
            return np.ldexp(1.0, values.astype(np.int32)) - 1.0
        case "neg_pow2_plus1":
            return 1.0 - np.ldexp(1.0, values.astype(np.int32))
        case "pow2_9_plus_2e_minus1":
            return np.ldexp(1.0, (9 + 2 * values).astype(np.int32)) - 1.0
    return values


def in_steps(profile: Profile, params: Params) -> Params:
    """Times that the chip counts in whole steps, as that number of steps."""
    found = dict(params)
    for name, param in profile.params.items():
        if param.format == "steps":
            found[name] = np.floor(params[name] / (profile.time.dt_s or 1.0) + 0.5)
    return found


def step_constants(profile: Profile, params: Params, neurons: int) -> Params:
    """Every constant that the operations of the profile read beside the parameters, one value a neuron."""
    found: Params = {}
    if profile.time.dt_s is not None:
        found[DT] = np.full(neurons, profile.time.dt_s)
    for operation in profile.operation:
        if isinstance(operation, Linear):
            matrix = _step_matrix(operation, profile.time.dt_s or 1.0, params, neurons)
            columns = (*operation.states, *operation.held())
            for k, state in enumerate(operation.states):
                for j, source in enumerate(columns):
                    found[_entry(operation, state, source)] = matrix[k][j]
    return found


def operation_table(
    profile: Profile, left_out: Collection[str] = (), silent: str | None = None
) -> list[dict[str, Any]]:
    """The operation list as the core reads it: constants by name, numbers of the noise.

    `silent` names the constant that closes the gate of dead neurons.
    """
    table = []
    for layer, operation in enumerate(profile.operation):
        if operation.name in left_out:
            continue
        entry = operation.model_dump(by_alias=True)
        if isinstance(operation, Linear):
            sources = (*operation.states, *operation.held())
            gains = entry.pop("gains")
            entry |= {"sources": sources, "matrix": _names(operation, sources)}
            if isinstance(operation, LinearStep):
                entry |= {"dt": DT, **_membrane_gains(operation, gains.get(operation.states[0], {}))}
        elif isinstance(operation, ExpEuler | DpiStep | AdexStep):
            entry["dt"] = DT
        elif isinstance(operation, AddNoise | Mac):
            entry["layer"] = layer
        elif operation.op == "fire" and silent is not None:
            entry["gate"] = silent
        table.append(entry)
    return table


def _membrane_gains(operation: LinearStep, gains: dict[str, Operand]) -> dict[str, list[Operand]]:
    """What moves the membrane: the gain of each other state, and held sources with theirs."""
    held = {source: gain for source, gain in gains.items() if source not in operation.states}
    return {
        "gains": [gains.get(state, 0) for state in operation.states[1:]],
        "held": list(held),
        "held_gains": list(held.values()),
    }


def _names(operation: Linear, sources: tuple[str, ...]) -> list[Operand]:
    """The entries of P by name, row by row; 0 where no chain of equations leads from source to state."""
    reached = _reached(operation)
    return [
        _entry(operation, state, source) if source in reached[state] else 0
        for state in operation.states
        for source in sources
    ]


def _reached(operation: Linear) -> dict[str, set[str]]:
    """For each state everything that moves it within a step, directly or through other states."""
    reached = {state: {state, *operation.gains.get(state, {})} for state in operation.states}
    for _ in operation.states:
        for state in operation.states:
            through = reached[state].intersection(operation.states)
            reached[state] = reached[state].union(*(reached[other] for other in through))
    return reached


def _entry(operation: Linear, state: str, source: str) -> str:
    return f"{operation.name}.{state}.{source}"


def _step_matrix(operation: Linear, dt: float, params: Params, neurons: int) -> list[list[Array]]:
    """P = exp(A dt) as the docstring of the operation says, each entry (neurons,)."""
    columns = (*operation.states, *operation.held())
    size = len(columns)
    rates = [[np.zeros(neurons) for _ in columns] for _ in columns]
    for k, (state, tau) in enumerate(zip(operation.states, operation.taus, strict=True)):
        rate = dt / _value(tau, params)
        rates[k][k] = rates[k][k] - rate
        for source, gain in operation.gains.get(state, {}).items():
            j = columns.index(source)
            rates[k][j] = rates[k][j] + _value(gain, params) * rate
    halvings = _halvings(rates)
    scaled = [[np.ldexp(entry, -halvings) for entry in row] for row in rates]
    series = _identity(size, neurons)
    for term in range(TERMS, 0, -1):
        product = _product(scaled, series)
        series = [[product[k][j] / term + (k == j) for j in range(size)] for k in range(size)]
    for done in range(int(halvings.max(initial=0))):
        squared = _product(series, series)
        series = [
            [np.where(done < halvings, squared[k][j], series[k][j]) for j in range(size)] for k in range(size)
        ]
    return series[: len(operation.states)]


def _halvings(rates: list[list[Array]]) -> NDArray[np.int32]:
    """The smallest s >= 0 for each neuron that brings every row's sum of magnitudes to 1/2 at most."""
    largest = np.zeros_like(rates[0][0])
    for row in rates:
        total = np.zeros_like(largest)
        for entry in row:
            total = total + np.abs(entry)
        largest = np.maximum(largest, total)
    _, exponent = np.frexp(largest)  # largest in [2^(e-1), 2^e)
    exact = np.ldexp(0.5, exponent) == largest
    halvings: NDArray[np.int32] = np.maximum(exponent + 1 - exact, 0).astype(np.int32)
    return halvings


def _product(a: list[list[Array]], b: list[list[Array]]) -> list[list[Array]]:
    """a b, each sum from 0 on in the order of the index: no library may choose another."""
    size = range(len(a))
    product = [[np.zeros_like(a[0][0]) for _ in size] for _ in size]
    for k in size:
        for j in size:
            for m in size:
                product[k][j] = product[k][j] + a[k][m] * b[m][j]
    return product


def _identity(size: int, neurons: int) -> list[list[Array]]:
    return [[np.full(neurons, float(k == j)) for j in range(size)] for k in range(size)]


def _value(operand: Operand, params: Params) -> Any:
    return float(operand) if isinstance(operand, int) else params[operand]
