"""What all ways of converting one network share: its layers in neurons, and the calibration data of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.emulation.encoding import encode
from spikeloom.emulation.measure import Feed, first_feed
from spikeloom.flows.conversion.axon_plan import axons_per_source
from spikeloom.flows.conversion.balance import balanced
from spikeloom.flows.conversion.chip_limits import counts_spikes, firing_ceiling
from spikeloom.flows.conversion.input_coding import FEW_TICKS, InputCoding, InputEncoding, choose_coding
from spikeloom.flows.conversion.layers.layer_data import LayerData
from spikeloom.flows.conversion.overshoot import Overshoot, Way, way_to_keep
from spikeloom.flows.conversion.pairs import is_pair
from spikeloom.flows.conversion.pools.max_pool import Pool
from spikeloom.flows.conversion.pools.races import with_races
from spikeloom.flows.conversion.ramps import Ramps
from spikeloom.flows.conversion.relays import relayed
from spikeloom.flows.conversion.row_draws import held_out_rows
from spikeloom.flows.conversion.spiking_units import UnitLayer, spiking_units
from spikeloom.profile.schema import Profile

Array = NDArray[np.float64]
FEED_NUMBERS = 420_000_000  # spike counts that one layer's feed may hold; further rows are left out


@dataclass(frozen=True, eq=False)
class CalibrationSet:
    """What all candidates of one conversion share.

    layers: of the ANN in neurons, the first one rewritten for the coded input
    rows: (N, *input_shape) as the ANN takes them
    first: the data of the first layer, shared by all candidates
    counted_offset: of the last layer's answers, where its spikes are counted; None: its current is read
    answers, preactivations: what the neurons of each layer should answer on these rows, after and before the
        activation
    held: (N,) rows that judge, and that no solve sees
    axons: that each source of a layer drives
    gains: per layer, what the activations of its channels were multiplied by
    ramps: of layers whose neurons are ramps, what each answers
    spread: of a weight from chip to chip, for the method "robust"
    kept_by: who keeps what neurons have above their threshold
    """

    ann: Ann
    profile: Profile
    ticks: int
    coding: InputCoding
    layers: tuple[UnitLayer, ...]
    rows: Array
    first: LayerData
    answers: tuple[Array, ...]
    preactivations: tuple[Array, ...]
    held: NDArray[np.bool_]
    seed: int
    warnings: tuple[str, ...]
    neurons_per_unit: int = 1
    counted_offset: float | None = None
    axons: tuple[int, ...] = ()
    gains: Mapping[str, Array] = field(default_factory=dict)
    ramps: Mapping[str, Ramps] = field(default_factory=dict)
    spread: float = 0.0
    kept_by: Way = ""

    def starts(self, index: int) -> int:
        """Neurons of a layer that answer alike, each from a start of its own."""
        alone = index == len(self.layers) - 1 or self.layers[index].name in self.ramps
        return 1 if alone else self.neurons_per_unit


def _neurons(ann: Ann, layer: AnnLayer, per_unit: int) -> int:
    """Neurons of a layer at most."""
    return layer.n_outputs * per_unit * (2 if is_pair(ann, layer) else 1)


def calibration_set(
    ann: Ann,
    profile: Profile,
    rows: Array,
    *,
    ticks: int,
    encoding: InputEncoding | None,
    seed: int,
    neurons_per_unit: int = 1,
    pool: Pool = "tree",
    most_axons: int | None = None,
    overshoot: Overshoot = "lose",
) -> CalibrationSet:
    """The ANN's answers on as many rows as the emulation can hold, in a seeded order, and the coding of the input."""
    widest = max(ann.layers[0].n_inputs, *(_neurons(ann, layer, neurons_per_unit) for layer in ann.layers))
    most = max(1, FEED_NUMBERS // (widest * (ticks * profile.time.steps_per_tick + len(ann.layers))))
    warnings = (f"only {most} of {len(rows)} calibration rows were used",) if len(rows) > most else ()
    order = np.random.default_rng(seed).permutation(len(rows))[:most]
    held = held_out_rows(len(rows), seed)[order]
    rows = rows[order]
    counted = counts_spikes(profile)
    flat = ann.flatten(rows)
    plain = spiking_units(ann, rows, neurons_per_unit, counted=counted, pool=pool)
    levels = firing_ceiling(profile) * ticks if ticks < FEW_TICKS else None
    units = relayed(with_races(balanced(plain, levels), profile), profile)
    first_layer = units.layers[0]
    assert isinstance(first_layer, AnnLayer)
    coding = choose_coding(first_layer, flat, profile, encoding, ticks)
    layers = (coding.layer, *units.layers[1:])
    first = LayerData(
        coding.layer, _input_feed(coding, flat, ticks, profile), coding.values(flat), coding.halves(flat),
        units.preactivations[0], units.answers[0], coding.line_scale, held, seed,
    )  # fmt: skip
    return CalibrationSet(
        ann,
        profile,
        ticks,
        coding,
        layers,
        rows,
        first,
        units.answers,
        units.preactivations,
        held,
        seed,
        warnings,
        neurons_per_unit,
        units.offset if counted else None,
        axons_per_source(layers, profile, most_axons),
        units.gains,
        units.ramps,
        kept_by=way_to_keep(overshoot, ann, profile, pool),
    )


def _input_feed(coding: InputCoding, flat: Array, ticks: int, profile: Profile) -> Feed:
    """The spikes of the calibration rows; their values, where the host computes."""
    if coding.by_host:
        return Feed(flat, ticks)
    spikes = encode(flat, coding.encoding, coding.scale, ticks, signed=coding.signed, planes=coding.planes)
    return first_feed(profile, spikes)
