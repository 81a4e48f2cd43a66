"""ONNX operators that are layers or belong to one: linear maps, pooling, normalisation, scaling, activations.

Semantics are those of the operator pages of ONNX, opset 7 and later. An attribute or argument that these
functions do not carry over exactly is refused by operator and node.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from spikeloom.ann.graph import FloatArray
from spikeloom.ann.onnx.node import Node, Shape
from spikeloom.ann.steps import (
    Activation,
    Affine,
    AveragePool,
    Convolution,
    Dense,
    MaxPool,
    Reshape,
    Step,
    Transpose,
    leaky_relu,
    normalisation,
)

Steps = tuple[Step, ...]


def gemm(node: Node, shape: Shape) -> Steps:
    """alpha * x @ W + beta * b."""
    node.demand("transA", node.attributes.get("transA", 0), 0)
    weights = node.weights(2) * node.attributes.get("alpha", 1.0)
    weights = weights.T if node.attributes.get("transB", 0) else weights
    bias, beta = node.floats(2), node.attributes.get("beta", 1.0)
    vector = np.zeros(1) if bias is None else beta * node.broadcast(bias, weights.shape[1:])
    return (Dense(*node.labels, weights, np.broadcast_to(vector, weights.shape[1:])),)


def matmul(node: Node, shape: Shape) -> Steps:
    weights = node.weights(2)
    return (Dense(*node.labels, weights, np.zeros(weights.shape[1])),)


def conv(node: Node, shape: Shape) -> Steps:
    """Of an image, or of a line (channel, length), which is an image of height 1."""
    kernels = node.weights(4 if len(shape) != 2 else 3)  # (out, in / groups, ky, kx)
    sides = kernels.shape[2:]
    groups = node.attributes.get("group", 1)
    node.demand("kernel_shape", node.sides("kernel_shape", sides), sides)
    dilation = node.positive("dilations", (1,) * len(sides))
    stride = node.positive("strides", (1,) * len(sides))
    window = tuple((side - 1) * apart + 1 for side, apart in zip(sides, dilation, strict=True))
    padding = _padding(node, shape, window, stride)
    bias = node.floats(2)
    bias = np.zeros(len(kernels)) if bias is None else bias
    n_out = kernels.shape[:1]
    if bias.shape != n_out:
        raise node.refusal("there is not one bias per kernel", "correct the bias", bias.shape, n_out)
    if groups < 1 or n_out[0] % groups:
        raise node.refusal("group does not divide the kernels", "correct the group", groups, n_out[0])
    images = kernels.reshape(*kernels.shape[:2], *_pair(sides)).transpose(1, 2, 3, 0)
    return (Convolution(*node.labels, images, bias, _pair(stride), padding, _pair(dilation), groups),)


def average_pool(node: Node, shape: Shape) -> Steps:
    return (AveragePool(*node.labels, _tiles(node, shape)),)


def max_pool(node: Node, shape: Shape) -> Steps:
    node.demand("storage_order", node.attributes.get("storage_order", 0), 0)
    window, stride = _window(node, shape), node.positive("strides", (1,) * max(1, len(shape) - 1))
    node.demand("ceil_mode", node.attributes.get("ceil_mode", 0), 0)
    padding = _padding(node, shape, window, stride)
    if any(pad >= side for pad, side in zip(padding, _pair(window) * 2, strict=True)):
        raise node.refusal("its padding is as wide as its window", "use a smaller one", padding, window)
    return (MaxPool(*node.labels, _pair(window), _pair(stride), padding),)


def _tiles(node: Node, shape: Shape) -> tuple[int, int]:
    """The windows of a pooling, which must tile the image."""
    window = _window(node, shape)
    node.demand("strides", node.sides("strides", (1,) * max(1, len(shape) - 1)), window)
    node.demand("pads", _padding(node, shape, window, window), (0, 0, 0, 0))
    return _pair(window)


def _window(node: Node, shape: Shape) -> Shape:
    """The window of a pooling, without gaps between its taps."""
    if "kernel_shape" not in node.attributes:
        raise node.refusal("kernel_shape is missing", "export the network again")
    one = (1,) * max(1, len(shape) - 1)
    node.demand("dilations", node.sides("dilations", one), one)
    return node.positive("kernel_shape", one)


def global_average_pool(node: Node, shape: Shape) -> Steps:
    if len(shape) not in (2, 3):
        raise node.refusal("its input is not an image", "give it (channel, height, width)", shape, "3 axes")
    return (AveragePool(*node.labels, _pair(shape[1:])),)


def reduce_mean(node: Node, shape: Shape) -> Steps:
    """The mean over all of an image, another way to write GlobalAveragePool; the channels may stand last."""
    listed = node.argument(1)
    axes = node.attributes.get("axes", ()) if listed is None else listed.ravel().tolist()
    rank = len(shape) + 1
    over = sorted(int(axis) % rank for axis in axes)
    last = over == list(range(1, rank - 1)) and rank > 2
    node.demand("axes", over, list(range(2, rank)), *([over] if last else []))
    moved = (rank - 2, *range(rank - 2)) if last else tuple(range(rank - 1))
    image = tuple(shape[axis] for axis in moved)
    steps = Transpose(*node.labels, moved), *global_average_pool(node, image)
    kept = tuple(1 if axis + 1 in over else side for axis, side in enumerate(shape))
    return *steps, Reshape(*node.labels, kept if node.attributes.get("keepdims", 1) else image[:1])


def batch_normalisation(node: Node, shape: Shape) -> Steps:
    node.demand("training_mode", node.attributes.get("training_mode", 0), 0)
    node.demand("spatial", node.attributes.get("spatial", 1), 1)
    values = [node.floats(k) for k in range(1, 5)]
    channels = shape[:1]
    if node.place != 0 or any(each is None or each.shape != channels for each in values):
        found = [None if each is None else each.shape for each in values]
        raise node.refusal("its statistics are not one constant per channel", "fold it", found, channels)
    scale, offset, mean, variance = (each for each in values if each is not None)
    epsilon = node.attributes.get("epsilon", 1e-5)
    return (normalisation(*node.labels, len(shape), mean, variance, epsilon, scale, offset),)


def scaling(node: Node, shape: Shape) -> Steps:
    """Add, Sub, Mul or Div of the tensor on the chain and a constant, in either order where it is linear."""
    values = node.floats(1 - node.place)
    if values is None or len(node.arguments) != 2:
        raise node.refusal("it has no constant operand", "export the network as a plain chain")
    constant = node.broadcast(values, shape)
    scale, offset = _affine(node, constant)
    if not np.isfinite(scale).all():
        raise node.refusal("it divides by zero", "repair the network's scaling", 0)
    return (Affine(*node.labels, scale, offset),)


def scaler(node: Node, shape: Shape) -> Steps:
    """(x - offset) * scale, one number a feature or one for all."""
    offset, scale = (
        node.broadcast(np.asarray(node.attributes.get(name, usual), dtype=np.float64), shape)
        for name, usual in (("offset", [0.0]), ("scale", [1.0]))
    )
    return (Affine(*node.labels, scale, -offset * scale),)


def _affine(node: Node, constant: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What the node does to x, as (scale, offset)."""
    one, zero = np.ones(1), np.zeros(1)
    match node.operator, node.place:
        case "Add", _:
            return one, constant
        case "Sub", 0:
            return one, -constant
        case "Sub", 1:
            return -one, constant
        case "Mul", _:
            return constant, zero
        case "Div", 0:
            with np.errstate(divide="ignore", over="ignore"):
                return 1 / constant, zero
    raise node.refusal("it divides a constant by the network's signal", "export the network without it")


def activation(kind: str) -> Callable[[Node, Shape], Steps]:
    """The function of an operator that is this activation."""
    return lambda node, shape: (Activation(*node.labels, kind),)


def leaky(node: Node, shape: Shape) -> Steps:
    return (leaky_relu(*node.labels, float(node.attributes.get("alpha", 0.01))),)


def clip(node: Node, shape: Shape) -> Steps:
    """From 0 on: a ReLU, with a ceiling or without; the limits are attributes before opset 11."""
    limits = [node.attributes.get(name, node.number(k)) for k, name in enumerate(("min", "max"), 1)]
    node.demand("min", limits[0], 0.0)
    high = limits[1]
    if high is None or high >= np.finfo(np.float32).max:
        return (Activation(*node.labels, "relu"),)
    return (Activation(*node.labels, "clip", float(high)),)


def _pair(sides: Shape) -> tuple[int, int]:
    """Vertical and horizontal; a line is one high."""
    first, second = (1, *sides)[-2:]
    return first, second


def _padding(node: Node, shape: Shape, kernel: Shape, stride: Shape) -> tuple[int, int, int, int]:
    """(top, left, bottom, right), given or by the automatic rules: SAME gives ceil(side / stride) outputs."""
    mode = node.attributes.get("auto_pad", "NOTSET")
    node.demand("auto_pad", mode, "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")
    rank = len(kernel)
    pads = node.sides("pads", (0,) * (2 * rank))
    if min(pads) < 0:
        raise node.refusal("its padding is negative", "crop the image instead", pads, 0)
    if mode == "NOTSET":
        return _four(pads[:rank], pads[rank:])
    if mode == "VALID" or len(shape) != rank + 1:  # what is no image is refused where the layer is made
        return 0, 0, 0, 0
    totals = [
        max(0, (-(-side // step) - 1) * step + width - side)
        for side, step, width in zip(shape[1:], stride, kernel, strict=True)
    ]
    less, more = [total // 2 for total in totals], [total - total // 2 for total in totals]
    return _four(less, more) if mode == "SAME_UPPER" else _four(more, less)


def _four(begin: Shape | list[int], end: Shape | list[int]) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) of what lies before and behind each side; a line has nothing above or below."""
    (top, left), (bottom, right) = (0, *begin)[-2:], (0, *end)[-2:]
    return top, left, bottom, right
