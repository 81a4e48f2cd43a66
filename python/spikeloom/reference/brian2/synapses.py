"""A program's axons, rows and parameters as the flat arrays that Brian2 takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.profile.schema import Param, Weights
from spikeloom.program.program import ChipProgram, ProgramArrays
from spikeloom.reference.brian2.exact import Range
from spikeloom.reference.brian2.operations import refuse

BiasOverride = Mapping[str, Sequence[float] | NDArray]


@dataclass(frozen=True)
class Synapses:
    """One entry a synapse, ordered by axon, then as stored."""

    axon: NDArray  # row number of the axon in the model, inputs first if the profile says so
    target: NDArray  # global neuron number
    weight: NDArray  # effective, float64
    delay: NDArray  # ticks
    receptor: NDArray


class Copies:
    """Axons that stand next to one another as often as they may carry spikes in a tick; at least once.

    `axon` and `rank` are, for each copy, its axon and its number among the copies of that axon.
    """

    def __init__(self, most: NDArray) -> None:
        self.times = np.maximum(most, 1).astype(np.int64)
        self.n = int(self.times.sum())
        self.first = np.cumsum(self.times) - self.times
        self.axon, copies = self.spread(np.arange(len(self.times)))
        self.rank = copies - self.first[self.axon]

    def spread(self, axons: NDArray) -> tuple[NDArray, NDArray]:
        """For entries that each name an axon: (entry, copy), once a copy, by copy and then by entry."""
        times = self.times[axons]
        which = np.repeat(np.arange(len(axons)), times)
        within = np.arange(len(which)) - np.repeat(np.cumsum(times) - times, times)
        copies = self.first[axons][which] + within
        by_copy = np.argsort(copies, kind="stable")
        return which[by_copy], copies[by_copy]


def axon_order(program: ChipProgram) -> NDArray:
    """Axons by group of `delivery.order`, then ascending: element k is the axon that the model numbers k.

    Raises EmulationError for an axon that both input lines and neurons drive: it would be in two groups.
    """
    arrays = program.arrays
    n_axons = int(arrays.core_axon_start[-1])
    from_input = np.isin(np.arange(n_axons), arrays.input_fan_axon)
    from_neuron = np.isin(np.arange(n_axons), arrays.neuron_fan_axon)
    if (both := from_input & from_neuron).any():
        axon = int(np.flatnonzero(both)[0])
        raise refuse(f"axon {axon}", "axon driven by input lines and neurons")
    first = program.profile.delivery.order[0] == "input"
    return np.argsort(~from_input if first else from_input, kind="stable")


def fan_pairs(start: NDArray, axons: NDArray, order: NDArray) -> tuple[NDArray, NDArray]:
    """(source, model's axon) of every line from a source to an axon."""
    place = np.argsort(order)
    sources = np.repeat(np.arange(len(start) - 1), np.diff(start))
    return sources, place[axons]


def synapses(program: ChipProgram, order: NDArray) -> Synapses:
    """Every synapse of the program, templates written out."""
    arrays = program.arrays
    weights = effective_weights(program.profile.weights, arrays)
    worth = _by_type(program)
    place = np.argsort(order)
    none = np.zeros(0, dtype=np.int64)
    parts: list[tuple[NDArray, ...]] = [(none, none, none.astype(np.float64), none, none)]
    for template in np.unique(arrays.axon_template):
        axons = np.flatnonzero(arrays.axon_template == template)
        offsets, codes, delays, receptors = _template(arrays, int(template))
        shape = (len(axons), len(offsets))
        targets = (arrays.axon_target[axons][:, None] + offsets).ravel()
        stored = (arrays.axon_weight[axons][:, None] + codes).ravel()
        parts.append((
            np.broadcast_to(place[axons][:, None], shape).ravel(),
            targets,
            weights[stored] * worth(stored, targets),
            np.broadcast_to(delays, shape).ravel(),
            np.broadcast_to(receptors, shape).ravel(),
        ))  # fmt: skip
    columns = [np.concatenate([part[k] for part in parts]) for k in range(5)]
    by_axon = np.argsort(columns[0], kind="stable")
    return Synapses(*(column[by_axon] for column in columns))


def _by_type(program: ChipProgram) -> Callable[[NDArray, NDArray], NDArray]:
    """What one bit adds: (stored codes, targets) -> the target's parameter for the type of the axon; else 1."""
    table, arrays = program.profile.weights.table, program.arrays
    if not table:
        return lambda stored, targets: np.ones(len(stored))
    params = effective_params(program)
    values = np.stack([params[name] for name in table])
    types = arrays.format_shared["type"][arrays.code_format]
    return lambda stored, targets: np.asarray(values[types[stored], targets])


def _template(arrays: ProgramArrays, template: int) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """(target offset, weight offset, delay, receptor) of each synapse of a template."""
    runs = np.arange(arrays.template_run_start[template], arrays.template_run_start[template + 1])
    lengths = arrays.run_length[runs]
    run_of = np.repeat(runs, lengths)
    k = np.arange(len(run_of)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    offsets = k.copy()
    listed = arrays.run_index[run_of] >= 0
    offsets[listed] = arrays.index_target[arrays.run_index[run_of][listed] + k[listed]]
    delays, receptors = arrays.run_delay[run_of], arrays.run_receptor[run_of]
    return arrays.run_target[run_of] + offsets, arrays.run_weight[run_of] + k, delays, receptors


def effective_weights(weights: Weights, arrays: ProgramArrays) -> NDArray:
    """What each code adds, float64."""
    codes = arrays.codes.astype(np.float64)
    exponent = {value.name: np.full(len(codes), float(value.default)) for value in weights.shared}
    exponent |= {
        name: values[arrays.code_format].astype(np.float64) for name, values in arrays.format_shared.items()
    }
    if weights.formula == "palette":
        bits = [np.floor(codes / 2.0**bit) % 2.0 for bit in range(weights.bits or 0)]
        return np.asarray(sum(set_ * exponent[f"iw{b}"] for b, set_ in enumerate(bits)) * weights.unit)
    if weights.formula == "int_shift":
        return np.asarray(codes * power_of_two(exponent["shift"]))
    if weights.formula == "mant_exp":
        unit = 2.0**weights.unit_shift
        value: NDArray = np.floor(codes * power_of_two(exponent["w_exp"])) * unit
        return value if weights.clip is None else np.clip(value, -weights.clip, weights.clip)
    return np.asarray(codes)


def effective_params(program: ChipProgram) -> dict[str, NDArray]:
    """What each parameter's codes stand for, float64, one value a neuron."""
    codes = program.arrays.params
    found = {}
    for name, param in program.profile.params.items():
        exponent = codes[f"{name}_exp"].astype(np.float64) if param.format == "mant_exp" else np.zeros(1)
        found[name] = _effective(param, codes[name].astype(np.float64), exponent)
        if param.format == "steps":
            found[name] = np.floor(found[name] / float(program.profile.time.dt_s or 1.0) + 0.5)
    return found


def param_ranges(
    program: ChipProgram, params: Mapping[str, NDArray], overrides: Sequence[BiasOverride]
) -> dict[str, Range]:
    """The range of each effective parameter over the neurons and samples."""
    if program.profile.is_analog:
        return dict.fromkeys(params)
    ranges: dict[str, Range] = {}
    for name, values in params.items():
        ranges[name] = (int(values.min()), int(values.max()))
    given = [value for override in overrides for biases in override.values() for value in biases]
    if given:
        name = str(program.profile.bias.param)
        values = np.concatenate([params[name], given])
        ranges[name] = (int(values.min()), int(values.max()))
    return ranges


def _effective(param: Param, code: NDArray, exponent: NDArray) -> NDArray:
    """The formula of a parameter's format."""
    values = code
    if param.format == "shift":
        values = code * 2.0**param.shift
    elif param.format == "mant_exp":
        values = code * power_of_two(exponent)
    elif param.format == "pow2_minus1":
        values = power_of_two(code) - 1.0
    elif param.format == "neg_pow2_plus1":
        values = 1.0 - power_of_two(code)
    elif param.format == "pow2_9_plus_2e_minus1":
        values = power_of_two(9.0 + 2.0 * code) - 1.0
    return values


def power_of_two(exponent: NDArray) -> NDArray:
    """2^exponent without rounding, whatever the vector library makes of a power."""
    powers: NDArray = np.ldexp(np.float64(1.0), np.asarray(exponent).astype(np.int32))
    return powers
