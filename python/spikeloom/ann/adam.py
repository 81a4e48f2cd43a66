"""The steps by which a network learns: Adam (Kingma and Ba 2015), in units of its own weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spikeloom.ann.gradients import LayerGradient, Numbers
from spikeloom.ann.graph import AnnLayer, FloatArray

Layers = tuple[AnnLayer, ...]
MEMORY = (0.9, 0.999)  # of the means of gradients and of their squares


class Adam:
    """The running means of every weight's gradient and of its square.

    sizes: units of the steps, for weights and bias of each layer in turn; 1 for all unless given
    """

    def __init__(self, layers: Layers, sizes: list[float] | None = None) -> None:
        arrays = [part for layer in layers for part in layer.arrays]
        self.sizes = [1.0] * len(arrays) if sizes is None else sizes
        self.first = [np.zeros(part.shape) for part in arrays]
        self.second = [np.zeros(part.shape) for part in arrays]
        self.steps = 0

    def moved(self, layers: Layers, found: list[LayerGradient], rate: float) -> Layers:
        """The layers after one step against these gradients; rate: of a weight, in its unit."""
        self.steps += 1
        slopes = [part for one in found for part in (one.weights, one.bias)]
        steps = [rate * self.sizes[k] * self._share(k, slope) for k, slope in enumerate(slopes)]
        return tuple(
            replace(
                layer,
                weights=layer.weights - steps[2 * k].reshape(layer.weights.shape),
                bias=layer.bias - steps[2 * k + 1],
            )
            for k, layer in enumerate(layers)
        )

    def _share(self, k: int, slope: FloatArray) -> FloatArray:
        one, two = MEMORY
        self.first[k] += (1.0 - one) * (slope - self.first[k])
        self.second[k] += (1.0 - two) * (slope**2 - self.second[k])
        first = self.first[k] / (1.0 - one**self.steps)
        second = self.second[k] / (1.0 - two**self.steps)
        return np.asarray(first / (np.sqrt(second) + 1e-8))


def typical_sizes(layers: Layers, seen: list[Numbers]) -> list[float]:
    """Root mean square of the weights of each layer, and what a bias is beside them: times that of its inputs.

    seen: by every layer, as its `unfold` gives it. Steps in these units do the same to a network whose inputs are
    0..255 as to one of 0..1.
    """
    sizes = []
    for layer, given in zip(layers, seen, strict=True):
        weight = max(float(np.sqrt(np.mean(layer.matrix**2))), 1e-12)
        sizes += [weight, weight * max(float(np.sqrt(np.mean(given**2))), 1e-12)]
    return sizes
