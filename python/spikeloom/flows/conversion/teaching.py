"""A converted network taught the trained one's outputs through the spikes that it really sends.

With few ticks a neuron has few levels, and what one layer gets wrong the next could make up for; layers that are
fitted one by one cannot. Here all synapses move together. Forwards neurons integrate and fire as on the chip;
backwards a spike rate counts as the mean current cut at 0 and 1 (tandem learning, Wu and others 2021).

It starts from the weight copy: from synapses that were fitted layer by layer it ends at a larger error. For chips
with continuous weights whose neurons do nothing but integrate, fire and subtract their threshold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.gradients import mapped
from spikeloom.ann.graph import AnnLayer
from spikeloom.flows.conversion.calibration import CalibrationSet
from spikeloom.flows.conversion.chip_limits import weight_grid
from spikeloom.flows.conversion.layers.layer_search import Candidate
from spikeloom.flows.conversion.learning import Layers, Lesson, Trace, learned
from spikeloom.network.chip_layer import Synapses
from spikeloom.network.chip_units import only_integrates

Array = NDArray[np.float64]
STEPS = 2500
RATE = 0.01  # of the first step, in units of a layer's typical weight
START = 0.5  # potential of a neuron before its window, in thresholds


@dataclass(frozen=True, eq=False)
class Taught:
    """New synapses of a layer: weights (n, m) and bias (m,) in threshold units, at this target scale."""

    weights: Array
    bias: Array
    scale: float


def can_teach(data: CalibrationSet) -> bool:
    """The neurons are plain integrators with continuous weights, the layers a chain, and the input is constant."""
    ann = data.ann
    fire = data.profile.fire
    subtracts = fire.op == "fire" and fire.reset == "subtract"
    continuous = only_integrates(data.profile) and weight_grid(data.profile).levels is None
    plain = ann.is_chain and all(layer.groups == 1 for layer in ann.layers)
    constant = data.coding.by_host or data.coding.encoding == "bits"
    alone = data.neurons_per_unit == 1 and data.counted_offset is None
    return plain and constant and alone and subtracts and continuous


def teach(data: CalibrationSet, start: tuple[Candidate, ...], *, steps: int = STEPS) -> Mapping[str, Taught]:
    """Synapses of every layer, learned from those of `start` on the rows that do not judge; the same for a seed."""
    rows, net = ~data.held, _Spiking(data, start)
    x, wanted = data.ann.flatten(data.rows[rows]), data.preactivations[-1][rows]
    lesson = Lesson(data.ann.layers, x, wanted, data.seed, steps, RATE, net.run, net.unit)
    return {
        layer.name: Taught(layer.matrix, layer.bias, one.scale)
        for layer, one in zip(learned(net.layers, lesson), start, strict=True)
    }


class _Spiking:
    """The converted network in threshold units; unit: of the readout's current in the ANN's output."""

    def __init__(self, data: CalibrationSet, start: tuple[Candidate, ...]) -> None:
        self.coding, self.ticks, self.unit = data.coding, data.ticks, start[-1].scale
        made = []
        for layer, candidate in zip(data.layers, start, strict=True):
            assert isinstance(layer, AnnLayer)
            synapses = Synapses.of(candidate.fit)
            one = layer.with_matrix(synapses.weights, synapses.bias)
            made.append(replace(one, activation="clip", activation_number=1.0))
        self.layers = (*made[:-1], replace(made[-1], activation="identity", activation_number=0.0))

    def run(self, layers: Layers, x: Array) -> Trace:
        """What every layer sees of the rates, its mean currents for the derivative; x: inputs (N, channels)."""
        seen, currents = [layers[0].unfold(self.coding.values(x))], []
        trains = np.empty(0)
        for k, (layer, behind) in enumerate(pairwise(layers)):
            current = mapped(layer, seen[-1])
            trains = _fired([current] * self.ticks if k == 0 else self._drive(layer, trains))
            currents.append(_softened(current, self.ticks))
            seen.append(behind.unfold(trains.mean(axis=0)))
        return seen, [*currents, mapped(layers[-1], seen[-1])]

    def _drive(self, layer: AnnLayer, trains: Array) -> Array:
        """(ticks, N, neurons) what spikes (ticks, N, channels) give in every tick."""
        drive = layer.preactivation(trains.reshape(-1, layer.n_inputs))
        return drive.reshape(self.ticks, -1, layer.n_outputs)


def _fired(drive: Sequence[Array] | Array) -> Array:
    """(ticks, N, neurons) spikes from what arrives in every tick."""
    potential, spikes = np.full(drive[0].shape, START), np.empty((len(drive), *drive[0].shape))
    for current, fired in zip(drive, spikes, strict=True):
        potential += current
        np.greater_equal(potential, 1.0, out=fired)
        potential -= fired
    return spikes


def _softened(current: Array, ticks: int) -> Array:
    """Currents such that the clip's slope of 1 reaches half a spike beyond both of its ends."""
    half = 0.5 / ticks
    return np.asarray((current + half) / (1.0 + 2.0 * half))
