"""The weight copy: the ANN's weights in the chip's units, with a gain and an offset for each output."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikeloom.fit.bound import GainEquality
from spikeloom.fit.problem import Array, LayerProblem

Mask = NDArray[np.bool_]
FEW = 16  # active samples below which an output takes the layer's gain and offset
WILD = 4.0  # an output's own gain further than this factor from the layer's is not believed


def plain_copy(problem: LayerProblem) -> tuple[Array, Array]:
    """V (n, m) = W target_scale / input_scale and c (m,) = b target_scale: right where g(I) = I.

    The presynaptic rate is input_scale times the ANN's activation, the wanted rate target_scale times f(Z).
    """
    per_line = problem.weights / np.reshape(problem.input_scale, (-1, 1))
    return per_line * problem.target_scale, problem.bias * problem.target_scale


def gain_copy(problem: LayerProblem) -> tuple[Array, Array]:
    """The plain copy with I* = gain Z + offset fitted on each output's active samples.

    Z is the ANN's and carries no counting noise, so the gain is not shrunk. Returns V (n, m), c (m,).
    """
    gain, offset = _gain_and_offset(problem)
    per_line = problem.weights / np.reshape(problem.input_scale, (-1, 1))
    return per_line * gain, problem.bias * gain + offset


def gain_equality(activity: Array, wanted: Array, active: Mask) -> GainEquality:
    """cov(I_j, I*_j) = var(I*_j) over the active rows, as one linear equality an output.

    activity: (N, n); wanted: (N, m) currents I*; active: (N, m). The covariance weights add up to zero, so
    the bias drops out. Outputs with fewer than FEW active rows are left free.
    """
    count = active.sum(axis=0)
    centred = np.where(active, wanted - np.where(active, wanted, 0.0).sum(axis=0) / np.maximum(count, 1), 0.0)
    rows = centred / np.maximum(count, 1)
    direction = activity.T @ rows
    usable = (count >= FEW) & ((rows * centred).sum(axis=0) > 1e-12) & ((direction**2).sum(axis=0) > 1e-18)
    value = (rows * wanted).sum(axis=0)
    return GainEquality(rows * usable, direction * usable, value * usable)


def active_equality(problem: LayerProblem) -> GainEquality:
    """The gain equality of a problem over all its rows."""
    active = ~(problem.silent | problem.saturated)
    return gain_equality(problem.activity, problem.target_current, active)


def _gain_and_offset(problem: LayerProblem) -> tuple[Array, Array]:
    m = problem.n_outputs
    if problem.activation == "identity":
        return np.full(m, problem.target_scale), np.zeros(m)
    active = ~(problem.silent | problem.saturated)
    z, wanted = problem.preactivation, problem.target_current
    layer_gain, layer_offset = _line(z.ravel(), wanted.ravel(), active.ravel(), problem)
    gain, offset = np.full(m, layer_gain), np.full(m, layer_offset)
    for j in np.flatnonzero(active.sum(axis=0) >= FEW):
        own_gain, own_offset = _line(z[:, j], wanted[:, j], active[:, j], problem)
        if layer_gain / WILD < own_gain < layer_gain * WILD:
            gain[j], offset[j] = own_gain, own_offset
    return gain, offset


def _line(z: Array, wanted: Array, active: Mask, problem: LayerProblem) -> tuple[float, float]:
    """Gain and offset of the straight line through the active samples; the response's own where there are
    none.
    """
    z, wanted = z[active], wanted[active]
    centred = z - z.mean() if z.size else z
    variance = float(centred @ centred)
    if z.size < 2 or variance <= 1e-12 * z.size:
        threshold = float(problem.response.current(np.zeros(1))[0])
        return problem.target_scale / problem.response.typical_slope, threshold
    gain = float(centred @ wanted) / variance
    return gain, float(wanted.mean() - gain * z.mean())
