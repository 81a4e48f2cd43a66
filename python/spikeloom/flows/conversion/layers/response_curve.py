"""How often a chip's neuron spikes under a constant input: what its operation list means in practice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place_without_limits
from spikeloom.profile.intervals import parameter_interval
from spikeloom.profile.schema import Param, Profile
from spikeloom.profile.weights import effective_weights, mode_names, weight_levels
from spikeloom.reference.twin.executor import run_twin

POINTS = 33


@dataclass(frozen=True)
class ResponseCurve:
    """Spikes a tick of one neuron whose synapse adds `inputs[k]` in every tick, at one threshold."""

    inputs: NDArray[np.float64]  # (points,) effective weights, ascending
    rates: NDArray[np.float64]  # (points,) spikes a tick
    threshold: float
    ticks: int

    def __str__(self) -> str:
        """Nine points of the curve, inputs as parts of the threshold."""
        shown = np.linspace(0, len(self.inputs) - 1, 9).round().astype(int)
        pairs = (f"{self.inputs[k] / self.threshold:.2f}: {self.rates[k]:.2f}" for k in shown)
        return "  ".join(pairs)


def response_curve(profile: Profile, *, ticks: int = 128) -> ResponseCurve:
    """The response of a neuron with the profile's default parameters, from no input to about its threshold.

    The threshold is the largest that the strongest synapse of one tick still reaches. Computed by the twin.
    Raises EmulationError where a register with the rule `trap` is left.
    """
    mode, codes, weights = _drive(profile)
    inputs = weights.astype(np.float64)
    network = SpikingNetwork(profile)
    drive = network.input("drive", 1)
    params = _parameters(profile, float(inputs[-1])) | dict.fromkeys(profile.weights.table[:1], weights)
    neurons = network.population("neurons", len(codes), **params)
    network.connect(drive, neurons, codes[None], mode=mode)
    program = place_without_limits(network, ticks=ticks)
    trace = run_twin(program, np.ones((ticks, 1), dtype=np.uint8))
    rates = trace.spikes[:, program.populations[0].neurons].sum(axis=0) / ticks
    return ResponseCurve(inputs, rates, _threshold(profile, float(inputs[-1])), ticks)


def _drive(profile: Profile) -> tuple[str | None, NDArray, NDArray]:
    """(mode, codes, what each adds); with a table of types, bits and what each neuron keeps for type 0."""
    if profile.weights.formula == "type_table":
        highest = int(profile.params[profile.weights.table[0]].max or 0)
        weights = np.unique(np.linspace(0, highest, POINTS).round().astype(np.int32))
        return None, np.ones_like(weights), weights
    mode, codes = _codes(profile)
    return mode, codes, effective_weights(profile.weights, codes, {})


def _codes(profile: Profile) -> tuple[str | None, NDArray]:
    """Codes from 0 to the largest, and the mode that holds them."""
    if profile.weights.formula == "float":
        return None, np.linspace(0.0, 1.0, POINTS)
    levels = {mode: weight_levels(profile.weights, mode) for mode in mode_names(profile.weights)}
    mode = max(levels, key=lambda name: levels[name].high)
    steps = np.linspace(0, levels[mode].high // levels[mode].step, POINTS).round().astype(np.int32)
    return mode, np.unique(steps) * levels[mode].step


def _parameters(profile: Profile, largest: float) -> dict[str, Any]:
    """A code for the threshold and for every parameter without a default."""
    found = {name: param.min or 0.0 for name, param in profile.params.items() if param.default is None}
    name = _threshold_operand(profile)
    if isinstance(name, str) and name in profile.params:
        found[name] = _code_below(profile.params[name], largest)
    return {name: code if profile.params[name].is_real else int(code) for name, code in found.items()}


def _code_below(param: Param, value: float) -> float:
    """The largest code whose effective value is at most `value`; else the smallest."""
    if param.is_real:
        return value
    low, high = int(param.min or 0), int(param.max or 0)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _effective(param, middle) <= value else (low, middle - 1)
    return low


def _effective(param: Param, code: int) -> int:
    return parameter_interval(param.model_copy(update={"min": code, "max": code, "exp_max": 0})).high


def _threshold(profile: Profile, largest: float) -> float:
    """The effective threshold of the curve."""
    name = _threshold_operand(profile)
    if not isinstance(name, str):
        return float(name)
    if name not in profile.params:
        return largest
    param = profile.params[name]
    code = _code_below(param, largest)
    return code if param.is_real else float(_effective(param, int(code)))


def _threshold_operand(profile: Profile) -> int | str:
    fire = profile.fire
    operand: int | str = fire.pos if fire.op == "fire2" else fire.thr
    return operand
