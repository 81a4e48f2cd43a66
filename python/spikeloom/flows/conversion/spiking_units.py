"""Units of a trained network as neurons, which can only send rates from 0 to their ceiling.

A unit whose activation can be negative, and one with a sigmoid, becomes two neurons, one for what it is above its
centre and one for what it is below (see `pairs`), whose weight in the layer behind is negated. With k neurons a unit,
each has a k-th of that weight and the same input, but starts at another potential: where one has just fired another
is about to, so that together they count k times as finely. A unit's neurons add up to its activation, exactly.

A pair of a sigmoid or a tanh uses its 2 k neurons otherwise: as ramps that add up to the round activation (`ramps`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.ann.graph import INPUT as OUTSIDE
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.flows.conversion.pairs import centre, is_pair, is_round, slope
from spikeloom.flows.conversion.pools.max_pool import Pool, Term, Wired, wired
from spikeloom.flows.conversion.pools.pooled_sources import on_term, summed
from spikeloom.flows.conversion.ramps import Ramps, closest_ramps

UnitLayer = AnnLayer | Wired
INPUT = "input"  # the population of the network's input
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SpikingUnits:
    """A network of neurons: what each should answer on the calibration rows.

    layers: with one output a neuron, the last one read out as accumulated current; sources by name
    preactivations, answers: per layer (N, n_outputs), the linear map's output and the activation wanted, >= 0
    but for a last layer that is read out as current
    offset: that the answers of the last layer are above the network's, where its spikes are counted
    gains: per layer, what the activations of its output channels were multiplied by, see `balance`
    ramps: of the layers whose neurons are ramps, what each neuron answers
    """

    layers: tuple[UnitLayer, ...]
    preactivations: tuple[Array, ...]
    answers: tuple[Array, ...]
    offset: float = 0.0
    gains: Mapping[str, Array] = field(default_factory=dict)
    ramps: Mapping[str, Ramps] = field(default_factory=dict)


def spiking_units(
    ann: Ann, rows: ArrayLike, neurons_per_unit: int = 1, *, counted: bool = False, pool: Pool = "tree"
) -> SpikingUnits:
    """The network in neurons.

    counted: the last layer's spikes are its output, raised by an offset where it can be negative; else its
    accumulated current is, and a network that ends in an activation gets a layer that reads it out
    pool: how the largest of several rates is had
    """
    build = _Units(ann, ann.flatten(rows), neurons_per_unit, pool)
    preactivations, answers = ann.preactivations(rows), ann.forward(rows)
    offset = max(0.0, -float(answers[-1].min())) if counted else 0.0
    ends_in_activation = ann.layers[-1].activation != "identity" and not counted
    spiking = ann.layers if ends_in_activation else ann.layers[:-1]
    for layer, z, a in zip(spiking, preactivations, answers, strict=False):
        build.add(layer, z, a)
    if ends_in_activation:
        build.read_out(_readout(ann), answers[-1], answers[-1])
    else:
        build.read_out(ann.layers[-1], preactivations[-1], answers[-1] + offset)
    made, inputs, outputs = zip(*build.found, strict=True)
    return SpikingUnits(made, inputs, outputs, offset, ramps=build.ramps)


class _Units:
    """The layers of neurons so far, and for each of the network's layers what adds up to its activation."""

    def __init__(self, ann: Ann, given: Array, neurons_per_unit: int, pool: Pool) -> None:
        self._ann, self.neurons_per_unit, self.pool = ann, neurons_per_unit, pool
        self.found: list[tuple[UnitLayer, Array, Array]] = []
        self.ramps: dict[str, Ramps] = {}
        self._answers: dict[str, Array] = {INPUT: given}
        # By name of a layer: its summands, and the weights of the lines that one of its units has.
        first = Term(INPUT, ann.layers[0].input_shape)
        self._given: dict[str, tuple[tuple[Term, ...], Array]] = {OUTSIDE: ((first,), np.ones(1))}
        self._centre = {OUTSIDE: 0.0}
        self._before = OUTSIDE

    def add(self, layer: AnnLayer, z: Array, a: Array) -> None:
        """A layer that fires, with its pre-activations and activations."""
        if layer.is_max:
            self._add_pool(layer)
        else:
            middle = self._centre[layer.name] = centre(self._ann, layer)
            slopes, heights, answer = self._neurons(layer, z, a - middle)
            self._append(self._on_sources(layer, slopes), _spread(z, slopes), answer)
            term = Term(layer.name, (*layer.output_shape[:-1], layer.output_shape[-1] * slopes.size))
            self._given[layer.name] = ((term,), heights)
        self._before = layer.name

    def _neurons(self, layer: AnnLayer, z: Array, a: Array) -> tuple[Array, Array, Array]:
        """Of each of a unit's neurons what it multiplies z by and what its answer counts for; all their answers.

        z, a: (N, n_outputs) pre-activations, and activations above the centre
        """
        if self.neurons_per_unit > 1 and is_round(self._ann, layer):
            middle = centre(self._ann, layer)
            ramps = closest_ramps(lambda one: layer.activate(one) - middle, z, self.neurons_per_unit)
            self.ramps[layer.name] = ramps
            return ramps.slopes, ramps.signed_heights, ramps.risen(z).reshape(len(z), -1)
        signs = np.repeat([1.0, -1.0] if is_pair(self._ann, layer) else [1.0], self.neurons_per_unit)
        answer = np.maximum(_spread(a, signs), 0.0)
        return slope(self._ann, layer) * signs, signs / self.neurons_per_unit, answer

    def read_out(self, layer: AnnLayer, z: Array, a: Array) -> None:
        """The last layer, one neuron a unit, whatever its sign."""
        self._append(self._on_sources(layer, np.ones(1)), z, a)

    def _add_pool(self, layer: AnnLayer) -> None:
        [term], lines = self._given[self._before if layer.source is None else layer.source]
        made, terms = wired(layer, term.name, self.pool)
        for one in made:
            z = one.drive(self._answers)
            largest = np.asarray(layer.preactivation(self._answers[term.name]))
            self._append(one, z, np.maximum(z, 0.0) if self.pool == "tree" else largest)
        self._given[layer.name], self._centre[layer.name] = (terms, lines), 0.0

    def _append(self, layer: UnitLayer, z: Array, a: Array) -> None:
        self.found.append((layer, z, a))
        self._answers[layer.name] = a

    def _on_sources(self, layer: AnnLayer, signs: Array) -> AnnLayer:
        """The layer in neurons, on the neurons that its sources have; their centres go into its bias."""
        parts, constant = [], np.zeros(len(layer.bias))
        for part in layer.parts:
            source = self._before if part.source is None else part.source
            terms, lines = self._given[source]
            own = _in_neurons(part, signs)
            parts += [_on_lines(on_term(own, _unit_of(term, lines)), lines, term.shape) for term in terms]
            constant = constant + self._centre[source] * part.weights.reshape(-1, len(constant)).sum(axis=0)
        whole = summed(layer.name, parts)
        return replace(whole, bias=whole.bias + np.multiply.outer(constant, signs).ravel())


def _unit_of(term: Term, lines: Array) -> Term:
    """The summand with one number a unit."""
    return replace(term, shape=(*term.shape[:-1], term.shape[-1] // lines.size))


def sources_of(layer: UnitLayer) -> tuple[str, ...]:
    """The populations that a layer of neurons takes from, one for each of its linear maps."""
    if isinstance(layer, Wired):
        return tuple(layer.maps)
    return tuple(INPUT if part.source is None else part.source for part in layer.parts)


def start_shares(outputs: int, neurons_per_unit: int) -> Array:
    """(outputs,) start of each neuron, in thresholds: spread evenly over a unit's neurons, 1/2 where it has one."""
    return (np.arange(outputs) % neurons_per_unit + 0.5) / neurons_per_unit


def _in_neurons(layer: AnnLayer, signs: Array) -> AnnLayer:
    """The layer with `signs.size` outputs a unit, side by side, times these; its activation is no longer asked."""
    if signs.size == 1 and signs[0] == 1.0:
        return layer
    weights = np.multiply.outer(layer.weights, signs).reshape(*layer.weights.shape[:-1], -1)
    bias = np.multiply.outer(layer.bias, signs).ravel()
    shape = (*layer.output_shape[:-1], layer.output_shape[-1] * signs.size)
    return replace(layer, weights=weights, bias=bias, output_shape=shape)


def _on_lines(layer: AnnLayer, lines: Array, shape: tuple[int, ...]) -> AnnLayer:
    """The layer behind units that have so many lines, each with its share of the unit's weight."""
    if lines.size == 1:
        return layer
    weights = np.stack([share * layer.weights for share in lines], axis=1)
    return replace(layer, weights=weights.reshape(-1, *layer.weights.shape[1:]), input_shape=shape)


def _spread(values: Array, signs: Array) -> Array:
    """(N, n_outputs) -> (N, n_outputs * p): each value times every sign, side by side."""
    spread: Array = np.multiply.outer(values, signs).reshape(len(values), -1)
    return spread


def _readout(ann: Ann) -> AnnLayer:
    """A linear layer that hands the last activations on."""
    last, size = ann.layers[-1], ann.layers[-1].n_outputs
    name = f"{last.name}_readout"
    return AnnLayer(
        name, np.eye(size), np.zeros(size), "identity", last.output_shape, (size,), source=last.name
    )
