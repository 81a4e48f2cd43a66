"""Units of a trained network as neurons, which can only send rates from 0 to their ceiling.

A unit whose activation can be negative becomes two neurons, one for its positive and one for its negative part,
whose weight in the layer behind is negated. With k neurons a unit, each has a k-th of that weight and the same
input, but starts at another potential: where one has just fired another is about to, so that together they count
k times as finely. A unit's neurons add up to its activation, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.ann.activation import SIGNED
from spikeloom.ann.graph import Ann, AnnLayer

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SpikingUnits:
    """A network of neurons: what each should answer on the calibration rows.

    layers: with one output a neuron, the last one read out as accumulated current
    preactivations, answers: per layer (N, n_outputs), the linear map's output and the activation wanted, >= 0
    but for a last layer that is read out as current
    offset: that the answers of the last layer are above the network's, where its spikes are counted
    """

    layers: tuple[AnnLayer, ...]
    preactivations: tuple[Array, ...]
    answers: tuple[Array, ...]
    offset: float = 0.0


def spiking_units(
    ann: Ann, rows: ArrayLike, neurons_per_unit: int = 1, *, counted: bool = False
) -> SpikingUnits:
    """The network in neurons.

    counted: the last layer's spikes are its output, raised by an offset where it can be negative; else its
    accumulated current is, and a network that ends in an activation gets a layer that reads it out
    """
    layers, preactivations, answers = ann.layers, ann.preactivations(rows), ann.forward(rows)
    offset = max(0.0, -float(answers[-1].min())) if counted else 0.0
    if layers[-1].activation != "identity" and not counted:
        layers, preactivations = (*layers, _readout(ann)), (*preactivations, answers[-1])
        answers = (*answers, answers[-1])
    found: list[tuple[AnnLayer, Array, Array]] = []
    lines = np.ones(1)  # weights of the lines that a unit of the layer before has
    for layer, z, a in zip(layers[:-1], preactivations, answers, strict=False):
        signs = _signs(layer, neurons_per_unit)
        wanted = np.maximum(_spread(a, signs), 0.0)
        found.append((_on_lines(_in_neurons(layer, signs), lines), _spread(z, signs), wanted))
        lines = signs / neurons_per_unit
    found.append((_on_lines(layers[-1], lines), preactivations[-1], answers[-1] + offset))
    made, inputs, outputs = zip(*found, strict=True)
    return SpikingUnits(made, inputs, outputs, offset)


def start_shares(outputs: int, neurons_per_unit: int) -> Array:
    """(outputs,) start of each neuron, in thresholds: spread evenly over a unit's neurons, 1/2 where it has one."""
    return (np.arange(outputs) % neurons_per_unit + 0.5) / neurons_per_unit


def _signs(layer: AnnLayer, neurons_per_unit: int) -> Array:
    """(p,) for each neuron of a unit, whether it stands for the positive or the negative part."""
    return np.repeat([1.0, -1.0] if layer.activation in SIGNED else [1.0], neurons_per_unit)


def _in_neurons(layer: AnnLayer, signs: Array) -> AnnLayer:
    """The layer with `signs.size` outputs a unit, side by side; its activation is no longer asked."""
    if signs.size == 1:
        return layer
    weights = np.multiply.outer(layer.weights, signs).reshape(*layer.weights.shape[:-1], -1)
    bias = np.multiply.outer(layer.bias, signs).ravel()
    shape = (*layer.output_shape[:-1], layer.output_shape[-1] * signs.size)
    return replace(layer, weights=weights, bias=bias, output_shape=shape)


def _on_lines(layer: AnnLayer, lines: Array) -> AnnLayer:
    """The layer behind units that have so many lines, each with its share of the unit's weight."""
    if lines.size == 1:
        return layer
    weights = np.stack([share * layer.weights for share in lines], axis=1)
    shape = (*layer.input_shape[:-1], layer.input_shape[-1] * lines.size)
    return replace(layer, weights=weights.reshape(-1, *layer.weights.shape[1:]), input_shape=shape)


def _spread(values: Array, signs: Array) -> Array:
    """(N, n_outputs) -> (N, n_outputs * p): each value times every sign, side by side."""
    spread: Array = np.multiply.outer(values, signs).reshape(len(values), -1)
    return spread


def _readout(ann: Ann) -> AnnLayer:
    """A linear layer that hands the last activations on."""
    last, size = ann.layers[-1], ann.layers[-1].n_outputs
    name = f"{last.name}_readout"
    return AnnLayer(name, np.eye(size), np.zeros(size), "identity", last.output_shape, (size,))
