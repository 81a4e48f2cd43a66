"""The linear nodes between two populations of a NIR graph as one linear layer, and its delay.

Images are numbered channels-last here and channels-first in NIR; `numbering` says how.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import AnnLayer
from spikeloom.ann.lower import Lowering
from spikeloom.ann.steps import Affine, AveragePool, Convolution, Dense, Reshape, Step
from spikeloom.flows.nir.graph import FlatGraph, Way, shape_of

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Link:
    """One way as a linear map.

    layer: weights and bias, in the numbering of both populations
    delay: (source neurons,) seconds
    """

    way: Way
    layer: AnnLayer
    delay: Array


def numbering(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """The place in NIR's flattened signal of each neuron: channels-last for an image or a line, else as it is.

    >>> numbering((2, 1, 3)).tolist()
    [0, 3, 1, 4, 2, 5]
    """
    places = np.arange(prod(shape)).reshape(shape)
    return np.moveaxis(places, 0, -1).ravel() if len(shape) in (2, 3) else places.ravel()


def linear_link(graph: FlatGraph, way: Way) -> Link:
    """The nodes of a way folded into one layer.

    Raises NetworkError or AnnError, naming the node, where they are no linear map of one kernel or matrix.
    """
    source, target = shape_of(graph.nodes[way.source]), shape_of(graph.nodes[way.target])
    lowering = Lowering(graph.name, source)
    delay = np.zeros(prod(source))
    for name in way.nodes:
        if graph.kind(name) == "Delay":
            delay = delay + _delay(graph, name, lowering, source)
            continue
        for step in _steps(graph, name, lowering.shape):
            lowering.add(step)
    if lowering.open is None:
        lowering.add(_as_it_is(way, lowering.shape))
    if prod(lowering.shape) != prod(target):
        raise graph.refusal(way.target, "does not take what leads to it", value=lowering.shape, limit=target)
    index = lowering.index.ravel()
    lowering.index = index[np.newaxis]  # in whatever order the numbers stand
    [layer] = lowering.finish(None).layers
    layer = _renumbered(layer, numbering(source), lowering.input_order, numbering(target), index)
    return Link(way, layer, delay[numbering(source)])


def _delay(graph: FlatGraph, name: str, lowering: Lowering, source: tuple[int, ...]) -> Array:
    """(source neurons,) seconds, in NIR's order; behind a linear node it must be one number for all."""
    delay = np.asarray(graph.nodes[name].delay, dtype=np.float64)
    if delay.size == 0 or delay.min() < 0:
        raise graph.refusal(name, "has no delay, or a negative one", value=delay.tolist())
    if np.ptp(delay) == 0:
        return np.full(prod(source), delay.flat[0])
    if lowering.open is not None or delay.size != prod(source):
        raise graph.refusal(
            name, "has several delays behind a linear node", "put it right behind the neurons"
        )
    return delay.ravel()


def _steps(graph: FlatGraph, name: str, shape: tuple[int, ...]) -> tuple[Step, ...]:
    node, labels = graph.nodes[name], (graph.where(name), name)
    match graph.kind(name):
        case "Affine" | "Linear":
            weight = np.asarray(node.weight, dtype=np.float64)
            if weight.ndim != 2:
                raise graph.refusal(name, "its weight is no matrix", value=weight.shape)
            bias = np.asarray(getattr(node, "bias", 0.0), dtype=np.float64)
            return (Dense(*labels, weight.T, np.broadcast_to(bias, len(weight)).copy()),)
        case "Scale":
            return (Affine(*labels, np.asarray(node.scale, dtype=np.float64), np.zeros(1)),)
        case "Conv1d" | "Conv2d":
            return (_convolution(graph, name),)
        case "Flatten":
            return (Reshape(*labels, _flattened(graph, name, shape)),)
    return _pool(graph, name, shape)


def _convolution(graph: FlatGraph, name: str) -> Convolution:
    node = graph.nodes[name]
    kernels = np.asarray(node.weight, dtype=np.float64)
    kernels = kernels if kernels.ndim == 4 else kernels[:, :, np.newaxis]
    stride, dilation = _pair(node.stride, 1), _pair(node.dilation, 1)
    window = [(side - 1) * apart + 1 for side, apart in zip(kernels.shape[2:], dilation, strict=True)]
    bias = np.broadcast_to(np.asarray(node.bias, dtype=np.float64), len(kernels)).copy()
    return Convolution(graph.where(name), name, kernels.transpose(1, 2, 3, 0), bias, stride,
                       _padding(node.padding, window), dilation, int(node.groups))  # fmt: skip


def _padding(given: Any, window: list[int]) -> tuple[int, int, int, int]:
    """(top, left, bottom, right); "same" has one more at the end where the window is even."""
    text = given.decode() if isinstance(given, bytes) else given
    if isinstance(text, str):
        down, across = ((side - 1 if text == "same" else 0) for side in window)
        return down // 2, across // 2, down - down // 2, across - across // 2
    down, across = _pair(text, 0)
    return down, across, down, across


def _pair(given: Any, first: int) -> tuple[int, int]:
    """Vertical and horizontal; a line has `first` vertically."""
    values = [int(value) for value in np.atleast_1d(given)]
    vertical, horizontal = (values if len(values) > 1 else [first, *values])[-2:]
    return vertical, horizontal


def _flattened(graph: FlatGraph, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Axes are those of a sample: NIR leaves the batch axis out; those that count one do not."""
    node = graph.nodes[name]
    start = int(node.start_dim)
    given = node.input_type["input"]
    known = () if given is None else tuple(int(side) for side in np.atleast_1d(given))
    if prod(known) == prod(shape) and len(known) == len(shape):
        first, last = start % len(shape), int(node.end_dim) % len(shape)
        return (*shape[:first], prod(shape[first : last + 1]), *shape[last + 1 :])
    return (prod(shape),)


def _pool(graph: FlatGraph, name: str, shape: tuple[int, ...]) -> tuple[Step, ...]:
    """Averages or sums: folded where windows tile the image, else one kernel of ones for each channel."""
    node, labels = graph.nodes[name], (graph.where(name), name)
    window, stride = _pair(node.kernel_size, 1), _pair(node.stride, 1)
    down, across = _pair(node.padding, 0)
    if len(shape) != 3:
        raise graph.refusal(name, "its input is not an image", value=shape, limit="(channels, height, width)")
    share = 1.0 if graph.kind(name) == "SumPool2d" else 1.0 / prod(window)
    tiles = not any(side % across for side, across in zip(shape[1:], window, strict=True))
    if window == stride and (down, across) == (0, 0) and tiles:
        return AveragePool(*labels, window), Affine(*labels, np.full(1, share * prod(window)), np.zeros(1))
    kernels = np.full((1, *window, shape[0]), share)
    padding = (down, across, down, across)
    return (Convolution(*labels, kernels, np.zeros(shape[0]), stride, padding, groups=shape[0]),)


def _as_it_is(way: Way, shape: tuple[int, ...]) -> Step:
    """The step that hands every number on: the weight 1 from each to its like."""
    where = f"the edge {way.source} -> {way.target}"
    if len(shape) in (2, 3):
        kernels = np.ones((1, 1, 1, shape[0]))
        return Convolution(where, "edge", kernels, np.zeros(shape[0]), (1, 1), (0, 0, 0, 0), groups=shape[0])
    return Dense(where, "edge", np.eye(shape[0]), np.zeros(shape[0]))


def _renumbered(
    layer: AnnLayer,
    source: NDArray[np.int64],
    layer_input: NDArray[np.int64],
    target: NDArray[np.int64],
    layer_output: NDArray[np.int64],
) -> AnnLayer:
    """The layer from the source's neurons to the target's; each array gives or takes places in NIR's order."""
    outputs = layer_output[target]
    if np.array_equal(source, layer_input) and np.array_equal(outputs, np.arange(outputs.size)):
        return layer
    full = layer.preactivation(np.eye(layer.n_inputs)) - layer.preactivation(np.zeros((1, layer.n_inputs)))
    places = np.argsort(layer_input)[source]
    bias = layer.preactivation(np.zeros((1, layer.n_inputs)))[0]
    return replace(
        layer, weights=full[places][:, outputs], bias=bias[outputs], input_shape=(source.size,),
        output_shape=(outputs.size,), input_pool=(1, 1), stride=(1, 1), padding=(0, 0, 0, 0), dilation=(1, 1),
        groups=1,
    )  # fmt: skip
