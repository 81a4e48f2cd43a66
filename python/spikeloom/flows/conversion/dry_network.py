"""A trained network on a chip before any fit: its geometry with plainly rounded weights, for what needs no data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.fit.sign_model import clip_to_signs
from spikeloom.fit.sign_search import by_energy
from spikeloom.fit.type_table import plain_codes
from spikeloom.flows.conversion.axon_plan import axons_per_source, has_types, one_sign_a_line
from spikeloom.flows.conversion.chip_limits import counts_spikes, largest_code, type_table, weight_grid
from spikeloom.flows.conversion.overshoot import Overshoot, way_to_keep
from spikeloom.flows.conversion.pools.max_pool import Pool, Wired
from spikeloom.flows.conversion.pools.races import connect_race, race_behind, with_races
from spikeloom.flows.conversion.relays import relayed
from spikeloom.flows.conversion.spiking_units import INPUT, SpikingUnits, UnitLayer, sources_of, spiking_units
from spikeloom.network.chip_layer import ChipLayer, Synapses
from spikeloom.network.from_fit import chip_layer
from spikeloom.network.held_back import keep
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.wired import wired_layer
from spikeloom.profile.schema import Profile

Array = NDArray[np.float64]
TICKS = 32  # thresholds and biases do not matter here, so any window will do


def dry_units(ann: Ann, pool: Pool = "tree", *, counted: bool = False) -> SpikingUnits:
    """The layers in neurons; counted: of a chip that lets nothing but spikes be read."""
    return spiking_units(ann, np.zeros((1, *ann.input_shape)), counted=counted, pool=pool)


def counts_outputs(profile: Profile) -> bool:
    """The chip lets nothing but spikes be read."""
    return counts_spikes(profile)


def dry_network(
    ann: Ann, profile: Profile, pool: Pool = "tree", *, units: SpikingUnits | None = None,
    overshoot: Overshoot = "lose",
) -> SpikingNetwork:  # fmt: skip
    """Populations and synapses as a conversion makes them, for inputs that are never negative.

    units: `dry_units` of this network, where they have been made already. Codes are the weights rounded to the
    nearest level of one scale a layer; thresholds and biases are legal and mean nothing.

    Raises FitError, NetworkError or PlacementError where the chip has no codes for the layers.
    """
    network = SpikingNetwork(profile)
    network.input(INPUT, ann.layers[0].n_inputs, encoding="rate")
    counted = counts_outputs(profile)
    plain = dry_units(ann, pool, counted=counted) if units is None else units
    layers = relayed(with_races(plain, profile), profile).layers
    axons, chips, way = (
        (*axons_per_source(layers, profile), 1),
        {},
        way_to_keep(overshoot, ann, profile, pool),
    )
    for index, layer in enumerate(layers):
        signed = one_sign_a_line(profile, axons[index], is_first=index == 0)
        is_readout, race = layer is layers[-1] and not counted, race_behind(layer.name, layers)
        carries = way == "itself" and race is None and not is_readout
        chip = _on_chip(layer, profile, axons[index], signed, readout=is_readout, carries=carries)
        chip.add_to(network, sources_of(layer), copies=axons[index + 1])
        chips[layer.name] = chip
        raced, own = race is not None and race.keeps, isinstance(layer, AnnLayer) and not is_readout
        if raced or (way == "keeper" and own):
            keep(network, chip, sources_of(layer), largest_code(profile))
        if isinstance(layer, Wired) and layer.holds_back:
            connect_race(network, layer, chips[sources_of(layer)[0]])
    network.output(network.populations[layers[-1].name], read="spikes" if counted else profile.fire.reg)
    return network


def _on_chip(
    layer: UnitLayer, profile: Profile, axons: int, signed: bool, *, readout: bool, carries: bool
) -> ChipLayer:
    if isinstance(layer, Wired):
        return wired_layer(layer.name, list(layer.maps.values()), profile, largest_code(profile))
    peak = np.ones(len(layer.bias))
    rounded = _rounded(layer, profile, axons)
    if signed:
        rounded = replace(rounded, codes=clip_to_signs(rounded.codes, by_energy(rounded.codes)))
    return chip_layer(rounded, layer, profile, ticks=TICKS, peak=peak, readout=readout, carries=carries)


def _rounded(layer: AnnLayer, profile: Profile, axons: int) -> Synapses:
    """The layer's weights in threshold units of a neuron whose typical input is one threshold."""
    matrix, grid = layer.matrix, weight_grid(profile)
    typical = float(np.median(np.abs(matrix).sum(axis=0))) or 1.0
    weights, bias = matrix / typical, np.zeros(len(layer.bias))
    if grid.levels is None:
        return Synapses(layer.name, weights, np.ones(len(bias)), bias)
    if has_types(profile):
        steps = np.full(len(bias), 2.0 * np.abs(weights).max() / grid.levels[1] or 1.0)
        typed = plain_codes(type_table(profile, axons, steps), weights)
        return Synapses(layer.name, typed.sums, steps, bias, typed)
    low, high, step = grid.levels
    scale = max(float(weights.max()) / high, float(weights.min()) / low, 1e-12)
    codes = np.clip(np.rint(weights / scale / step) * step, low, high).astype(np.int64)
    if grid.fan_in is not None:  # which inputs stay does not matter here, only how many
        rank = np.argsort(np.argsort(-np.abs(codes), axis=0, kind="stable"), axis=0)
        codes = np.where(
            rank < grid.fan_in // max(int(np.prod(part.input_pool)) for part in layer.parts), codes, 0
        )
    return Synapses(layer.name, codes, np.full(len(bias), scale), bias)
