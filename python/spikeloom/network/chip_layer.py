"""A fitted layer: its synapses in threshold units, and the same layer in a chip's own codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.fit.problem import LayerFit, TypedCodes
from spikeloom.network.constant_lines import ConstantLines
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.projection import Convolution, Population

if TYPE_CHECKING:
    from scipy.sparse import sparray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Synapses:
    """What a chip layer is made of: weights codes * scales and bias, in threshold units.

    codes: (n, m) on the chip's grid; scales, bias: (m,); typed: `codes` by the type of an axon
    """

    name: str
    codes: NDArray
    scales: Array
    bias: Array
    typed: TypedCodes | None = None

    @property
    def weights(self) -> Array:
        """(n, m) threshold units."""
        return np.asarray(self.codes * self.scales, dtype=np.float64)

    @classmethod
    def of(cls, fit: LayerFit) -> Synapses:
        """The rounded weights of a fit and the bias that was fitted to them."""
        return cls(fit.name, fit.codes, fit.scales, fit.quantised_bias, fit.typed)


@dataclass(frozen=True, eq=False)
class ChipLayer:
    """One fitted layer in the chip's own codes, ready to be added to a network.

    weights: for each source codes, a matrix (n_source, n_target), sparse where zeros would count as synapses, or a
        Convolution
    shared: shared weight values by name, the same for every source; params, init: one value a neuron, by the
        profile's names
    theta: (n_target,) effective threshold in LSB; for a readout, LSB per unit of current
    host_bias: (n_target,) LSB, where the host computes the layer's current; `weights` are then LSB per unit of value
    constant: the lines that always send, where a bias comes by axons
    types: (n_source, k) the type of each axon of a source, where axons have one; `weights` are then the bits
        (k, n_source, n_target) of its axons
    by_sign: codes above 0 go to the first receptor, those below, as magnitudes, to the second
    onto_itself: ((n_target,) codes, (n_target,) exponents) of the synapses of every neuron onto itself
    """

    name: str
    weights: tuple[NDArray | sparray | Convolution, ...]
    shared: dict[str, Any]
    params: dict[str, NDArray]
    init: dict[str, NDArray]
    theta: Array
    host_bias: Array | None = None
    constant: ConstantLines | None = None
    types: NDArray | None = None
    by_sign: bool = False
    onto_itself: tuple[tuple[NDArray, NDArray], ...] = ()

    @property
    def size(self) -> int:
        """Neurons."""
        return int(self.theta.size)

    def add_to(
        self, network: SpikingNetwork, sources: Sequence[str], *, copies: int = 1, late: int = 0
    ) -> None:
        """Add the population and its projections from `sources`; a host layer, where the host computes.

        copies: of every neuron, one behind the other, for a layer behind that has an axon for each of them.
        late: ticks by which the lines of its bias begin later, where the layer stands behind no layers that would
        make the placement delay them.
        """
        codes = {name: np.tile(values, copies) for name, values in self.params.items()}
        start = {name: np.tile(values, copies) for name, values in self.init.items()}
        population = network.population(self.name, self.size * copies, init=start, **codes)
        for source, weights in zip(sources, self.weights, strict=True):
            self._connect(network, network.populations[source], population, weights, copies)
        if self.constant is not None:
            self.constant.connect(network, population, copies, late)
        for own, exponents in self.onto_itself:
            _connect_to_itself(network, population, np.tile(own, copies), np.tile(exponents, copies))

    def _connect(
        self, network: SpikingNetwork, origin: Population, population: Population, weights: Any, copies: int
    ) -> None:
        if self.host_bias is not None:
            bias = np.tile(self.host_bias, copies)
            network.host_layer(origin, population, np.tile(weights, copies), bias=bias)
        elif self.types is not None:
            _connect_by_type(network, origin, population, np.tile(weights, copies), self.types)
        elif self.by_sign:
            _connect_by_sign(network, origin, population, np.asarray(weights))
        elif network.profile.weights.formula == "sign_pre":
            _connect_by_source(network, origin, population, np.tile(np.asarray(weights), copies))
        else:
            network.connect(origin, population, weights, **self.shared)


def _connect_by_type(
    network: SpikingNetwork, origin: Population, population: Population, bits: NDArray, types: NDArray
) -> None:
    """A line of the input drives all its axons; a neuron has a copy of itself for each."""
    if origin.is_input:
        for axon, kind in zip(bits, types.T, strict=True):
            network.connect(origin, population, axon, type=kind)
    else:
        network.connect(origin, population, bits.reshape(-1, bits.shape[-1]), type=types.T.ravel())


def _connect_by_source(
    network: SpikingNetwork, origin: Population, population: Population, weights: NDArray
) -> None:
    """Where all that a source sends has one sign: a neuron has a copy for either, which are always alike.

    Where it has no copy, its codes have one sign by themselves. A line of the input needs none: its synapses are
    events of their own, each of which brings its weight with it.
    """
    from scipy.sparse import coo_array

    if origin.is_input:
        assert network.profile.event is not None
        receptor = network.profile.event.receptors.index("virtual")
        network.connect(origin, population, coo_array(weights), receptor=receptor)
    elif origin.size == len(weights):
        network.connect(origin, population, weights)
    else:
        both = (np.maximum(weights, 0), np.minimum(weights, 0))
        network.connect(origin, population, np.concatenate(both))


def _connect_by_sign(
    network: SpikingNetwork, origin: Population, population: Population, weights: NDArray
) -> None:
    """Synapses other than 0 only: they are counted."""
    from scipy.sparse import coo_array

    for receptor, codes in enumerate((np.maximum(weights, 0), np.maximum(-weights, 0))):
        network.connect(origin, population, coo_array(codes), receptor=receptor)


def _connect_to_itself(
    network: SpikingNetwork, population: Population, codes: NDArray, exponents: NDArray
) -> None:
    """A synapse of each neuron onto itself, where its code is not 0."""
    from scipy.sparse import coo_array

    neurons = np.flatnonzero(codes)
    weights = coo_array((codes[neurons], (neurons, neurons)), shape=(population.size,) * 2)
    shared: dict[str, Any] = {network.profile.weights.shared[0].name: exponents}
    network.connect(population, population, weights, **shared)
