"""Choose how each projection's synapses are stored: as a full matrix, one by one, or as a kernel."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from spikeloom.network.network import SpikingNetwork
from spikeloom.network.projection import Convolution, Projection
from spikeloom.placement.convolution import ConvolutionSynapses
from spikeloom.placement.rows import DenseSynapses, SparseSynapses, Synapses
from spikeloom.placement.windows import depths, extra_delay


def all_synapses(network: SpikingNetwork) -> tuple[Synapses, ...]:
    """The synapses of every projection, with delays that let all branches meet.

    Raises PlacementError where a delay leaves the profile's range.
    """
    depth = depths(network)
    return tuple(synapses_of(p, extra_delay(network, p, depth)) for p in network.projections)


def synapses_of(projection: Projection, extra: int) -> Synapses:
    """One projection's synapses, `extra` ticks added to every delay.

    A matrix whose rows hold several delays is stored synapse by synapse, delay by delay.
    """
    weights, formats = projection.weights, projection.formats
    delay = np.asarray(projection.delays, dtype=np.int64) + extra
    if isinstance(weights, Convolution):
        return ConvolutionSynapses(weights, int(delay), formats)
    if isinstance(weights, csr_array):
        row = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
        return _sparse(row, weights.indices.astype(np.int64), weights.data, delay, formats, weights.shape)
    if delay.ndim == 0 or (delay == delay[:, :1]).all():
        return DenseSynapses(weights, delay if delay.ndim == 0 else delay[:, 0], formats)
    row, column = (index.ravel() for index in np.indices(weights.shape))
    return _sparse(row, column, weights.ravel(), delay.ravel(), formats, weights.shape)


def _sparse(row: np.ndarray, column: np.ndarray, codes: np.ndarray, delay: np.ndarray, formats: np.ndarray,
            shape: tuple[int, int]) -> SparseSynapses:  # fmt: skip
    per_synapse = np.broadcast_to(formats, shape)[row, column]
    return SparseSynapses(row, column, codes, np.broadcast_to(delay, row.shape), per_synapse, shape)
