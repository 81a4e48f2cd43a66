"""Where the branches of a network part and meet: several readers of one tensor, sums and concatenations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np

from spikeloom.ann.folding import Source, ungrouped
from spikeloom.ann.graph import AnnLayer
from spikeloom.ann.lowered import Lowered, Tensor
from spikeloom.ann.steps import Step

_SAME = "give it tensors of the same shape and order"


def fork(lowering: Lowered, step: Step) -> None:
    """Make the current tensor one that several readers can take: the output of a layer.

    What is linear, or the network's input, becomes a layer that hands its numbers on.
    """
    if lowering.waiting is not None:
        raise lowering.waiting.refusal("it pools a linear layer", "put a ReLU before or right behind it")
    if lowering.open is None and not lowering.source.is_input:
        return
    if lowering.open is None and lowering.index.ndim == 3:
        lowering.as_image(step)
    lowering.open = lowering.opened(step)
    lowering.close("identity")


def add_up(lowering: Lowered, step: Step, tensors: Sequence[Tensor]) -> None:
    """The sum of tensors, as one open layer with a linear map for each."""
    layers: list[AnnLayer] = []
    for tensor in tensors:
        lowering.tensor = tensor
        _check_whole(lowering, step)
        if not layers and lowering.index.ndim == 3 and lowering.open is None:
            lowering.as_image(step)
        layers.append(lowering.opened(step))
    first = tensors[0]
    shapes = [layer.output_shape for layer in layers]
    if any(shape != shapes[0] for shape in shapes) or any(
        not np.array_equal(tensor.index, first.index) for tensor in tensors
    ):
        raise step.refusal("it adds tensors of different shape or order", _SAME, shapes)
    lowering.tensor = first
    lowering.open = _summed([part for layer in layers for part in layer.parts])
    lowering.open = replace(lowering.open, bias=np.sum([layer.bias for layer in layers], axis=0))


def _summed(parts: list[AnnLayer]) -> AnnLayer:
    """One layer of these linear maps, with the first one's name and bias."""
    full = [
        replace(part, weights=ungrouped(part.weights, part.groups), groups=1) if part.groups > 1 else part
        for part in parts
    ]
    others = tuple(replace(part, name=parts[0].name, bias=np.zeros_like(part.bias)) for part in full[1:])
    return replace(full[0], merged=others)


def concatenate(lowering: Lowered, step: Step, tensors: Sequence[Tensor], axis: int) -> None:
    """Tensors side by side along an axis, as what the next layer takes.

    axis: of a sample, the batch axis not counted.
    """
    closed = []
    for tensor in tensors:
        lowering.tensor = tensor
        _check_whole(lowering, step)
        fork(lowering, step)  # an open layer is closed: what stands side by side must be outputs
        closed.append(lowering.tensor)
    shapes = [tensor.source.pooled_shape for tensor in closed]
    if len({shape[:-1] for shape in shapes}) != 1:
        raise step.refusal("its inputs differ in more than the channels", _SAME, shapes)
    total, first, indices = sum(shape[-1] for shape in shapes), 0, []
    for tensor, (*_, channels) in zip(closed, shapes, strict=True):
        indices.append(tensor.index // channels * total + tensor.index % channels + first)
        first += channels
    try:
        index = np.concatenate(indices, axis=axis)
    except ValueError:
        raise step.refusal("its inputs differ in more than the channels", _SAME, shapes) from None
    scale, offset = (
        np.concatenate([getattr(t.source, name).reshape(shape) for t, shape in zip(closed, shapes, strict=True)],
                       axis=-1).ravel()
        for name in ("scale", "offset")
    )  # fmt: skip
    pieces = tuple(piece for tensor in closed for piece in tensor.source.pieces)
    assert prod(index.shape) == scale.size
    lowering.tensor = Tensor(None, Source(pieces, scale, offset), index, (0, 0, 0, 0), None)


def _check_whole(lowering: Lowered, step: Step) -> None:
    if any(lowering.padding) or lowering.waiting is not None:
        raise step.refusal("it joins a tensor that is padded, or pooled before its activation", _SAME)
