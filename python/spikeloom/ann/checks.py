"""What must hold of a layer, of a chain of layers, and of the samples that it takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.ann.activation import ACTIVATIONS, MAX, NUMBERED, number_fits
from spikeloom.errors import AnnError

if TYPE_CHECKING:
    from spikeloom.ann.graph import Ann, AnnLayer

Finding = tuple[bool, str, object, object]  # (does it hold, what is wrong if not, value, limit)


def check_layer(layer: AnnLayer) -> None:
    for check in (_arrays_in_order, _input_in_order, _map_in_order, _parts_in_order):
        for holds, problem, value, limit in check(layer):
            if not holds:
                remedy = "correct the layer's arrays and shapes"
                raise AnnError(f"layer {layer.name!r}", problem, value=value, limit=limit, remedy=remedy)


def _arrays_in_order(layer: AnnLayer) -> Iterator[Finding]:
    shape, out, known = layer.weights.shape, layer.weights.shape[-1:], "(n, m) or (in, ky, kx, out)"
    name, number = layer.activation, layer.activation_number
    yield name in (*ACTIVATIONS, MAX), "unknown activation", name, ACTIVATIONS
    yield number_fits(name, number), f"wrong number for {name}", number, NUMBERED.get(name, 0.0)
    yield len(shape) in (2, 4), "weights are neither a matrix nor kernels", shape, known
    yield layer.weights.size > 0, "weights are empty", shape, "at least one weight"
    yield layer.bias.shape == out, "there is not one bias per output", layer.bias.shape, out
    finite = bool(np.isfinite(layer.weights).all() and np.isfinite(layer.bias).all())
    yield finite, "a weight or bias is not finite", "inf or nan", "finite numbers"


def _input_in_order(layer: AnnLayer) -> Iterator[Finding]:
    shape, pool = layer.input_shape, layer.input_pool
    ranks = (3,) if layer.is_convolution or pool != (1, 1) else (1, 3)
    yield len(shape) in ranks, "input_shape has the wrong number of axes", shape, ranks
    yield min(shape) > 0, "input_shape is empty", shape, "positive sides"
    yield min(pool) > 0, "the pooling window is empty", pool, "positive sides"
    rest = [side % window for side, window in zip(shape[:2], pool, strict=False)] if pool != (1, 1) else [0]
    yield not any(rest), "the pooling window does not divide the image", pool, shape


def _map_in_order(layer: AnnLayer) -> Iterator[Finding]:
    pooled, shape, out = layer.pooled_shape, layer.weights.shape, layer.output_shape
    if not layer.is_convolution:
        yield shape[0] == prod(pooled), "there is not one row of weights per input", shape[0], prod(pooled)
        yield out == shape[1:], "output_shape contradicts the weights", out, shape[1:]
        return
    parts, channels = layer.groups, pooled[2]
    yield (
        parts > 0 and channels % parts == shape[3] % parts == 0,
        "groups do not divide channels",
        parts,
        channels,
    )
    yield shape[0] * parts == channels, "kernels and image differ in channels", shape[0] * parts, channels
    yield min(layer.stride) > 0, "the stride is not positive", layer.stride, ">= 1"
    yield min(layer.dilation) > 0, "the dilation is not positive", layer.dilation, ">= 1"
    yield min(layer.padding) >= 0, "the padding is negative", layer.padding, ">= 0"
    sides = convolved_sides(pooled, layer.window, layer.stride, layer.padding)
    yield min(sides) > 0, "the kernel is larger than the padded image", shape[1:3], pooled
    expected = (*sides, shape[3])
    yield out == expected, "output_shape contradicts the weights", out, expected


def _parts_in_order(layer: AnnLayer) -> Iterator[Finding]:
    for part in layer.merged:
        yield not part.merged, "a merged part has parts of its own", part.name, "one linear map"
        same = part.is_convolution == layer.is_convolution and part.output_shape == layer.output_shape
        yield same, "its parts give different outputs", part.output_shape, layer.output_shape
    if layer.merged:
        groups = {part.groups for part in (layer, *layer.merged)}
        yield len(groups) == 1, "its parts differ in groups", groups, "the same number"
    if layer.is_max:
        depthwise = layer.is_convolution and layer.groups == layer.output_shape[2] == layer.input_shape[2]
        yield (
            depthwise and not layer.merged,
            "max pooling is not one window a channel",
            layer.groups,
            "channels",
        )


def convolved_sides(
    image: Sequence[int], kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int]
) -> tuple[int, int]:
    """Height and width that a convolution gives; zero or less where the kernel does not fit."""
    height = (image[0] + padding[0] + padding[2] - kernel[0]) // stride[0] + 1
    width = (image[1] + padding[1] + padding[3] - kernel[1]) // stride[1] + 1
    return height, width


def dilated(kernel: Sequence[int], dilation: Sequence[int]) -> tuple[int, int]:
    """Height and width that a kernel of these taps, this far apart, covers."""
    return (kernel[0] - 1) * dilation[0] + 1, (kernel[1] - 1) * dilation[1] + 1


def check_network(ann: Ann) -> None:
    def refuse(problem: str, value: object, limit: object) -> AnnError:
        subject = f"network {ann.name!r}"
        return AnnError(subject, problem, value=value, limit=limit, remedy="correct the layers")

    if not ann.layers:
        raise refuse("there is no layer", 0, ">= 1")
    names = [layer.name for layer in ann.layers]
    if len(set(names)) != len(names):
        raise refuse("two layers have the same name", names, "unique names")
    n = ann.layers[0].parts[0].n_inputs
    if prod(ann.input_shape) != n or not np.array_equal(np.sort(ann.input_order), np.arange(n)):
        raise refuse("input_order is not a permutation of the inputs", ann.input_order.shape, (n,))
    shapes: dict[str, tuple[int, ...]] = {"": ann.layers[0].input_shape}
    before = ""
    for layer in ann.layers:
        for part in layer.parts:
            source = before if part.source is None else part.source
            if source not in shapes:
                raise refuse(
                    f"layer {layer.name!r} takes from none of the layers before it", source, list(shapes)
                )
            if shapes[source] != part.input_shape:
                problem = f"layer {layer.name!r} does not take what {source or 'the input'!r} gives"
                raise refuse(problem, part.input_shape, shapes[source])
        shapes[layer.name], before = layer.output_shape, layer.name
    unread = set(names[:-1]) - {part.source for layer in ann.layers for part in layer.parts if part.source}
    unread -= {a.name for a, b in pairwise(ann.layers) if any(part.source is None for part in b.parts)}
    if unread:
        raise refuse(
            "nothing takes the output of a layer before the last", sorted(unread), "a layer behind it"
        )


def checked_samples(x: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    def refuse(problem: str, value: object, limit: object) -> AnnError:
        remedy = "give finite numbers, samples along axis 0"
        return AnnError("input array", problem, value=value, limit=limit, remedy=remedy)

    try:
        samples = np.asarray(x)
    except ValueError as error:
        raise refuse("the rows differ in shape", type(x).__name__, ("N", *shape)) from error
    if samples.shape[1:] != shape or samples.ndim == 0:
        raise refuse("the shape is not what the network takes", samples.shape, ("N", *shape))
    if samples.dtype.kind not in "biuf":
        raise refuse("the elements are not real numbers", samples.dtype, "float, integer or bool")
    if not np.isfinite(samples).all():
        raise refuse("a number is not finite", "inf or nan", "finite numbers")
    return samples.astype(np.float64)
