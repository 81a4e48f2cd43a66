"""Max pooling in spikes: a tree of differences, or neurons that fire with any of their sources.

The largest of two rates is b + r with r = max(a - b, 0), a rectifier whose weights are 1 and -1. A tree of these
takes k - 1 neurons for a window of k and is exact in rates; what takes the pool's output reads 1 + log2(k) sources.
A neuron that fires whenever any of its sources does takes one for a window: its rate is that of the union, and that
of the largest where it holds them back (see `network.held_back`). In a race they have keepers as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array, hstack

from spikeloom.ann.graph import AnnLayer

Array = NDArray[np.float64]
Pool = Literal["tree", "race", "or"]
POOLS = ("tree", "race", "or")
Value: TypeAlias = dict[str, csr_array]  # a sum: source -> (its neurons, windows), of 1 and -1


@dataclass(frozen=True, eq=False)
class Wired:
    """Neurons whose synapses follow from the pooling: each adds or subtracts whole spikes of its sources.

    maps: source -> (its neurons, neurons) of 1 and -1
    holds_back: each of its spikes takes a threshold from its sources; keeps: these have keepers
    """

    name: str
    maps: Value
    holds_back: bool = False
    keeps: bool = False

    @property
    def n_outputs(self) -> int:
        """Neurons."""
        return int(next(iter(self.maps.values())).shape[1])

    @property
    def arrays(self) -> tuple[NDArray, ...]:
        """All its numbers, but for where they stand, which follows from the shapes."""
        return tuple(weights.data for weights in self.maps.values())

    def drive(self, given: dict[str, Array]) -> Array:
        """(N, neurons) sums of the sources' activations (N, n)."""
        return np.asarray(sum(given[name] @ weights for name, weights in self.maps.items()))


@dataclass(frozen=True)
class Term:
    """A summand of what a layer gives: its image, of which only the first number of each `stride` window counts."""

    name: str
    shape: tuple[int, ...]
    stride: tuple[int, int] = (1, 1)


def wired(layer: AnnLayer, source: str, pool: Pool) -> tuple[tuple[Wired, ...], tuple[Term, ...]]:
    """The neurons of a max pooling, each after its sources, and the summands of what it gives."""
    taps = _taps(layer)
    if pool != "tree":
        any_of = Wired(layer.name, {source: sum(taps[1:], taps[0])}, keeps=pool == "race")
        return (any_of,), (Term(layer.name, layer.output_shape),)
    values: list[Value] = [{source: tap} for tap in taps]
    made: list[Wired] = []
    terms = [Term(source, layer.input_shape, layer.stride)]
    if not _tiles(
        layer
    ):  # what lies behind cannot read every stride-th number of the image: neurons pass them on
        made.append(Wired(f"{layer.name}_0", {source: taps[0]}))
        terms = [Term(made[0].name, layer.output_shape)]
    while len(values) > 1:
        name = f"{layer.name}_{len(terms)}"
        larger = [_minus(a, b) for a, b in zip(values[1::2], values[::2], strict=False)]
        made.append(Wired(name, larger[0]))
        terms.append(Term(name, layer.output_shape))
        found = [values[0] | {name: _one_of(1, 0, layer.n_outputs)}]
        others = larger[1:]
        if others:
            made.append(Wired(f"{name}_more", _beside(others)))
        found += [
            values[2 * k + 2] | {f"{name}_more": _one_of(len(others), k, layer.n_outputs)}
            for k in range(len(others))
        ]
        values = found + (values[-1:] if len(values) % 2 else [])
    return tuple(made), tuple(terms)


def _taps(layer: AnnLayer) -> list[csr_array]:
    """For each place of the window, which number of the image (rows) each window (columns) has there, if any."""
    rows, columns, _ = layer.output_shape
    top, left, bottom, right_side = layer.padding
    numbers = np.arange(layer.n_inputs).reshape(layer.input_shape)
    numbers = np.pad(numbers, ((top, bottom), (left, right_side), (0, 0)), constant_values=-1)
    (down, right), taps = layer.stride, []
    for dy, dx in np.ndindex(layer.weights.shape[1:3]):
        place = numbers[dy : dy + down * rows : down, dx : dx + right * columns : right][
            :rows, :columns
        ].ravel()
        window = np.flatnonzero(place >= 0)
        shape = (layer.n_inputs, layer.n_outputs)
        taps.append(csr_array((np.ones(window.size), (place[window], window)), shape=shape))
    return taps


def _tiles(layer: AnnLayer) -> bool:
    """Every number of the image lies in just one window."""
    sides = zip(layer.input_shape, layer.output_shape, layer.stride, strict=False)
    return layer.window == layer.stride and all(side == count * step for side, count, step in sides)


def _minus(a: Value, b: Value) -> Value:
    """The difference, sources of both together."""
    both = {name: a[name] - b[name] for name in a.keys() & b.keys()}
    return both | {n: m for n, m in a.items() if n not in b} | {n: -m for n, m in b.items() if n not in a}


def _one_of(count: int, place: int, windows: int) -> csr_array:
    """The numbers at one place of `count` that stand side by side."""
    return csr_array(eye_array(count * windows, windows, k=-place * windows))


def _beside(values: list[Value]) -> Value:
    """Several sums side by side; a source that one lacks has no synapses there."""
    names = {name: matrix.shape[0] for value in values for name, matrix in value.items()}
    windows = next(iter(values[0].values())).shape[1]
    return {
        name: csr_array(hstack([value.get(name, csr_array((size, windows))) for value in values]))
        for name, size in names.items()
    }
