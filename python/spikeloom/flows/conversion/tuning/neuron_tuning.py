"""Gain and offset of every neuron set anew on one chip, by spike counts alone: the cheap mode of chip in the loop.

A neuron has two knobs, its bias and its threshold, as far as the chip has them. What a turn of each does to its
counts on calibration samples is measured on the chip, so nothing need be known of the neuron but that its counts
move. The knobs are then turned until the mean of its counts, and how they go along with those of the perfect chip,
are those of the perfect chip. Layer by layer: what reaches a layer comes from layers already tuned, so that it also
makes up for what they still do wrong. Then the host reads each output with a gain and an offset of its own. Last,
where neurons only add up, all knobs move together for the sake of the outputs, see `neuron_teaching`.

A neuron's counts say little where it hardly ever fires, so a knob is held at its place by a spring as strong as the
mismatch that is expected, and moves as far as the samples are worth it. Nothing of the chip's synapses is measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.flows.conversion.tuning.bench import Bench, Tuned, read_anew
from spikeloom.flows.conversion.tuning.neuron_teaching import can_teach_neurons, teach_neurons
from spikeloom.flows.conversion.tuning.perfect_run import SAMPLES, PerfectRun
from spikeloom.profile.schema import Profile
from spikeloom.program.program import ChipProgram, Placed

Array = NDArray[np.float64]
THRESHOLD_STEP = 0.1  # of a threshold: how far it is turned to see what that does
FIRST_STEP, LARGER = 1e-5, 4.0  # of a threshold, by which the bias is turned first; then so many times larger
MOVED = (
    0.02  # spikes a tick by which a layer's counts have to move, in the mean, for a step to be large enough
)
LARGEST_STEP = 0.5  # of a threshold
FEW = 50  # samples by which the step is found
SPRING = 3.0  # steps that a knob is expected to be off by
ROUNDS = 4  # turns, each measured
TOLD = 0.1  # squared steps from which on a turn tells something of the slopes
SILENT = 0.5  # of the usual slope: what the bias of a neuron that is silent is taken to do
FARTHEST = 8.0  # steps from where the program had it: a fifth of a threshold stays


def tuned_by_neurons(
    program: ChipProgram, rows: NDArray | PerfectRun, chip_seed: int, *, threads: int | None = None
) -> Tuned:
    """The gain and offset of each neuron set anew on this chip, those of the outputs by the host.

    rows: (samples, *input_shape) calibration samples; or, where several chips are tuned, what the perfect chip does
    on them. The first `SAMPLES` are run several times for every layer; with all of them neurons are taught together,
    where that can be done, each at most `PASSES` times
    """
    perfect = rows if isinstance(rows, PerfectRun) else PerfectRun.of(program, rows, threads=threads)
    bench = Bench(replace(program, chip_seed=chip_seed), perfect.rows, threads, SAMPLES)
    knobs = _knobs(program.profile)
    read_out = {port.name for port in program.outputs if port.read != "spikes"}
    for placed in sorted(program.populations, key=lambda one: one.depth):
        if placed.name not in read_out and knobs:
            _tune(bench, placed, knobs, perfect.rates[placed.name], perfect.features[placed.name])
    bench.program = read_anew(bench, perfect.outputs)
    if can_teach_neurons(program):
        teach_neurons(bench, perfect.outputs)
    return Tuned(bench.program, bench.runs)


def _knobs(profile: Profile) -> tuple[str, ...]:
    """Parameters of each neuron, real or whole numbers, that move its counts: bias and threshold."""
    names = [profile.bias.param if profile.bias.kind == "register" else None, profile.threshold]
    return tuple(
        name
        for name in names
        if name is not None
        and profile.params[name].scope == "neuron"
        and profile.params[name].format in ("float", "int", "shift")
    )


@dataclass(frozen=True, eq=False)
class _Wheel:
    """The knobs of a population: where the program had them, how far a step turns each, and how far they go."""

    start: dict[str, Array]
    step: dict[str, Array]
    profile: Profile

    def at(self, turns: Array) -> dict[str, Array]:
        """Values after so many steps (neurons, knobs), kept within the chip's range."""
        return {
            name: self._possible(name, self.start[name] + turns[:, k] * self.step[name])
            for k, name in enumerate(self.start)
        }

    def real(self, turns: Array) -> Array:
        """(neurons, knobs) steps that were really made."""
        values = self.at(turns)
        made = [(values[name] - self.start[name]) / self.step[name] for name in self.start]
        return np.stack(made, axis=1)

    def _possible(self, name: str, values: Array) -> Array:
        param = self.profile.params[name]
        values = values if param.is_real else np.rint(values)
        return np.clip(values, -np.inf if param.min is None else param.min,
                       np.inf if param.max is None else param.max)  # fmt: skip


def _tune(bench: Bench, placed: Placed, knobs: tuple[str, ...], wanted: Array, features: Array) -> None:
    """Turn the knobs of one population until its counts are those wanted (samples, neurons), in spikes a tick."""
    wheel = _wheel(bench, placed, knobs)
    turns = np.zeros((placed.neurons.size, len(knobs)))
    got = bench.rates(placed, wheel.at(turns))
    off, noise = _off(got, wanted, features, bench.program.ticks)
    slopes = _slopes(bench, placed, wheel, features, got)
    best, least = turns, (off**2).sum(axis=1)
    for _ in range(ROUNDS):
        there = wheel.real(_next(turns, off, slopes, noise))
        before = off
        off, noise = _off(bench.rates(placed, wheel.at(there)), wanted, features, bench.program.ticks)
        slopes = _learned(slopes, there - turns, off - before)
        turns, size = there, (off**2).sum(axis=1)
        best, least = np.where((size < least)[:, None], turns, best), np.minimum(size, least)
    bench.program = bench.turned(placed, wheel.at(best))


def _learned(slopes: Array, turned: Array, moved: Array) -> Array:
    """Slopes (neurons, 2, knobs) that say of the last turn what it did; of one too small to tell, nothing is learned.

    By Broyden's rule: what a turn in any other direction does is left as it was.
    """
    far = (turned**2).sum(axis=1)
    surprise = moved - np.einsum("nfk,nk->nf", slopes, turned)
    learned = surprise[:, :, None] * turned[:, None, :] / np.maximum(far, TOLD)[:, None, None]
    return np.where((far >= TOLD)[:, None, None], slopes + learned, slopes)


def _off(got: Array, wanted: Array, features: Array, ticks: int) -> tuple[Array, Array]:
    """(neurons, 2) mean and course of the difference, and (neurons,) the variance that chance gives each."""
    difference = got - wanted
    off = np.einsum("sn,sfn->nf", difference, features) / len(got)
    left = difference - np.einsum("nf,sfn->sn", off, features)
    return off, (left**2).mean(axis=0) / len(got) + 1.0 / (12.0 * ticks**2 * len(got))


def _slopes(bench: Bench, placed: Placed, wheel: _Wheel, features: Array, got: Array) -> Array:
    """(neurons, 2, knobs) what one step of each knob does to mean and course, measured."""
    found = []
    for k in range(len(wheel.start)):
        turns = np.zeros((placed.neurons.size, len(wheel.start)))
        turns[:, k] = 1.0
        made = wheel.real(turns)[:, k]
        moved = bench.rates(placed, wheel.at(turns)) - got
        change = np.einsum("sn,sfn->nf", moved, features) / len(got)
        found.append(change / np.where(made == 0.0, np.inf, made)[:, None])
    slopes = np.stack(found, axis=2)
    if bench.program.profile.bias.param in wheel.start:
        slopes[:, 0, 0] = np.maximum(slopes[:, 0, 0], SILENT * np.median(slopes[:, 0, 0]))
    return slopes


def _next(turns: Array, off: Array, slopes: Array, noise: Array) -> Array:
    """Steps (neurons, knobs) at which the difference, straight in the steps, and the springs pull alike."""
    weight = 1.0 / noise[:, None, None]
    matrix = slopes.transpose(0, 2, 1) @ slopes * weight + np.eye(turns.shape[1]) / SPRING**2
    pull = (slopes.transpose(0, 2, 1) @ off[:, :, None] * weight)[:, :, 0] + turns / SPRING**2
    moved: Array = turns - np.linalg.solve(matrix, pull[:, :, None])[:, :, 0]
    return np.clip(moved, -FARTHEST, FARTHEST)


def _wheel(bench: Bench, placed: Placed, knobs: tuple[str, ...]) -> _Wheel:
    """Steps large enough to be seen: a tenth of a threshold; of a bias, what moves the counts of some samples."""
    profile = bench.program.profile
    start = {name: bench.value(name)[placed.neurons] for name in knobs}
    step = {name: THRESHOLD_STEP * np.abs(values) for name, values in start.items()}
    if profile.bias.param in knobs:
        name = str(profile.bias.param)
        whole = (
            np.abs(start[profile.threshold]) if profile.threshold in knobs else np.ones(placed.neurons.size)
        )
        step[name] = whole * _bias_share(bench, placed, start, whole)
    step = {name: np.where(size > 0.0, size, 1.0) for name, size in step.items()}
    return _Wheel(start, step, profile)


def _bias_share(bench: Bench, placed: Placed, start: dict[str, Array], whole: Array) -> float:
    """The first of ever larger steps of the bias, in shares of `whole`, that moves the counts of a population."""
    name, profile = str(bench.program.profile.bias.param), bench.program.profile
    at_rest, share = bench.rates(placed, start, FEW), FIRST_STEP
    while share * LARGER <= LARGEST_STEP:
        raised = _Wheel({name: start[name]}, {name: share * whole}, profile).at(
            np.ones((placed.neurons.size, 1))
        )
        if (bench.rates(placed, {**start, **raised}, FEW) - at_rest).mean() >= MOVED:
            break
        share *= LARGER
    return share
