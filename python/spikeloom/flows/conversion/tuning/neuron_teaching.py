"""Gain and offset of all neurons together, taught the perfect chip's outputs: after each was matched on its own.

A neuron whose own counts are right still passes on what its synapses do wrong, each of them a device of its own.
Its neighbours and the layers behind can make up for some of that, if all knobs move together. Forwards the chip
itself runs calibration samples; backwards the slope of `answer_loss` goes through the weights as they were
programmed, which is near enough (in-the-loop training, Schmitt and others 2017): a neuron's rate counts as its mean
current over its threshold, between silence and a spike in every tick. Nothing is known of the chip but counts and
outputs.

For neurons that do nothing but add up, fire and subtract their threshold, and programs without loops. No sample is
used more than `PASSES` times, so that few samples move the knobs but little.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spikeloom.ann.adam import Moments
from spikeloom.flows.conversion.answer_loss import answer_loss
from spikeloom.flows.conversion.synapse_list import Index, between_neurons, with_values
from spikeloom.flows.conversion.tuning.bench import Bench, with_lines
from spikeloom.flows.conversion.tuning.chip_probe import inside
from spikeloom.network.chip_units import only_integrates, threshold_name
from spikeloom.program.program import ChipProgram, Placed

Array = NDArray[np.float64]
STEPS, BATCH = 40, 100
PASSES = 2  # times that a sample is used, at most
RATE = 0.02  # of the first step, of the logarithm of a threshold or of an output's gain
BIAS = 0.15  # of that rate, for a bias in thresholds
OFFSET = 0.45  # of that rate, for the offset of an output in the spread of all outputs


def can_teach_neurons(program: ChipProgram) -> bool:
    """The neurons are plain integrators with a threshold and a bias each, and no synapse leads back."""
    profile, fire = program.profile, program.profile.fire
    if not (only_integrates(profile) and fire.op == "fire" and fire.reset == "subtract"):
        return False
    if profile.bias.kind != "register" or profile.threshold is None:
        return False
    knobs = profile.params[str(profile.bias.param)], profile.params[profile.threshold]
    if not all(knob.scope == "neuron" and knob.is_real for knob in knobs):
        return False
    source, target, _ = between_neurons(program)
    return bool((program.depths[source] < program.depths[target]).all())


def teach_neurons(bench: Bench, wanted: Array) -> None:
    """Move the knobs of the bench's program until its outputs are nearer to those wanted, (rows, outputs).

    The program stays as it was where they came no nearer on the first of the rows.
    """
    before, rng = bench.program, np.random.default_rng(0)
    lesson, knobs = _Lesson.of(before, wanted), _Knobs.none(before)
    moments = Moments([each.shape for each in knobs.turns])
    steps = min(STEPS, PASSES * len(wanted) // BATCH)
    order = np.concatenate([rng.permutation(len(wanted)) for _ in range(PASSES)])
    for step in range(steps):
        rows = order[step * BATCH : (step + 1) * BATCH]
        slopes = lesson.slopes(bench, rows)
        knobs = knobs.moved(moments.shares(slopes), RATE * float(np.cos(0.5 * np.pi * step / steps)))
        bench.program = knobs.set_on(before, lesson.spread)
    if steps and lesson.loss(bench, bench.program) > lesson.loss(bench, before):
        bench.program = before


@dataclass(frozen=True, eq=False)
class _Knobs:
    """How far each was turned: thresholds and biases (neurons,), gains and offsets of the outputs (outputs,)."""

    turns: tuple[Array, Array, Array, Array]

    @classmethod
    def none(cls, program: ChipProgram) -> _Knobs:
        outputs = sum(port.size for port in program.outputs)
        sizes = program.n_neurons, program.n_neurons, outputs, outputs
        return cls(tuple(np.zeros(size) for size in sizes))  # type: ignore[arg-type]

    def moved(self, shares: list[Array], rate: float) -> _Knobs:
        """Shares: of each knob, in units of its rate, to take off."""
        units = 1.0, BIAS, 1.0, OFFSET
        made = (
            turn - rate * unit * share for turn, unit, share in zip(self.turns, units, shares, strict=True)
        )
        return _Knobs(tuple(made))  # type: ignore[arg-type]

    def set_on(self, program: ChipProgram, spread: float) -> ChipProgram:
        """The program with these turns, within what the chip has."""
        profile, (threshold, bias, gain, offset) = program.profile, self.turns
        names = threshold_name(profile), str(profile.bias.param)
        theta, given = (np.asarray(program.arrays.params[name], dtype=np.float64) for name in names)
        made = {names[0]: theta * np.exp(threshold), names[1]: given + bias * theta}
        fit = {name: inside(values, profile.params[name]) for name, values in made.items()}
        lines = with_lines(program.outputs, np.exp(gain), offset * spread)
        return replace(with_values(program, None, fit), outputs=lines)


@dataclass(frozen=True, eq=False)
class _Lesson:
    """What is taught, and the way back through the network.

    matrices: of each population the weights (all neurons, its neurons) from other neurons, the last layer first
    silent: (neurons,) those that are read as a register, and never fire
    """

    wanted: Array
    spread: float
    matrices: tuple[tuple[Placed, csr_array], ...]
    silent: NDArray[np.bool_]

    @classmethod
    def of(cls, program: ChipProgram, wanted: Array) -> _Lesson:
        source, target, weights = between_neurons(program)
        size = program.n_neurons
        whole = csr_array((weights, (source, target)), shape=(size, size)).tocsc()
        order = sorted(program.populations, key=lambda one: -one.depth)
        matrices = tuple((placed, whole[:, placed.neurons].tocsr()) for placed in order)
        silent = np.zeros(size, dtype=bool)
        for port in program.outputs:
            silent[port.neurons] |= port.read != "spikes"
        return cls(wanted, float(np.std(wanted)) or 1.0, matrices, silent)

    def loss(self, bench: Bench, program: ChipProgram) -> float:
        """Of a program on as many rows as are measured."""
        return answer_loss(bench.few_outputs(program), self.wanted[: bench.few], self.spread)[0]

    def slopes(self, bench: Bench, rows: Index) -> list[Array]:
        """Of the loss on some rows, in each of the knobs."""
        program, run = bench.program, bench.recorded(rows)
        _, slope = answer_loss(run.outputs, self.wanted[rows], self.spread)
        offset = np.concatenate([np.zeros(port.size) if port.offset is None else port.offset
                                 for port in program.outputs])  # fmt: skip
        thresholds, biases = self._back(program, run.counts, slope)
        return [
            thresholds,
            biases,
            (slope * (run.outputs - offset)).sum(axis=0),
            slope.sum(axis=0) * self.spread,
        ]

    def _back(self, program: ChipProgram, counts: Mapping[str, NDArray], slope: Array) -> tuple[Array, Array]:
        """Slopes (neurons,) in the logarithm of each threshold, and in each bias in thresholds."""
        at_rates = _at_outputs(program, slope)
        theta = program.arrays.params[threshold_name(program.profile)]
        thresholds, biases = np.zeros(program.n_neurons), np.zeros(program.n_neurons)
        for placed, matrix in self.matrices:
            at, rates = placed.neurons, counts[placed.name] / program.ticks
            fires = (rates > 0.0) & (rates < 1.0) & (theta[at] > 0.0) & ~self.silent[at]
            mine = at_rates[:, at] * np.where(self.silent[at], 1.0, fires)
            thresholds[at], biases[at] = -(mine * rates * fires).sum(axis=0), (mine * fires).sum(axis=0)
            per_current = np.divide(mine, theta[at], out=np.zeros_like(mine), where=fires)
            at_rates += (matrix @ np.where(self.silent[at], mine, per_current).T).T
        return thresholds, biases


def _at_outputs(program: ChipProgram, slope: Array) -> Array:
    """(rows, neurons) slopes in rates, and in mean currents of what is read as a register, of the outputs alone."""
    made, first = np.zeros((len(slope), program.n_neurons)), 0
    for port in program.outputs:
        scale = np.ones(port.size) if port.scale is None else np.asarray(port.scale)
        mine = slope[:, first : first + port.size] * scale * program.ticks
        made[:, np.asarray(port.neurons)] += mine
        first += port.size
    return made
