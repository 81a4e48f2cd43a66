"""ONNX operators that move numbers about and change none: reshaping, transposing, padding, leaving alone.

Semantics are those of the operator pages of ONNX, opset 7 and later. What would touch the batch axis is refused.
"""

from __future__ import annotations

from math import prod

from spikeloom.ann.onnx.node import Node, Shape
from spikeloom.ann.steps import Padding, Reshape, Step, Transpose

Steps = tuple[Step, ...]
_FLAT = "use Flatten, or a constant shape (-1, n)"


def flatten(node: Node, shape: Shape) -> Steps:
    node.demand("axis", node.attributes.get("axis", 1), 1, -len(shape))
    return (Reshape(*node.labels, (prod(shape),)),)


def reshape(node: Node, shape: Shape) -> Steps:
    """A target shape that keeps the batch axis as it is."""
    target = node.argument(1)
    if node.place != 0 or target is None or target.dtype.kind != "i" or target.ndim != 1 or target.size < 2:
        raise node.refusal("its shape is not a constant list with a batch axis", _FLAT)
    if not target[1:].all():  # the batch axis is 0 where the file takes it from a Shape
        node.demand("allowzero", node.attributes.get("allowzero", 0), 0)
    batch, *rest = (int(side) for side in target)
    sides = [_copied(shape, k) if side == 0 else side for k, side in enumerate(rest)]
    known = prod(side for side in sides if side != -1)
    if sides.count(-1) == 1 and known > 0:
        sides[sides.index(-1)] = prod(shape) // known
    if batch not in (0, -1, node.batch) or min(sides) < 1 or prod(sides) != prod(shape):
        raise node.refusal("it does not keep the batch axis", _FLAT, target.tolist(), ("batch", *shape))
    return (Reshape(*node.labels, tuple(sides)),)


def _copied(shape: Shape, k: int) -> int:
    """The side that a 0 in a target shape stands for; 0, which is refused, where there is none."""
    return shape[k] if k < len(shape) else 0


def squeeze(node: Node, shape: Shape) -> Steps:
    """Axes of length 1 dropped; all of them where none are named, which may not meet the batch axis."""
    rank = len(shape) + 1
    axes = _axes(node, rank)
    if not axes:
        raise node.refusal("without axes it may drop the batch axis", "name the axes")
    if 0 in axes or any(shape[axis - 1] != 1 for axis in axes):
        raise node.refusal("it drops an axis that is not of length 1, or the batch axis", _FLAT, axes, shape)
    return (Reshape(*node.labels, tuple(s for k, s in enumerate(shape, 1) if k not in axes)),)


def unsqueeze(node: Node, shape: Shape) -> Steps:
    """Axes of length 1 inserted, at their places in the result."""
    axes = _axes(node, len(shape) + 1 + _count(node))
    if 0 in axes or not axes:
        raise node.refusal("it moves the batch axis", "insert axes behind it", axes)
    rest = iter(shape)
    sides = tuple(1 if k in axes else next(rest) for k in range(1, len(shape) + 1 + len(axes)))
    return (Reshape(*node.labels, sides),)


def _axes(node: Node, rank: int) -> set[int]:
    """The axes, counted from the front; an attribute before opset 13, an argument since."""
    listed = node.argument(1)
    axes = node.attributes.get("axes", ()) if listed is None else listed.ravel().tolist()
    return {int(axis) % rank for axis in axes}


def _count(node: Node) -> int:
    listed = node.argument(1)
    return len(node.attributes.get("axes", ())) if listed is None else int(listed.size)


def transpose(node: Node, shape: Shape) -> Steps:
    perm = [int(axis) for axis in node.attributes.get("perm", range(len(shape), -1, -1))]
    if perm[:1] != [0]:
        raise node.refusal("it moves the batch axis", "leave axis 0 in its place", perm)
    return (Transpose(*node.labels, tuple(axis - 1 for axis in perm[1:])),)


def pad(node: Node, shape: Shape) -> Steps:
    """Zeros around an image; pads are an attribute before opset 11, an argument since."""
    node.demand("mode", node.attributes.get("mode", "constant"), "constant")
    node.demand("value", node.attributes.get("value", node.number(2) or 0.0), 0.0)
    listed, rank = node.argument(1), len(shape) + 1
    pads = node.attributes.get("pads", ()) if listed is None else listed.ravel().tolist()
    axes = node.argument(3)
    touched = range(rank) if axes is None else [int(axis) % rank for axis in axes.ravel()]
    if len(pads) != 2 * len(touched):
        raise node.refusal("its pads are no constant", "export it with constant pads", pads)
    before, behind = [0] * rank, [0] * rank
    for axis, first, last in zip(touched, pads[: len(touched)], pads[len(touched) :], strict=True):
        before[axis], behind[axis] = int(first), int(last)
    images = rank in (3, 4) and not any((*before[:2], *behind[:2]))
    if not images or min(*before, *behind) < 0:
        raise node.refusal("it pads something else than the sides of an image", "pad those only", pads)
    (top, left), (bottom, right) = (0, *before[2:])[-2:], (0, *behind[2:])[-2:]
    return (Padding(*node.labels, (top, left, bottom, right)),)


def identity(node: Node, shape: Shape) -> Steps:
    return ()


def cast(node: Node, shape: Shape) -> Steps:
    """From one kind of float to another."""
    node.demand("to", node.attributes.get("to"), 1, 11)
    return ()


def dropout(node: Node, shape: Shape) -> Steps:
    training = node.argument(2)
    node.demand("training_mode", training is not None and bool(training.any()), False)
    return ()
