"""A pruned network taught the answers of the whole one, on calibration rows without labels.

Adam (Kingma and Ba 2015) on all weights and biases, for the mean squared error of the outputs. A fifth of the
rows is held out and decides which weights are kept, those it started with included.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.ann.gradients import gradients, run_layers
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.ann.surgery import with_layers

Array = NDArray[np.float64]
Layers = tuple[AnnLayer, ...]
STEPS = 500
BATCH = 128
RATE = (
    0.02  # of the first step, in units of a layer's typical weight; it falls to 0 along a quarter of a cosine
)
MEMORY = (0.9, 0.999)  # of the means of gradients and of their squares
CHECK_EVERY = 50  # steps between two looks at the held-out rows
HELD_OUT = 5


def distil(pruned: Ann, teacher: Ann, rows: ArrayLike, *, steps: int = STEPS, seed: int = 0) -> Ann:
    """The pruned network with weights that answer more like the teacher; never worse on the held-out fifth.

    rows: (N, *input_shape), no labels. Deterministic for a seed.
    """
    x, wanted = pruned.flatten(rows), teacher.preactivations(rows)[-1]
    rng = np.random.default_rng(seed)
    held = rng.permutation(len(x)) % HELD_OUT == 0
    judge = x[held], wanted[held]
    layers, unit = pruned.layers, float(np.var(wanted)) or 1.0
    best, least = layers, _error(layers, *judge)
    adam, learn = _Adam(layers, _typical(layers, x[~held])), np.flatnonzero(~held)
    for step in range(steps):
        batch = rng.choice(learn, min(BATCH, learn.size), replace=False)
        inputs, preactivations = run_layers(layers, x[batch])
        last = 2.0 * (preactivations[-1] - wanted[batch]) / (unit * wanted[batch].size)
        found = gradients(layers, inputs, preactivations, last)
        slopes = [part for one in found for part in (one.weights, one.bias)]
        rate = RATE * float(np.cos(0.5 * np.pi * step / steps))
        layers = adam.moved(layers, slopes, rate)
        if (step + 1) % CHECK_EVERY == 0 or step + 1 == steps:
            error = _error(layers, *judge)
            if error < least:
                best, least = layers, error
    return with_layers(pruned, best)


def _error(layers: Layers, x: Array, wanted: Array) -> float:
    return float(np.mean((run_layers(layers, x)[1][-1] - wanted) ** 2))


def _typical(layers: Layers, x: Array) -> list[float]:
    """Root mean square of the weights of each layer, and what a bias is beside them: times that of its inputs.

    Steps in these units do the same to a network whose inputs are 0..255 as to one of 0..1.
    """
    sizes = []
    for layer, given in zip(layers, run_layers(layers, x[:BATCH])[0], strict=True):
        weight = max(float(np.sqrt(np.mean(layer.matrix**2))), 1e-12)
        sizes += [weight, weight * max(float(np.sqrt(np.mean(given**2))), 1e-12)]
    return sizes


class _Adam:
    """The running means of every weight's gradient and of its square; sizes: units of the steps."""

    def __init__(self, layers: Layers, sizes: list[float]) -> None:
        self.sizes = sizes
        arrays = [part for layer in layers for part in (layer.matrix, layer.bias)]
        self.first = [np.zeros(part.shape) for part in arrays]
        self.second = [np.zeros(part.shape) for part in arrays]
        self.steps = 0

    def moved(self, layers: Layers, slopes: list[Array], rate: float) -> Layers:
        """The layers after one step against these gradients (weights and bias of each layer in turn)."""
        self.steps += 1
        steps = [self._step(k, slope, rate) for k, slope in enumerate(slopes)]
        return tuple(
            replace(
                layer,
                weights=layer.weights - steps[2 * k].reshape(layer.weights.shape),
                bias=layer.bias - steps[2 * k + 1],
            )
            for k, layer in enumerate(layers)
        )

    def _step(self, k: int, slope: Array, rate: float) -> Array:
        one, two = MEMORY
        self.first[k] += (1.0 - one) * (slope - self.first[k])
        self.second[k] += (1.0 - two) * (slope**2 - self.second[k])
        first = self.first[k] / (1.0 - one**self.steps)
        second = self.second[k] / (1.0 - two**self.steps)
        return np.asarray(rate * self.sizes[k] * first / (np.sqrt(second) + 1e-8))
