"""One layer's conversion: search the scale, measure the response, fit, and judge on the emulated chip.

Every candidate is judged by the error of the emulated layer on a fifth of the images. No solve sees these; among the
others a fifth chooses a fit's lambda, and its last solve uses all of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import FitError
from spikeloom.fit.groups import grouped_bias, grouped_copy, grouped_current, solve_groups
from spikeloom.fit.integer import full_range_scale, nearest
from spikeloom.fit.layer import copy_layer, fit_layer, given_layer
from spikeloom.fit.problem import LayerFit, LayerProblem, Method, Response
from spikeloom.flows.conversion.chip_limits import firing_ceiling, membrane_wraps
from spikeloom.flows.conversion.layers.layer_task import LayerTask, emulated_error, measured_pairs, on_chip
from spikeloom.flows.conversion.layers.wrap_room import bias_within_register, within_register, wraps_by_type
from spikeloom.network.chip_layer import ChipLayer, Synapses

Array = NDArray[np.float64]
PERCENTILES = (95.0, 97.0, 99.0, 99.9, 100.0)
HEADROOMS = (1.0, 1.33, 2.0)
UNSATURATED = (1.25, 1.6, 2.2)
FINALISTS = 2  # scales that get a full fit, where the second one's error is close to the best
CLOSE = 1.03
PROBE_NEURON_TICKS = 4_000_000  # size of an emulation in the scale search


@dataclass(frozen=True, eq=False)
class Candidate:
    """A fitted layer in chip codes with the error of its emulation on the judging images.

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
        scale = 1.0 / max(float(np.std(task.data.target)), 1e-12)
        return _best(_candidates(task, method, scale, Response.linear()))
    finalists = task.data.remembered("scales", lambda: _promising_scales(task.at_full_precision))
    candidates = [c for scale, response in finalists for c in _candidates(task, method, scale, response)]
    return _with_measured_bias(task, _best(candidates))


def given_synapses(task: LayerTask, weights: Array, bias: Array, scale: float) -> Candidate:
    """Synapses from elsewhere as a candidate, judged as the others are."""
    response = Response.linear() if task.is_last else Response.clipped(firing_ceiling(task.profile))
    solve = partial(given_layer, weights=weights, bias=bias)
    return _judged(task, solve_groups(task.problems(scale, response), solve), scale)


def _candidates(task: LayerTask, method: Method, scale: float, response: Response) -> list[Candidate]:
    """The weight copy, the fit, or both, at one scale."""
    ways: list[Callable[[LayerTask], LayerFit]] = []
    if method in ("copy", "fit") or task.copy_is_exact:
        ways.append(lambda one: _copied(one, scale, response))
    if method != "copy" and not task.copy_is_exact:
        ways.append(lambda one: _solved(one, method, scale, response))
    found = [within_register(task, way) if wraps_by_type(task) else (task, way(task)) for way in ways]
    if method == "fit" and len(found) == 2:
        found[0] = (found[0][0], _with_bound_of(found[1][1], found[0][1]))
    return [_judged(own, fit, scale) for own, fit in found]


def _copied(task: LayerTask, scale: float, response: Response) -> LayerFit:
    """The weight copy, which all methods share."""
    what = f"copy {scale} {task.part}"
    return task.data.remembered(what, lambda: solve_groups(task.problems(scale, response), copy_layer))


def _solved(task: LayerTask, method: Method, scale: float, response: Response) -> LayerFit:
    problems = [_with_gain(problem, method) for problem in task.problems(scale, response)]
    return solve_groups(problems, partial(fit_layer, method=method))


def _with_bound_of(solved: LayerFit, copy: LayerFit) -> LayerFit:
    """The copy with the bound of the problem that was solved: it pays no penalty, so the bound is one for it too."""
    if solved.bound_tag == "none":  # too few rows to solve anything
        return copy
    gap = (copy.loss - solved.bound) / copy.loss if copy.loss > 0 else 0.0
    return replace(copy, bound=solved.bound, bound_tag=solved.bound_tag, gap=gap)


def _promising_scales(task: LayerTask) -> list[tuple[float, Response]]:
    """The target scales at which the weight copy errs least, each with its measured response."""
    held = _some(task, task.data.held)
    scores = []
    for scale in _scales(task):
        try:
            response = _measured_response(task, scale, _some(task, ~task.data.held))
        except FitError:  # silent at this scale: nothing to measure
            continue
        copy = _roughly(task, scale, grouped_copy(task.problems(scale, response)))
        scores.append((emulated_error(task, on_chip(task, copy), scale, held), scale))
    if not scores:
        raise FitError(
            task.layer.name, "is silent at every scale", remedy="give more calibration rows or ticks"
        )
    least = min(scores)[0]
    best = [scale for error, scale in sorted(scores)[:FINALISTS] if error <= CLOSE * least]
    return [(scale, _measured_response(task, scale, _some(task, ~task.data.held, 4))) for scale in best]


def _scales(task: LayerTask) -> Iterator[float]:
    """Target scales that bring a percentile of the activation to a share of the ceiling, a tenth or more apart."""
    peaks = [
        float(peak) for peak in np.percentile(task.data.answer[~task.data.held], PERCENTILES) if peak > 0
    ]
    if not peaks:
        raise FitError(
            task.layer.name, "has no active unit on the calibration rows", remedy="give other rows"
        )
    ceiling, headrooms = firing_ceiling(task.profile), HEADROOMS
    if membrane_wraps(
        task.profile
    ):  # a neuron that is asked for more than its ceiling would leave its register
        peaks, headrooms = peaks[-1:], UNSATURATED
    last = 0.0
    for scale in sorted(ceiling / (headroom * peak) for peak in peaks for headroom in headrooms):
        if scale > 1.1 * last:
            yield scale
            last = scale


def _measured_response(task: LayerTask, scale: float, images: NDArray[np.intp]) -> Response:
    """The neuron's response under the layer's own input: the weight copy emulated on these images."""
    ceiling = firing_ceiling(task.profile)
    copy = _roughly(task, scale, grouped_copy(task.problems(scale, Response.clipped(ceiling))))
    return Response.from_pairs(*measured_pairs(task, copy, images), ceiling)


def _with_measured_bias(task: LayerTask, candidate: Candidate) -> Candidate:
    """The bias fitted again on the response that the finished layer really has; kept only where that helps."""
    synapses = Synapses.of(candidate.fit)
    pairs = measured_pairs(task, synapses, _some(task, ~task.data.held, 4))
    try:
        response = Response.from_pairs(*pairs, firing_ceiling(task.profile))
    except FitError:  # it hardly fires: nothing to learn from
        return candidate
    current = grouped_current(task.data.activity, synapses.weights, task.layer.groups)
    bias = grouped_bias(task.problems(candidate.scale, response), current, synapses.bias)
    bias = bias_within_register(task, synapses, bias)
    again = _judged(task, replace(candidate.fit, quantised_bias=bias), candidate.scale)
    return _best([candidate, again])


def _judged(task: LayerTask, fit: LayerFit, scale: float) -> Candidate:
    """The candidate with its emulated error on the judging images."""
    chip = on_chip(task, Synapses.of(fit))
    return Candidate(fit, chip, scale, emulated_error(task, chip, scale, _some(task, task.data.held, 16)))


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
    if grid.type_table is not None:
        scales = grid.type_table.steps
    else:
        scales = np.clip(full_range_scale(weights, grid.levels), grid.scale_min, grid.scale_max)
    codes = nearest(weights, scales, grid.levels).astype(np.int32)
    return Synapses(task.layer.name, codes, scales, bias)


def _with_gain(problem: LayerProblem, method: Method) -> LayerProblem:
    return replace(problem, gain="keep" if method in ("fit+gain", "robust") else "free")


def _best(candidates: list[Candidate]) -> Candidate:
    return min(candidates, key=lambda candidate: candidate.error)
