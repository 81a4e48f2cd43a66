"""The steps by which a network learns: Adam (Kingma and Ba 2015), in units of its own weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spikeloom.ann.gradients import LayerGradient, Numbers
from spikeloom.ann.graph import AnnLayer, FloatArray

Layers = tuple[AnnLayer, ...]
MEMORY = (0.9, 0.999)  # of the means of gradients and of their squares


class Moments:
    """The running means of the gradient of every number of some arrays, and of its square."""

    def __init__(self, shapes: list[tuple[int, ...]]) -> None:
        self.first = [np.zeros(shape) for shape in shapes]
        self.second = [np.zeros(shape) for shape in shapes]
        self.steps = 0

    def shares(self, slopes: list[FloatArray]) -> list[FloatArray]:
        """Against these gradients, one for each array: the steps to take off, in units of the rate."""
        self.steps += 1
        return [self._share(k, slope) for k, slope in enumerate(slopes)]

    def _share(self, k: int, slope: FloatArray) -> FloatArray:
        one, two = MEMORY
        self.first[k] += (1.0 - one) * (slope - self.first[k])
        self.second[k] += (1.0 - two) * (slope**2 - self.second[k])
        first = self.first[k] / (1.0 - one**self.steps)
        second = self.second[k] / (1.0 - two**self.steps)
        return np.asarray(first / (np.sqrt(second) + 1e-8))


class Adam:
    """Moves the weights of layers.

    sizes: units of the steps, for weights and bias of each layer in turn; 1 for all unless given
    """

    def __init__(self, layers: Layers, sizes: list[float] | None = None) -> None:
        arrays = [part for layer in layers for part in layer.arrays]
        self.sizes = [1.0] * len(arrays) if sizes is None else sizes
        self.moments = Moments([part.shape for part in arrays])

    def moved(self, layers: Layers, found: list[LayerGradient], rate: float) -> Layers:
        """The layers after one step against these gradients; rate: of a weight, in its unit."""
        shares = self.moments.shares([part for one in found for part in (one.weights, one.bias)])
        steps = [rate * size * share for size, share in zip(self.sizes, shares, strict=True)]
        return tuple(
            replace(
                layer,
                weights=layer.weights - steps[2 * k].reshape(layer.weights.shape),
                bias=layer.bias - steps[2 * k + 1],
            )
            for k, layer in enumerate(layers)
        )


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
