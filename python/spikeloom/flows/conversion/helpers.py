"""Fan-in beyond a chip's limit, split over helper neurons: each sums up some of a neuron's inputs.

A layer's inputs are cut into blocks, and what each block adds to a neuron, which may be negative, becomes a unit of
a layer of its own: a pair of neurons. The layer itself then adds the blocks. In numbers nothing changes; it takes a
pair for each neuron and block, and a hop more. The other way is to leave out inputs (`fan_in="thin"`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, prod
from typing import Literal

import numpy as np

from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.errors import FitError
from spikeloom.flows.conversion.pairs import is_pair
from spikeloom.profile.schema import Profile

FanIn = Literal["thin", "split"]
FAN_INS = ("thin", "split")


@dataclass(frozen=True)
class HelperCost:
    """A layer whose neurons have more synapses than the chip allows, and what splitting them takes.

    layer: of the network; synapses: onto one of its neurons; limit: of the chip; blocks: that the inputs are cut into
    neurons: helpers, two for each neuron and block; ticks: that the layer comes later
    """

    layer: str
    synapses: int
    limit: int
    blocks: int
    neurons: int
    ticks: int


def split_fan_in(ann: Ann, profile: Profile, *, input_lines: int = 1, neurons_per_unit: int = 1) -> Ann:
    """The network with a layer of helpers before each dense layer whose neurons have too many synapses.

    input_lines: of one value of the input. Layers that convolve, or add up several sources, stay as they are.
    Raises FitError where even the blocks are too many for one neuron.
    """
    layers: list[AnnLayer] = []
    for layer, lines in zip(ann.layers, _lines(ann, input_lines, neurons_per_unit), strict=True):
        blocks = _blocks(layer, lines, profile)
        if blocks > 1:
            _check_blocks(layer, 2 * neurons_per_unit * blocks, profile)
            layers.append(_helpers(layer, blocks))
            layer = _adding(layer, layers[-1], blocks)
        layers.append(layer)
    return replace(ann, layers=tuple(layers))


def check_alone(fan_in: FanIn, sizes: object, budget: object) -> None:
    """Helpers follow from the layers' sizes: raise FitError where these are to be changed as well."""
    if sizes is not None or budget is not None:
        raise FitError("fan_in", "splits the layers as they are, and sizes or a budget change them", value=fan_in,
                       limit="thin", remedy="prune first, or leave one of the two out")  # fmt: skip


def helper_costs(ann: Ann, profile: Profile) -> tuple[HelperCost, ...]:
    """What splitting takes, for each layer that it would split, of inputs that are never negative."""
    found = []
    for layer, lines in zip(ann.layers, _lines(ann, 1, 1), strict=True):
        blocks = _blocks(layer, lines, profile)
        if blocks > 1:
            limit = profile.limits.fan_in or 0
            found.append(HelperCost(layer.name, layer.n_inputs * lines, limit, blocks, 2 * blocks * layer.n_outputs,
                                    profile.time.spike_latency_ticks))  # fmt: skip
    return tuple(found)


def _lines(ann: Ann, of_input: int, neurons_per_unit: int) -> list[int]:
    """For each layer, the lines that come from one unit of its source."""
    return [
        of_input if sources[0] < 0 else neurons_per_unit * (2 if is_pair(ann, ann.layers[sources[0]]) else 1)
        for sources in ann.sources
    ]


def _blocks(layer: AnnLayer, lines: int, profile: Profile) -> int:
    """Into how many blocks the inputs are cut, 1 where the chip bears them or there is no way to."""
    limit = profile.limits.fan_in
    if limit is None or layer.is_convolution or layer.merged:
        return 1
    most = limit // (lines * prod(layer.input_pool))
    return ceil(len(layer.weights) / most) if most else 1


def _check_blocks(layer: AnnLayer, synapses: int, profile: Profile) -> None:
    limit = profile.limits.fan_in
    if limit is not None and synapses > limit:
        problem = "has more blocks of inputs than a neuron has synapses (limits.fan_in)"
        raise FitError(f"layer {layer.name!r}", problem, value=synapses, limit=limit,
                       remedy="give the layer before it a smaller size")  # fmt: skip


def _helpers(layer: AnnLayer, blocks: int) -> AnnLayer:
    """The sums of each block, block by block."""
    n, m = layer.weights.shape
    weights = np.zeros((n, blocks, m))
    for block, rows in enumerate(np.array_split(np.arange(n), blocks)):
        weights[rows, block] = layer.weights[rows]
    return replace(layer, name=f"{layer.name}_helpers", weights=weights.reshape(n, -1), bias=np.zeros(blocks * m),
                   activation="identity", activation_number=0.0, output_shape=(blocks * m,))  # fmt: skip


def _adding(layer: AnnLayer, helpers: AnnLayer, blocks: int) -> AnnLayer:
    """The layer on the sums of its blocks."""
    ones = np.tile(np.eye(len(layer.bias)), (blocks, 1))
    return replace(
        layer, weights=ones, input_shape=helpers.output_shape, input_pool=(1, 1), source=helpers.name
    )
