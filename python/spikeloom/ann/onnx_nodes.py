"""One function per ONNX operator: its node to a `Step`, or to None where inference does nothing.

Semantics are those of the operator pages of ONNX, opset 7 and later. An attribute or argument that these
functions do not carry over exactly is refused by operator and node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import FloatArray
from spikeloom.ann.steps import Activation, Affine, AveragePool, Convolution, Dense, Reshape, Step, plain_name
from spikeloom.errors import AnnError

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Node:
    """One ONNX node on the chain from input to output.

    Attributes:
        operator: its type, "Gemm".
        name: its own name, or that of its output.
        weight: name of its second input, from which a layer may take its name.
        attributes: by name; strings as str.
        arguments: one per input; an array, or None for the tensor on the chain and for what is left out.
        place: which of the inputs is the tensor on the chain.
        batch: the fixed batch size, or None.
    """

    operator: str
    name: str
    weight: str
    attributes: Mapping[str, Any]
    arguments: tuple[NDArray[Any] | None, ...]
    place: int
    batch: int | None

    @property
    def where(self) -> str:
        return f"operator {self.operator} (node {self.name!r})"

    @property
    def layer_name(self) -> str:
        """A name of letters, digits and underscores: "fc1" of "fc1.weight", else the node's."""
        stem = self.weight.removesuffix(".weight") if self.weight.endswith(".weight") else self.name
        return plain_name(stem)

    def refusal(self, problem: str, remedy: str, value: object = None, limit: object = None) -> AnnError:
        return AnnError(self.where, problem, value=value, limit=limit, remedy=remedy)

    def demand(self, attribute: str, value: object, *allowed: object) -> None:
        """Refuse every value of an attribute but those allowed."""
        if value not in allowed:
            limit = " or ".join(str(choice) for choice in allowed)
            remedy = f"export the network with {attribute} = {limit}"
            raise self.refusal(f"{attribute} is not supported", remedy, value, limit)

    def sides(self, attribute: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """An attribute that has as many whole numbers as its default."""
        values = tuple(int(value) for value in self.attributes.get(attribute, default))
        if len(values) != len(default):
            problem, remedy = f"{attribute} is not that of an image", "use two-dimensional images"
            raise self.refusal(problem, remedy, values, f"{len(default)} numbers")
        return values

    def argument(self, k: int) -> NDArray[Any] | None:
        return self.arguments[k] if k < len(self.arguments) else None

    def floats(self, k: int) -> FloatArray | None:
        """Argument k as float64, or None where it is left out."""
        values = self.argument(k)
        if values is None:
            return None
        if values.dtype not in (np.float32, np.float64):
            remedy = "export the network in float32"
            raise self.refusal("its constants are not float32 or float64", remedy, values.dtype)
        if not np.isfinite(values).all():
            raise self.refusal(
                "a weight or constant is not finite", "repair or retrain the network", "inf or nan"
            )
        return values.astype(np.float64)

    def weights(self, rank: int) -> FloatArray:
        """The second argument of a linear operator, whose first one is the tensor on the chain."""
        values = self.floats(1)
        if self.place != 0 or values is None:
            remedy = "put the weights second, as a constant"
            raise self.refusal("its weights are not its second input", remedy)
        if values.ndim != rank:
            raise self.refusal("its weights have the wrong number of axes", "reshape them", values.ndim, rank)
        return values


def _gemm(node: Node, shape: Shape) -> Step:
    """alpha * x @ W + beta * b."""
    node.demand("transA", node.attributes.get("transA", 0), 0)
    weights = node.weights(2) * node.attributes.get("alpha", 1.0)
    weights = weights.T if node.attributes.get("transB", 0) else weights
    bias, beta = node.floats(2), node.attributes.get("beta", 1.0)
    vector = np.zeros(1) if bias is None else beta * _broadcast(node, bias, weights.shape[1:])
    return Dense(node.where, node.layer_name, weights, np.broadcast_to(vector, weights.shape[1:]))


def _matmul(node: Node, shape: Shape) -> Step:
    weights = node.weights(2)
    return Dense(node.where, node.layer_name, weights, np.zeros(weights.shape[1]))


def _conv(node: Node, shape: Shape) -> Step:
    kernels = node.weights(4)  # (out, in, ky, kx)
    node.demand("group", node.attributes.get("group", 1), 1)
    node.demand("dilations", node.sides("dilations", (1, 1)), (1, 1))
    node.demand("kernel_shape", node.sides("kernel_shape", kernels.shape[2:]), kernels.shape[2:])
    stride = _pair(node, "strides", (1, 1))
    padding = _padding(node, shape, kernels.shape[2:], stride)
    bias = node.floats(2)
    bias = np.zeros(len(kernels)) if bias is None else bias
    n_out = kernels.shape[:1]
    if bias.shape != n_out:
        raise node.refusal("there is not one bias per kernel", "correct the bias", bias.shape, n_out)
    return Convolution(node.where, node.layer_name, kernels.transpose(1, 2, 3, 0), bias, stride, padding)


def _average_pool(node: Node, shape: Shape) -> Step:
    if "kernel_shape" not in node.attributes:
        raise node.refusal("kernel_shape is missing", "export the network again")
    window = _pair(node, "kernel_shape", (1, 1))
    node.demand("strides", node.sides("strides", (1, 1)), window)
    node.demand("dilations", node.sides("dilations", (1, 1)), (1, 1))
    node.demand("pads", _padding(node, shape, window, window), (0, 0, 0, 0))
    return AveragePool(node.where, node.layer_name, window)


def _global_average_pool(node: Node, shape: Shape) -> Step:
    if len(shape) != 3:
        raise node.refusal("its input is not an image", "give it (channel, height, width)", shape, "3 axes")
    return AveragePool(node.where, node.layer_name, (shape[1], shape[2]))


def _flatten(node: Node, shape: Shape) -> Step:
    node.demand("axis", node.attributes.get("axis", 1), 1, -len(shape))
    return Reshape(node.where, node.layer_name, (prod(shape),))


def _reshape(node: Node, shape: Shape) -> Step:
    """A target shape that keeps the batch axis as it is."""
    target = node.argument(1)
    if node.place != 0 or target is None or target.dtype.kind != "i" or target.ndim != 1 or target.size < 2:
        remedy = "use Flatten, or a constant shape (-1, n)"
        raise node.refusal("its shape is not a constant list with a batch axis", remedy)
    node.demand("allowzero", node.attributes.get("allowzero", 0), 0)
    batch, *rest = (int(side) for side in target)
    sides = [_copied(shape, k) if side == 0 else side for k, side in enumerate(rest)]
    known = prod(side for side in sides if side != -1)
    if sides.count(-1) == 1 and known > 0:
        sides[sides.index(-1)] = prod(shape) // known
    if batch not in (0, -1, node.batch) or min(sides) < 1 or prod(sides) != prod(shape):
        remedy = "use Flatten, or a constant shape (-1, n)"
        raise node.refusal("it does not keep the batch axis", remedy, target.tolist(), ("batch", *shape))
    return Reshape(node.where, node.layer_name, tuple(sides))


def _copied(shape: Shape, k: int) -> int:
    """The side that a 0 in a target shape stands for; 0, which is refused, where there is none."""
    return shape[k] if k < len(shape) else 0


def _scaling(node: Node, shape: Shape) -> Step:
    """Add, Sub, Mul or Div of the tensor on the chain and a constant, in either order where it is linear."""
    values = node.floats(1 - node.place)
    if values is None or len(node.arguments) != 2:
        raise node.refusal("it has no constant operand", "export the network as a plain chain")
    constant = _broadcast(node, values, shape)
    scale, offset = _affine(node, constant)
    if not np.isfinite(scale).all():
        raise node.refusal("it divides by zero", "repair the network's scaling", 0)
    return Affine(node.where, node.layer_name, scale, offset)


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


def _broadcast(node: Node, values: FloatArray, shape: Shape) -> FloatArray:
    """A constant without its leading axes of length 1, checked to leave a tensor of this shape as it is."""
    extra = max(0, values.ndim - len(shape))
    trimmed = values.reshape(values.shape[extra:]) if prod(values.shape[:extra]) == 1 else values
    try:
        fits = np.broadcast_shapes(trimmed.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise node.refusal("its constant does not fit the tensor", "use one per channel", values.shape, shape)
    return trimmed


def _relu(node: Node, shape: Shape) -> Step:
    return Activation(node.where, node.layer_name, "relu")


def _identity(node: Node, shape: Shape) -> None:
    return None


def _dropout(node: Node, shape: Shape) -> None:
    training = node.argument(2)
    node.demand("training_mode", training is not None and bool(training.any()), False)


def _pair(node: Node, attribute: str, default: tuple[int, int]) -> tuple[int, int]:
    first, second = node.sides(attribute, default)
    if min(first, second) < 1:
        raise node.refusal(f"{attribute} is not positive", "export the network again", (first, second), 1)
    return first, second


def _padding(node: Node, shape: Shape, kernel: Shape, stride: Shape) -> tuple[int, int, int, int]:
    """(top, left, bottom, right), given or by the automatic rules: SAME gives ceil(side / stride) outputs."""
    mode = node.attributes.get("auto_pad", "NOTSET")
    node.demand("auto_pad", mode, "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")
    top, left, bottom, right = node.sides("pads", (0, 0, 0, 0))
    if min(top, left, bottom, right) < 0:
        raise node.refusal("its padding is negative", "crop the image instead", (top, left, bottom, right), 0)
    if mode == "NOTSET":
        return top, left, bottom, right
    if mode == "VALID" or len(shape) != 3:  # what is no image is refused where the layer is made
        return 0, 0, 0, 0
    totals = [
        max(0, (-(-side // step) - 1) * step + width - side)
        for side, step, width in zip(shape[1:], stride, kernel, strict=True)
    ]
    less, more = [total // 2 for total in totals], [total - total // 2 for total in totals]
    begin, end = (less, more) if mode == "SAME_UPPER" else (more, less)
    return begin[0], begin[1], end[0], end[1]


OPERATORS: dict[str, Callable[[Node, Shape], Step | None]] = {
    "Gemm": _gemm, "MatMul": _matmul, "Conv": _conv,
    "AveragePool": _average_pool, "GlobalAveragePool": _global_average_pool,
    "Flatten": _flatten, "Reshape": _reshape,
    "Add": _scaling, "Sub": _scaling, "Mul": _scaling, "Div": _scaling,
    "Relu": _relu, "Identity": _identity, "Dropout": _dropout,
}  # fmt: skip
