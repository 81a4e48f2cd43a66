"""A layer whose outputs fall into groups that see different inputs: a problem for each group, and one fit of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from spikeloom.fit.figures import loss_unit
from spikeloom.fit.integer import cluster_scales, nearby
from spikeloom.fit.layer import copy_layer, make_loss
from spikeloom.fit.prior import gain_copy
from spikeloom.fit.problem import Array, LayerFit, LayerProblem, LineSigns

LOSSES = (
    "loss", "bound", "data_loss", "quantised_loss", "quantised_data_loss", "rounding_loss", "plain_rounding_loss",
    "plain_quantised_loss",
)  # fmt: skip
TAGS = ("none", "sampled", "relaxed", "dual", "exact")  # from the weakest to the strongest


def solve_groups(problems: Sequence[LayerProblem], solve: Callable[[LayerProblem], LayerFit]) -> LayerFit:
    """What `solve` makes of the groups, as one fit of outputs side by side.

    Where the grid has fewer scales than there are outputs, each group is given the one of them that is nearest to
    the scale of its rounded weight copy. Losses are relative to the loss of the best constant of all groups.
    """
    if len(problems) == 1:
        return solve(problems[0])
    shared = _with_shared_scales(problems)
    return _joined([solve(problem) for problem in shared], shared)


def grouped_copy(problems: Sequence[LayerProblem]) -> tuple[Array, Array]:
    """The weight copies of the groups: (n, m) and (m,)."""
    weights, biases = zip(*(gain_copy(problem) for problem in problems), strict=True)
    return np.concatenate(weights, axis=1), np.concatenate(biases)


def grouped_current(activity: Array, weights: Array, groups: int) -> Array:
    """(N, groups * n) activity of the groups' inputs, (n, m) weights -> (N, m) currents."""
    if groups == 1:
        return activity @ weights
    pairs = zip(np.split(activity, groups, axis=1), np.split(weights, groups, axis=1), strict=True)
    return np.concatenate([rates @ own for rates, own in pairs], axis=1)


def grouped_bias(problems: Sequence[LayerProblem], current: Array, bias: Array) -> Array:
    """(m,) the biases that are best for these currents (N, m) of the synapses alone, starting from `bias`."""
    parts = zip(
        problems, np.split(current, len(problems), axis=1), np.split(bias, len(problems)), strict=True
    )
    return np.concatenate([make_loss(problem).best_bias(own, start) for problem, own, start in parts])


def _with_shared_scales(problems: Sequence[LayerProblem]) -> list[LayerProblem]:
    grid = problems[0].grid
    outputs = sum(problem.n_outputs for problem in problems)
    if grid.levels is None or grid.scale_groups is None or grid.scale_groups >= outputs:
        return list(problems)
    free = replace(grid, scale_groups=None)
    liked = np.array(
        [np.exp(np.log(copy_layer(replace(problem, grid=free)).scales).mean()) for problem in problems]
    )
    chosen = nearby(np.unique(cluster_scales(liked, grid.scale_groups)), liked, 1)[0]
    grids = (replace(grid, scale_groups=1, scale_min=scale, scale_max=scale) for scale in chosen)
    return [replace(problem, grid=own) for problem, own in zip(problems, grids, strict=True)]


def _joined(fits: Sequence[LayerFit], problems: Sequence[LayerProblem]) -> LayerFit:
    """One fit of all outputs."""
    units = np.array([loss_unit(problem, make_loss(problem)) for problem in problems])
    losses: dict[str, Any] = {
        name: float(np.dot([getattr(fit, name) for fit in fits], units) / units.sum()) for name in LOSSES
    }
    tag = min((fit.bound_tag for fit in fits), key=TAGS.index)
    loss, bound = losses["loss"], losses["bound"]
    gap = float("inf") if tag == "none" else (loss - bound) / loss if loss > 1e-12 else 0.0
    together: dict[str, Any] = {
        name: np.concatenate([getattr(fit, name) for fit in fits], axis=-1)
        for name in ("weights", "codes", "bias", "scales", "quantised_bias")
    }
    if fits[0].gains is not None:
        together["gains"] = np.concatenate([fit.gains for fit in fits if fit.gains is not None], axis=-1)
    return replace(
        fits[0],
        **(together | losses),
        kept=np.arange(together["bias"].size),
        bound_tag=tag,
        gap=gap,
        lambda_=float(np.mean([fit.lambda_ for fit in fits])),
        dead=sum(fit.dead for fit in fits),
        saturated=sum(fit.saturated for fit in fits),
        gain_deviation=max(fit.gain_deviation for fit in fits),
        warnings=_warnings(fits),
        rounding_gap=max(fit.rounding_gap for fit in fits),
        proven_codes=sum(fit.proven_codes for fit in fits),
        signs=_signs(fits, units / units.sum()),
        sampled=None,
        idle_inputs=sum(fit.idle_inputs for fit in fits),
    )


def _signs(fits: Sequence[LayerFit], shares: Array) -> LineSigns | None:
    """The signs of all groups' lines, side by side."""
    parts = [fit.signs for fit in fits if fit.signs is not None]
    if not parts:
        return None
    return LineSigns(
        np.concatenate([part.signs for part in parts]),
        float(np.dot([part.majority_loss for part in parts], shares)),
        sum(part.flipped for part in parts),
        all(part.proven for part in parts),
    )


def _warnings(fits: Sequence[LayerFit]) -> tuple[str, ...]:
    """Each warning once, with how many of the groups have it."""
    found: dict[str, int] = {}
    for fit in fits:
        for text in fit.warnings:
            found[text] = found.get(text, 0) + 1
    return tuple(f"{text} (in {count} of {len(fits)} groups)" for text, count in found.items())
