"""One layer's conversion: search the scale, measure the response, fit, and judge on the emulated chip.

Every candidate is judged by the error of the emulated layer on images that the fit has not seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import AnnLayer
from spikeloom.emulation.measure import readout, window_rates
from spikeloom.errors import FitError
from spikeloom.fit.integer import full_range_scale, nearest
from spikeloom.fit.layer import copy_layer, fit_layer, make_loss
from spikeloom.fit.prior import gain_copy, plain_copy
from spikeloom.fit.problem import LayerFit, LayerProblem, Method, Objective, Response, WeightGrid
from spikeloom.flows.chip_limits import firing_ceiling, full_precision, weight_grid
from spikeloom.flows.input_coding import InputCoding
from spikeloom.flows.layer_data import LayerData
from spikeloom.network.from_fit import ChipLayer, Synapses, chip_layer, hosted_layer, smallest_scale
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place_without_limits
from spikeloom.profile.schema import Profile
from spikeloom.program.program import ChipProgram

Array = NDArray[np.float64]
PERCENTILES = (95.0, 97.0, 99.0, 99.9, 100.0)
HEADROOMS = (1.0, 1.33, 2.0)
FINALISTS = 2  # scales that get a full fit, where the second one's error is close to the best
CLOSE = 1.03
WEAKEST = 16.0  # scales of outputs may differ from the typical one by this much
PEAK_IMAGES = 32  # images on which peaks of the accumulators are measured
PROBE_NEURON_TICKS = 4_000_000  # size of an emulation in the scale search


@dataclass(frozen=True, eq=False)
class LayerTask:
    """What a layer is searched for: its data, the chip, and the designer's choices.

    coding: of the network's input, for the first layer only
    """

    data: LayerData
    profile: Profile
    ticks: int
    is_last: bool
    coding: InputCoding | None = None
    objective: Objective = "matching"
    threads: int | None = None

    @property
    def layer(self) -> AnnLayer:
        """The layer of the ANN."""
        return self.data.layer

    @property
    def by_host(self) -> bool:
        """The host computes this layer's current."""
        return self.coding is not None and self.coding.by_host

    @property
    def planes(self) -> int:
        """Lines of an input channel."""
        return 1 if self.coding is None else self.coding.planes

    @property
    def at_full_precision(self) -> LayerTask:
        """The same task with as many weight bits as the code has, so that a search does not see rounding."""
        return replace(self, profile=full_precision(self.profile))

    def grid(self, scale: float) -> WeightGrid:
        """The codes and scales that the chip has for this layer at a target scale.

        An output whose weights are so much weaker than its neighbours' that its threshold would leave the chip's
        range, or take the others' precision, keeps a coarser grid.
        """
        if self.by_host:
            return WeightGrid()
        grid = weight_grid(self.profile, readout=self.is_last)
        if grid.levels is None or self.is_last:
            return grid
        weights = self.layer.matrix * scale / np.reshape(self.data.input_scale, (-1, 1))
        typical = float(np.median(full_range_scale(weights, grid.levels)))
        return replace(grid, scale_min=max(smallest_scale(self.profile, self.layer), typical / WEAKEST))

    def problem(self, scale: float, response: Response) -> LayerProblem:
        """The calibration problem at a target scale."""
        data, ceiling = self.data, firing_ceiling(self.profile)
        return LayerProblem(
            self.layer.name, data.activity, data.target, _activation(self.layer), self.layer.matrix,
            self.layer.bias, data.input_scale, scale, response, ceiling, self.grid(scale), self.objective,
            analytic_activity=data.analytic_activity, holdout=data.held[data.picks[0]], seed=data.seed,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Candidate:
    """A fitted layer in chip codes with the error of its emulation on held-out images.

    error: mean squared error of the emulated activation, divided by the variance of the wanted one
    scale: rate per unit of the ANN's activation; for the last layer the readout's current per unit
    """

    fit: LayerFit
    chip: ChipLayer
    scale: float
    error: float


def convert_layer(task: LayerTask, method: Method) -> Candidate:
    """The best candidate for this layer; `method` "copy" stays with the weight copy, "fit" may fall back on it."""
    if task.is_last:
        return _best(_last_layer_candidates(task, method))
    candidates: list[Candidate] = []
    for scale, response in task.data.remembered("scales", lambda: _promising_scales(task.at_full_precision)):
        problem = task.problem(scale, response)
        if method in ("copy", "fit") or task.by_host:
            candidates.append(task.data.remembered(f"copy {scale}", partial(_copied, task, problem, scale)))
        if method != "copy" and not task.by_host:  # the host's currents are exact: there is nothing to fit
            candidates.append(_judged(task, fit_layer(_with_gain(problem, method), method), scale))
    return _with_measured_bias(task, _best(candidates))


def one_layer_program(task: LayerTask, chip: ChipLayer, scale: Array | None = None) -> ChipProgram:
    """The layer alone behind input lines, over warm-up and window."""
    network = SpikingNetwork(task.profile)
    network.input("feed", task.data.feed.size, encoding="current" if task.by_host else "spikes")
    chip.add_to(network, "feed")
    population = network.populations[chip.name]
    if scale is None:
        network.output(population, read="spikes")
    else:
        network.output(population, read=task.profile.fire.reg, scale=scale)
    return place_without_limits(network, ticks=task.data.feed.ticks)


def readout_scale(task: LayerTask, chip: ChipLayer, scale: float) -> Array:
    """(n_target,) ANN units per LSB of the accumulated readout."""
    return 1.0 / (chip.theta * task.ticks * scale)


def _last_layer_candidates(task: LayerTask, method: Method) -> list[Candidate]:
    spread = float(np.std(task.data.target[~task.data.held[task.data.picks[0]]]))
    scale = 1.0 / max(spread, 1e-12)
    problem = task.problem(scale, Response.linear())
    fits = [copy_layer(problem)] if method in ("copy", "fit") else []
    if method != "copy":
        fits.append(fit_layer(_with_gain(problem, method), method))
    return [_judged(task, fit, scale) for fit in fits]


def _promising_scales(task: LayerTask) -> list[tuple[float, Response]]:
    """The target scales at which the weight copy errs least, each with its measured response."""
    held = _some(task, task.data.held)
    scores = []
    for scale in _scales(task):
        try:
            response = _measured_response(task, scale, _some(task, ~task.data.held))
        except FitError:  # silent at this scale: nothing to measure
            continue
        copy = _roughly(task, scale, gain_copy(task.problem(scale, response)))
        scores.append((_error(task, _chip(task, copy), scale, held), scale))
    if not scores:
        raise FitError(
            task.layer.name, "is silent at every scale", remedy="give more calibration rows or ticks"
        )
    least = min(scores)[0]
    best = [scale for error, scale in sorted(scores)[:FINALISTS] if error <= CLOSE * least]
    return [(scale, _measured_response(task, scale, _some(task, ~task.data.held, 4))) for scale in best]


def _scales(task: LayerTask) -> Iterator[float]:
    """Target scales that bring a percentile of the activation to a share of the ceiling, a tenth or more apart."""
    wanted = np.maximum(task.data.target, 0.0)
    peaks = [float(peak) for peak in np.percentile(wanted, PERCENTILES) if peak > 0]
    if not peaks:
        raise FitError(
            task.layer.name, "has no active unit on the calibration rows", remedy="give other rows"
        )
    ceiling = firing_ceiling(task.profile)
    last = 0.0
    for scale in sorted(ceiling / (headroom * peak) for peak in peaks for headroom in HEADROOMS):
        if scale > 1.1 * last:
            yield scale
            last = scale


def _measured_response(task: LayerTask, scale: float, images: NDArray[np.intp]) -> Response:
    """The neuron's response under the layer's own input: the weight copy emulated on these images."""
    ceiling = firing_ceiling(task.profile)
    copy = _roughly(task, scale, plain_copy(task.problem(scale, Response.clipped(ceiling))))
    return Response.from_pairs(*_measured_pairs(task, copy, images), ceiling)


def _measured_pairs(task: LayerTask, synapses: Synapses, images: NDArray[np.intp]) -> tuple[Array, Array]:
    """(rows, m) mean currents in threshold units and emulated rates, at the picked rows of these images."""
    chip = _chip(task, synapses)
    rates = np.full((len(task.data.coded), task.layer.n_outputs), np.nan)
    feed = task.data.feed.rows(images)
    rates[images] = window_rates(one_layer_program(task, chip), feed, chip.name, threads=task.threads)
    inside = np.isin(task.data.picks[0], images)
    currents = task.data.activity[inside] @ synapses.weights + synapses.bias
    return currents, task.data.at_picks(rates)[inside]


def _with_measured_bias(task: LayerTask, candidate: Candidate) -> Candidate:
    """The bias fitted again on the response that the finished layer really has; kept only where that helps."""
    synapses = Synapses.of(candidate.fit)
    pairs = _measured_pairs(task, synapses, _some(task, ~task.data.held, 4))
    try:
        response = Response.from_pairs(*pairs, firing_ceiling(task.profile))
    except FitError:  # it hardly fires: nothing to learn from
        return candidate
    current = task.data.activity @ synapses.weights
    bias = make_loss(task.problem(candidate.scale, response)).best_bias(current, synapses.bias)
    again = _judged(task, replace(candidate.fit, quantised_bias=bias), candidate.scale)
    return _best([candidate, again])


def _copied(task: LayerTask, problem: LayerProblem, scale: float) -> Candidate:
    return _judged(task, copy_layer(problem), scale)


def _judged(task: LayerTask, fit: LayerFit, scale: float) -> Candidate:
    """The candidate with its emulated error on the held-out images."""
    chip = _chip(task, Synapses.of(fit))
    return Candidate(fit, chip, scale, _error(task, chip, scale, _some(task, task.data.held, 16)))


def _error(task: LayerTask, chip: ChipLayer, scale: float, images: NDArray[np.intp]) -> float:
    """Mean squared error of the emulated activation on these images, over the variance of the wanted one."""
    feed = task.data.feed.rows(images)
    if task.is_last:
        program = one_layer_program(task, chip, readout_scale(task, chip, scale))
        got = readout(program, feed, threads=task.threads)
    else:
        got = window_rates(one_layer_program(task, chip), feed, chip.name, threads=task.threads) / scale
    wanted = task.layer.activate(task.data.preactivation[images])
    variance = np.mean((wanted - wanted.mean(axis=0)) ** 2)
    return float(np.mean((got - wanted) ** 2) / max(variance, 1e-300))


def _chip(task: LayerTask, synapses: Synapses) -> ChipLayer:
    fitted = replace(
        task.layer, weights=synapses.weights.reshape(task.layer.weights.shape), bias=synapses.bias
    )
    if task.by_host:
        assert task.coding is not None
        channels = np.eye(task.coding.size) * task.coding.scale
        return hosted_layer(
            fitted, fitted.preactivation(task.coding.halves(channels)) - _spread_bias(fitted), task.profile,
            ticks=task.ticks, peak=_host_peak(task, fitted),
        )  # fmt: skip
    return chip_layer(
        synapses, task.layer, task.profile, ticks=task.ticks, peak=_peak(task, fitted), readout=task.is_last,
        depth=task.data.feed.depth, planes=task.planes,
    )  # fmt: skip


def _spread_bias(layer: AnnLayer) -> Array:
    return np.tile(layer.bias, layer.positions)


def _host_peak(task: LayerTask, fitted: AnnLayer) -> float:
    """Largest magnitude of the host's current on a few images, in threshold units."""
    return float(np.abs(fitted.preactivation(task.data.coded[:: max(1, len(task.data.coded) // 256)])).max())


def _peak(task: LayerTask, fitted: AnnLayer) -> Array:
    """(m,) largest current of one tick on a few images in threshold units; accumulated, for a readout."""
    feed = task.data.feed.inputs
    spikes = feed[:: max(1, len(feed) // PEAK_IMAGES)][:PEAK_IMAGES]
    samples, ticks, lines = spikes.shape
    trains = spikes.reshape(samples * ticks, lines).astype(np.float64)
    if task.planes > 1:
        trains = trains.reshape(samples * ticks, -1, task.planes) @ 2.0 ** -np.arange(1, task.planes + 1)
    currents = fitted.preactivation(trains).reshape(samples, ticks, task.layer.positions, -1)
    if task.is_last:
        currents = currents.cumsum(axis=1)
    peak: Array = np.abs(currents).max(axis=(0, 1, 2))
    return peak


def _activation(layer: AnnLayer) -> Literal["relu", "identity"]:
    return "relu" if layer.activation == "relu" else "identity"


def _some(task: LayerTask, mask: NDArray[np.bool_], times: int = 1) -> NDArray[np.intp]:
    """As many of these images, evenly spread, as an emulation in the search can afford."""
    images = np.flatnonzero(mask)
    lines, ticks = max(task.layer.n_inputs, task.layer.n_outputs), task.data.feed.ticks
    count = min(images.size, max(32, times * PROBE_NEURON_TICKS // (lines * ticks)))
    return images[np.linspace(0, images.size - 1, count).astype(np.intp)]


def _roughly(task: LayerTask, scale: float, relaxed: tuple[Array, Array]) -> Synapses:
    """Relaxed (weights, bias) at the nearest code, each output at its own full range: for the search only."""
    (weights, bias), grid = relaxed, task.grid(scale)
    if grid.levels is None:
        return Synapses(task.layer.name, weights, np.ones(bias.shape), bias)
    scales = np.maximum(full_range_scale(weights, grid.levels), grid.scale_min)
    codes = nearest(weights, scales, grid.levels).astype(np.int32)
    return Synapses(task.layer.name, codes, scales, bias)


def _with_gain(problem: LayerProblem, method: Method) -> LayerProblem:
    return replace(problem, gain="keep" if method == "fit+gain" else "free")


def _best(candidates: list[Candidate]) -> Candidate:
    return min(candidates, key=lambda candidate: candidate.error)
