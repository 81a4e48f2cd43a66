"""A converted network tuned to one chip: what was measured on it becomes part of the solution.

"synapses": every weight, threshold and bias is measured and divided by what the chip makes of it, so that their
effective values are the fitted ones; one run a source neuron. "neurons": each neuron's gain and offset alone, from
its spike counts on calibration samples against the currents of the perfect chip, layer by layer, so that it also
makes up for what the layers before it still do wrong; one run a sample and layer. In both, thresholds and biases are
kept within the profile's range. Neither minimises anything: there is no bound, only the score on held-out samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation.emulate import emulate
from spikeloom.emulation.encoding import encode
from spikeloom.errors import FitError
from spikeloom.flows.conversion.chip_probe import probe_chip
from spikeloom.flows.conversion.synapse_list import SynapseList, with_values
from spikeloom.network.chip_units import threshold_name
from spikeloom.profile.schema import Param, Profile
from spikeloom.program.program import ChipProgram, Placed, Port

Array = NDArray[np.float64]
WAYS = ("synapses", "neurons")
WEAKEST, STRONGEST = 0.1, 10.0  # gains beyond which a device counts as broken and is not made up for
SAMPLES = 300  # that a neuron's gain and offset are measured on
ROUNDS = 5  # of the straight line through the samples that are neither silent nor at the ceiling
FEWEST = 8  # samples of a line


@dataclass(frozen=True, eq=False)
class Tuned:
    """A program for one chip, and the runs on that chip that it took."""

    program: ChipProgram
    runs: int


def tuned_to_chip(
    program: ChipProgram,
    chip_seed: int,
    rows: NDArray,
    judges: tuple[NDArray, Array],
    threads: int | None,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[dict[str, ChipProgram], dict[str, Any]]:
    """The program as it is, tuned by neurons and by synapses, best first, and what each costs and scores on the chip.

    rows: calibration samples; judges: held-out samples and the network's outputs (samples, outputs) on them
    tell: called after each of the two ways of `WAYS`
    """
    found = {}
    for name in WAYS:
        found[name] = _tuned(name, program, chip_seed, rows, threads)
        tell(f"chip {chip_seed} by {name}")
    found["nominal"] = Tuned(replace(program, chip_seed=chip_seed), 0)
    inputs, wanted = judges
    variance = max(float(((wanted - wanted.mean(axis=0)) ** 2).mean()), 1e-300)
    scores = {
        name: float(((emulate(one.program, inputs, threads=threads).outputs - wanted) ** 2).mean()) / variance
        for name, one in found.items()
    }
    order = sorted(found, key=lambda name: scores[name])
    facts = {
        "seed": chip_seed,
        "chosen": order[0],
        "nmse": scores,
        "runs": {name: found[name].runs for name in found},
    }
    return {name: found[name].program for name in order}, facts


def _tuned(name: str, program: ChipProgram, chip_seed: int, rows: NDArray, threads: int | None) -> Tuned:
    if name == "synapses":
        return tuned_by_synapses(program, chip_seed, threads=threads)
    return tuned_by_neurons(program, rows[:SAMPLES], chip_seed, threads=threads)


def check_tunable(profile: Profile, chip_seed: int) -> None:
    """Raise FitError where a chip of this profile does not differ, or does not show what has to be measured."""
    reasons = {
        "has no chip instances to fit": not profile.imperfection,
        "has codes instead of continuous weights, for which no chip in the loop is there yet":
            profile.weights.formula != "float",
        "does not let one read the membrane that shows a synapse": profile.fire.reg not in profile.outputs.readable,
        "has no threshold or bias of each neuron": not isinstance(profile.fire.thr, str)
            or profile.bias.kind != "register",
        "does not subtract its threshold, which then cannot be measured": profile.fire.reset != "subtract",
    }  # fmt: skip
    for reason, holds in reasons.items():
        if holds:
            raise FitError(f"profile {profile.name}", reason, value=f"chip_seed {chip_seed}",
                           remedy="leave chip_seed out")  # fmt: skip


def tuned_by_synapses(
    program: ChipProgram, chip_seed: int, *, noise: float = 0.0, seed: int = 0, threads: int | None = None
) -> Tuned:
    """Every synapse and neuron measured and made up for.

    noise: standard deviation of a measurement beside the chip's own, as a share of the programmed value
    """
    synapses = SynapseList.of(program)
    found = probe_chip(program, synapses, chip_seed, noise=noise, seed=seed, threads=threads)
    params = {
        name: _inside(given / _gain(effective, given), program.profile.params[name])
        for name, effective in zip(_names(program.profile), (found.thresholds, found.biases), strict=True)
        for given in [np.asarray(program.arrays.params[name])]
    }
    weights = synapses.weights / _gain(found.weights, synapses.weights)
    return Tuned(with_values(program, weights, params, chip_seed=chip_seed), found.runs)


def _names(profile: Profile) -> tuple[str, str]:
    """Parameters of threshold and bias."""
    return threshold_name(profile), str(profile.bias.param)


def _gain(effective: Array, programmed: Array) -> Array:
    """What the chip makes of a value; 1 where it is nothing, or nothing can be made up for."""
    gain = np.divide(effective, programmed, out=np.ones_like(programmed), where=programmed != 0.0)
    return np.where((gain > WEAKEST) & (gain < STRONGEST), gain, 1.0)


def _inside(values: Array, param: Param) -> Array:
    return np.clip(
        values, -np.inf if param.min is None else param.min, np.inf if param.max is None else param.max
    )


def tuned_by_neurons(
    program: ChipProgram, rows: NDArray, chip_seed: int, *, threads: int | None = None
) -> Tuned:
    """The gain and offset of each neuron made up for in its threshold and bias; a readout's by the host.

    rows: (samples, *input_shape) calibration samples, each run on the chip once for every layer
    """
    tuned = replace(program, chip_seed=chip_seed)
    outputs = {port.name: port for port in program.outputs if port.read != "spikes"}
    wanted = _wanted_currents(program, rows, outputs, threads)
    for placed in program.populations:
        run, output = emulate(tuned, rows, threads=threads), outputs.get(placed.name)
        got = (
            run.counts[placed.name] / program.ticks
            if output is None
            else run.outputs[:, _columns(program, output)]
        )
        gain, offset = _lines(wanted[placed.name], got, 1.0 if output is None else np.inf)
        if output is not None:
            tuned = replace(tuned, outputs=_read_anew(tuned.outputs, placed.name, gain, offset))
        else:
            tuned = with_values(tuned, None, _corrected(tuned, placed, gain, offset))
    return Tuned(tuned, len(program.populations) * len(rows))


def _columns(program: ChipProgram, output: Port) -> slice:
    """Where an output stands among all that a run gives."""
    first = sum(port.size for port in program.outputs[: program.outputs.index(output)])
    return slice(first, first + output.size)


def _wanted_currents(
    program: ChipProgram, rows: NDArray, outputs: Mapping[str, Port], threads: int | None
) -> dict[str, Array]:
    """(samples, neurons) by population: the perfect chip's currents in thresholds a tick; a readout's, as read."""
    run, synapses = emulate(program, rows, effects=(), threads=threads), SynapseList.of(program)
    wanted: dict[str, Array] = {}
    lines = len(program.arrays.input_fan_start) - 1
    sent: list[tuple[NDArray, NDArray]] = [
        (np.arange(port.first, port.first + port.size), _encoded(port, rows, program.ticks))
        for port in program.inputs
    ]
    sent += [(lines + one.neurons.astype(np.int64), run.counts[one.name]) for one in program.populations]
    for placed in program.populations:
        at, output = placed.neurons.astype(np.int64), outputs.get(placed.name)
        threshold, bias = (np.asarray(program.arrays.params[name])[at] for name in _names(program.profile))
        current = (
            sum(counts @ synapses.matrix(sources, at) for sources, counts in sent) / program.ticks + bias
        )
        wanted[placed.name] = (
            current / threshold if output is None else run.outputs[:, _columns(program, output)]
        )
    return wanted


def _encoded(port: Port, rows: NDArray, ticks: int) -> Array:
    """(samples, lines) spikes that an input sends."""
    flat = np.asarray(rows, dtype=np.float64).reshape(len(rows), -1)
    flat = flat if port.order is None else flat[:, port.order]
    spikes = encode(flat, port.encoding or "rate", port.scale, ticks, signed=port.signed, planes=port.planes)  # type: ignore[arg-type]
    return np.asarray(spikes.sum(axis=1, dtype=np.int64), dtype=np.float64)


def _lines(wanted: Array, got: Array, ceiling: float) -> tuple[Array, Array]:
    """(neurons,) gain and offset of got = clip(gain * wanted + offset, 0, ceiling), by least squares."""
    gain, offset = np.ones(wanted.shape[1]), np.zeros(wanted.shape[1])
    for _ in range(ROUNDS):
        line = gain * wanted + offset
        used = (
            ((line > 0.0) & (line < ceiling))
            if np.isfinite(ceiling)
            else np.ones(wanted.shape, dtype=np.bool_)
        )
        count = np.maximum(used.sum(axis=0), 1)
        mean = np.where(used, wanted, 0.0).sum(axis=0) / count, np.where(used, got, 0.0).sum(axis=0) / count
        centred = np.where(used, wanted - mean[0], 0.0)
        spread = (centred**2).sum(axis=0)
        slope = np.divide((centred * got).sum(axis=0), spread, out=np.ones_like(spread), where=spread > 0)
        good = (used.sum(axis=0) >= FEWEST) & (slope > WEAKEST) & (slope < STRONGEST)
        gain, offset = np.where(good, slope, gain), np.where(good, mean[1] - slope * mean[0], offset)
    return gain, offset


def _corrected(program: ChipProgram, placed: Placed, gain: Array, offset: Array) -> dict[str, Array]:
    """Thresholds and biases of the program at which the lines of these neurons become the diagonal."""
    names, at = _names(program.profile), placed.neurons
    threshold, bias = (np.array(program.arrays.params[name], dtype=np.float64) for name in names)
    bias[at] -= offset * threshold[at]
    threshold[at] *= gain
    moved = (threshold, bias)
    return {
        name: _inside(values, program.profile.params[name]) for name, values in zip(names, moved, strict=True)
    }


def _read_anew(outputs: tuple[Port, ...], name: str, gain: Array, offset: Array) -> tuple[Port, ...]:
    """The outputs with gain and offset taken out of one of them."""
    made = []
    for port in outputs:
        if port.name == name:
            before = np.zeros(port.size) if port.offset is None else port.offset
            port = replace(port, scale=np.asarray(port.scale) / gain, offset=(before - offset) / gain)
        made.append(port)
    return tuple(made)
