"""The last descent of codes, in the true loss instead of its quadratic model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spikeloom.fit.integer import Levels, nearest
from spikeloom.fit.matching import Array
from spikeloom.fit.relaxed import Relaxed

SOFTNESS = (
    0.02  # share of the usual curvature given to flat samples while codes move (they may leave the flat part)
)
REFINE_LIMIT = 4e9  # rows * inputs * outputs above which the last descent in the true loss is left out
REFINE_SWEEPS = 4


def refine(
    relaxed: Relaxed, codes: Array, scales: Array, loss: Array, bias: Array, levels: Levels, *, sparse: bool
) -> tuple[Array, Array]:
    """Coordinate descent with each output's own curvature H_j = A'diag(ell'')A, kept where the true loss
    falls.

    Works on rows, never forming H_j: one sweep costs rows * inputs * outputs. Left out above REFINE_LIMIT.
    scales: (m,), or (n, m) with a gain for each synapse. Returns codes, bias.
    """
    if relaxed.activity.size * bias.size > REFINE_LIMIT:
        return codes, bias
    codes, loss, bias = codes.copy(), loss.copy(), bias.copy()
    left = np.arange(bias.size)
    lines = np.ascontiguousarray(relaxed.activity.T)
    for _ in range(REFINE_SWEEPS):
        part = replace(
            relaxed,
            loss=relaxed.loss.part(slice(None), left),
            weights=relaxed.weights[:, left],
            bias=bias[left],
            prior=relaxed.prior[:, left],
        )
        moved = _sweep(part, lines, codes[:, left], scales[..., left], levels, sparse)
        new_loss, new_bias = part.judge(moved * scales[..., left])
        better = new_loss < loss[left] - 1e-12 * np.abs(loss[left])
        left = left[better]
        codes[:, left], loss[left], bias[left] = moved[:, better], new_loss[better], new_bias[better]
        if left.size == 0:
            break
    return codes, bias


def _sweep(part: Relaxed, lines: Array, codes: Array, scales: Array, levels: Levels, sparse: bool) -> Array:
    """One pass over the inputs in the local quadratic model of the loss, the bias following each move."""
    codes, worth = codes.copy(), np.broadcast_to(scales, codes.shape)
    slope, curvature = part.loss.slope_and_curvature(part.activity @ (codes * scales) + part.bias)
    slope, curvature = slope.T.copy(), curvature.T + SOFTNESS * part.loss.stiffness
    weight = curvature.sum(axis=1)
    shift = curvature @ part.activity / weight[:, None]  # (m, n): how far the bias follows a unit of weight
    bend = curvature @ part.activity**2 - shift**2 * weight[:, None] + part.penalty
    bend = np.maximum(bend, 1e-9 * part.loss.stiffness)
    for i, line in enumerate(lines):
        pull = slope @ line + part.penalty * (codes[i] * worth[i] - part.prior[i])
        new = nearest(codes[i] * worth[i] - pull / bend[:, i], worth[i], levels)
        if sparse:
            new = np.where(part.weights[i] != 0.0, new, codes[i])
        step = (new - codes[i]) * worth[i]
        moved = np.flatnonzero(step)
        if moved.size:
            change = step[moved, None] * (line[None, :] - shift[moved, i, None])
            slope[moved] += curvature[moved] * change
            codes[i] = new
    return codes
