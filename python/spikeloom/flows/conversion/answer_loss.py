"""How far outputs are from those of the trained network, for networks that are taught its answers.

The squared error over the variance. Where outputs are several, that is the lesser part of the loss; the greater is
the divergence of their soft maximum from the trained network's (Hinton and others 2015): a smaller or a coarser
network cannot hold every output, but which is the largest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SOFTNESS = 0.4  # temperature of the soft maximum, in units of the outputs' spread
SQUARES = 0.3  # weight of the squared error beside the divergence


def answer_loss(outputs: Array, wanted: Array, spread: float) -> tuple[float, Array]:
    """Mean loss of outputs (N, m) and its slope in them; spread: standard deviation of all that is wanted."""
    off = (outputs - wanted) / spread
    loss, slope = float(np.mean(off**2)), 2.0 * off / (spread * off.size)
    if outputs.shape[1] == 1:
        return loss, slope
    apart, sharper = divergence(outputs, wanted, spread)
    return SQUARES * loss + apart, SQUARES * slope + sharper


def divergence(outputs: Array, wanted: Array, spread: float) -> tuple[float, Array]:
    """Mean divergence, in nats, of the soft maximum of outputs (N, m) from that of the wanted ones, and its slope."""
    temperature = SOFTNESS * spread
    mine, theirs = _log_chances(outputs / temperature), _log_chances(wanted / temperature)
    apart = float(np.mean((np.exp(theirs) * (theirs - mine)).sum(axis=1)))
    return apart, (np.exp(mine) - np.exp(theirs)) / (temperature * len(outputs))


def _log_chances(outputs: Array) -> Array:
    """(N, m) logarithm of the soft maximum over the outputs."""
    above = outputs - outputs.max(axis=1, keepdims=True)
    return np.asarray(above - np.log(np.exp(above).sum(axis=1, keepdims=True)))
