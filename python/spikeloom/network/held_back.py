"""Neurons that are reset to zero, with synapses that make good what the reset loses, in whole thresholds.

A keeper stands beside a neuron and has the same input, but a threshold twice as high: the neuron's spikes take one
threshold each from it, so that its potential is the input less all that was sent. The neuron, which loses at each
reset what it had above its threshold, falls behind; where the keeper finds a whole threshold missing, it gives one.

A pool that fires with any of its sources holds them back: each of its spikes takes one threshold from all of them, so
that a source's potential is its own input less all that the pool sent, and the next spike is due when the largest
input has grown by one more threshold. A source that fired has been reset, which took the threshold already, and gets
it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, eye_array, sparray

from spikeloom.network.chip_layer import ChipLayer
from spikeloom.network.chip_units import exponent_name, threshold_name, weight_unit
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.projection import Population
from spikeloom.profile.schema import Profile

Array = NDArray[np.float64]
KEPT = 2  # thresholds of its neighbour at which a keeper fires: one is there whenever that is about to


def can_hold_back(profile: Profile) -> bool:
    """A spike resets to zero, arrives a tick later, and can wait another; any weight can be had."""
    time = profile.time
    waits = 0 if time.delay_scope == "none" else time.delay_max
    resets = getattr(profile.fire, "reset", "") == "zero"
    weighs = profile.weights.formula == "float" or bool(exponent_name(profile))
    return resets and weighs and time.steps_per_tick == 1 and 0 < time.spike_latency_ticks <= waits


def keeper_of(name: str) -> str:
    """The population of a layer's keepers."""
    return f"{name}_keeper"


def keep(network: SpikingNetwork, layer: ChipLayer, sources: Sequence[str], largest_code: float) -> None:
    """Add a keeper for each neuron of a layer that stands in the network behind these sources.

    largest_code: of a weight of either sign.
    """
    profile, threshold = network.profile, threshold_name(network.profile)
    params = layer.params | {threshold: KEPT * layer.params[threshold]}
    replace(layer, name=keeper_of(layer.name), params=params).add_to(network, sources)
    neurons, keepers = network.populations[layer.name], network.populations[keeper_of(layer.name)]
    each = coo_array(eye_array(layer.size))
    _connect(network, neurons, keepers, each, -layer.theta, largest_code)
    _connect(network, keepers, neurons, each, layer.theta, largest_code)
    late = profile.time.spike_latency_ticks  # when what the given threshold made the neuron send comes back
    _connect(network, keepers, keepers, each, KEPT * layer.theta, largest_code, late)


def hold_back(
    network: SpikingNetwork, layer: ChipLayer, pool: str, windows: sparray, largest_code: float
) -> None:
    """Let each spike of a pool take a threshold from its sources and their keepers; those that fired get it back.

    layer: the sources, which stand in the network as the pool does; windows: (sources, pool) of 1, each source in
    one at most. largest_code: of a weight of either sign.
    """
    sources, pooled = network.populations[layer.name], network.populations[pool]
    late, own = network.profile.time.spike_latency_ticks, coo_array(windows).coords[0]
    each = coo_array((np.ones(own.size), (own, own)), shape=(layer.size, layer.size))
    for target in (layer.name, keeper_of(layer.name)):
        if target in network.populations:
            held = network.populations[target]
            _connect(network, pooled, held, coo_array(windows.T), -layer.theta, largest_code)
            _connect(network, sources, held, each, layer.theta, largest_code, late)


def _connect(
    network: SpikingNetwork, source: Population, target: Population, pattern: coo_array, sizes: Array,
    largest_code: float, delay: int = 0,
) -> None:  # fmt: skip
    """Synapses of 1 where the pattern has them, each of its target's size in LSB."""
    codes, shared = _codes(network.profile, sizes, largest_code)
    rows, columns = pattern.coords
    weights = coo_array((codes[columns], (rows, columns)), shape=pattern.shape)
    network.connect(source, target, weights, delays=delay, **shared)


def _codes(profile: Profile, sizes: Array, largest_code: float) -> tuple[NDArray, dict[str, Any]]:
    """((n,) codes of weights of these sizes, none of them 0, and the shared values of these)."""
    if profile.weights.formula == "float":
        return sizes, {}
    shared, steps = profile.weights.shared[0], np.abs(sizes) / weight_unit(profile)
    needed = int(np.ceil(np.log2(steps.max() / largest_code)))
    exponent = int(np.clip(needed, shared.min, shared.max))
    codes = np.clip(np.rint(steps / 2.0**exponent), 1, largest_code) * np.sign(sizes)
    return codes.astype(np.int32), {shared.name: exponent}
