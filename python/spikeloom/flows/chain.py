"""A whole chain of layers converted by one method: each layer is fitted on what the layers before it really send."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.activation import SIGNED
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.emulation.encoding import encode
from spikeloom.emulation.measure import Feed, next_feed
from spikeloom.fit.problem import LayerFit, Method, Objective
from spikeloom.flows.checkpoint import Checkpoint
from spikeloom.flows.ideal_stages import IdealStages
from spikeloom.flows.input_coding import InputCoding, InputEncoding, choose_coding
from spikeloom.flows.layer_data import LayerData
from spikeloom.flows.layer_search import Candidate, convert_layer
from spikeloom.flows.layer_task import LayerTask, on_chip, one_layer_program, readout_scale
from spikeloom.flows.spiking_units import spiking_units
from spikeloom.flows.time_limit import TimeLimit
from spikeloom.network.from_fit import Synapses
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.profile.schema import Profile
from spikeloom.program.program import ChipProgram

Array = NDArray[np.float64]
HELD_OUT = 5  # every fifth calibration row judges, the others are fitted
FEED_NUMBERS = 420_000_000  # spike counts that one layer's feed may hold; further rows are left out
INPUT = "input"


@dataclass(frozen=True, eq=False)
class CalibrationSet:
    """What all candidates of one conversion share.

    layers: of the ANN in neurons, the first one rewritten for the coded input
    rows: (N, *input_shape) as the ANN takes them
    first: the data of the first layer, shared by all candidates
    counted_offset: of the last layer's answers, where its spikes are counted; None: its current is read
    answers, preactivations: what the neurons of each layer should answer on these rows, after and before the
        activation
    held: (N,) rows that judge
    """

    ann: Ann
    profile: Profile
    ticks: int
    coding: InputCoding
    layers: tuple[AnnLayer, ...]
    rows: Array
    first: LayerData
    answers: tuple[Array, ...]
    preactivations: tuple[Array, ...]
    held: NDArray[np.bool_]
    seed: int
    warnings: tuple[str, ...]
    neurons_per_unit: int = 1
    counted_offset: float | None = None


@dataclass(frozen=True, eq=False)
class Chain:
    """A converted network, with the winning candidate of every layer, and the same network on the ideal chip."""

    network: SpikingNetwork
    program: ChipProgram
    candidates: tuple[Candidate, ...]
    ideal: Mapping[str, ChipProgram]

    @property
    def fits(self) -> tuple[LayerFit, ...]:
        """The fit of every layer, first layer first."""
        return tuple(candidate.fit for candidate in self.candidates)


def judging_rows(count: int, seed: int) -> NDArray[np.bool_]:
    """(count,) which calibration rows, in the order they are given in, judge; the others may be learned from."""
    judges = np.zeros(count, dtype=np.bool_)
    judges[np.random.default_rng(seed).permutation(count)[::HELD_OUT]] = True
    return judges


def _neurons(layer: AnnLayer, per_unit: int) -> int:
    """Neurons of a layer at most: a unit that gives negative numbers as well has a pair for each of its own."""
    return layer.n_outputs * per_unit * (2 if layer.activation in SIGNED else 1)


def calibration_set(
    ann: Ann,
    profile: Profile,
    rows: Array,
    *,
    ticks: int,
    encoding: InputEncoding | None,
    seed: int,
    neurons_per_unit: int = 1,
) -> CalibrationSet:
    """The ANN's answers on as many rows as the emulation can hold, in a seeded order, and the coding of the input."""
    widest = max(ann.layers[0].n_inputs, *(_neurons(layer, neurons_per_unit) for layer in ann.layers))
    most = max(1, FEED_NUMBERS // (widest * (ticks + len(ann.layers))))
    warnings = (f"only {most} of {len(rows)} calibration rows were used",) if len(rows) > most else ()
    rows = rows[np.random.default_rng(seed).permutation(len(rows))[:most]]
    counted = profile.fire.reg not in profile.outputs.readable
    flat, units = ann.flatten(rows), spiking_units(ann, rows, neurons_per_unit, counted=counted)
    coding = choose_coding(units.layers[0], flat, profile, encoding, ticks)
    layers = (coding.layer, *units.layers[1:])
    held = np.arange(len(rows)) % HELD_OUT == 0
    first = LayerData(
        coding.layer, _input_feed(coding, flat, ticks), coding.values(flat), coding.halves(flat),
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
    )


def convert_chains(
    data: CalibrationSet,
    methods: tuple[Method, ...],
    objective: Objective,
    threads: int | None,
    tell: Callable[[str], None],
    saved: Checkpoint,
    limit: TimeLimit,
) -> dict[str, Chain]:
    """The network by every method; the first one always, the others while there is time."""
    chains: dict[str, Chain] = {}
    for method in methods:
        if not chains or not limit.is_over:
            chains[method] = _convert_chain(data, method, objective, threads, tell, saved, limit)
    return chains


def _convert_chain(
    data: CalibrationSet,
    method: Method,
    objective: Objective,
    threads: int | None,
    tell: Callable[[str], None],
    saved: Checkpoint,
    limit: TimeLimit,
) -> Chain:
    """Convert layer by layer; `tell` is called with a line after every layer."""
    network, coding = SpikingNetwork(data.profile), data.coding
    layer_data = data.first
    _add_input(network, data)
    ideal = IdealStages(data.profile, lambda other: _add_input(other, data))
    source, winners = INPUT, []
    for index, layer in enumerate(data.layers):
        is_last = index == len(data.layers) - 1
        task = LayerTask(
            layer_data,
            data.profile,
            data.ticks,
            is_last and data.counted_offset is None,
            coding if index == 0 else None,
            objective,
            threads,
            1 if is_last else data.neurons_per_unit,
        )
        winner = _converted(task, method, saved, limit)
        winner.chip.add_to(network, source)
        ideal.add(task, winner, source, data.counted_offset if is_last else None)
        winners.append(winner)
        tell(f"{method} {layer.name}")
        if is_last:
            _read_out(network, task, winner, data.counted_offset)
        else:
            layer_data = _behind(data, task, winner, index)
            source = layer.name
    program = place(network, ticks=data.ticks)
    return Chain(network, program, tuple(winners), ideal.programs(data.ticks))


def _converted(task: LayerTask, method: Method, saved: Checkpoint, limit: TimeLimit) -> Candidate:
    """The layer from the checkpoint, or converted now; the weight copy where the time is over."""
    known = saved.layer(method, task.layer.name)
    if known is not None:
        fit, scale, error = known
        return Candidate(fit, on_chip(task, Synapses.of(fit)), scale, error)
    if method != "copy" and limit.is_over:
        winner = convert_layer(task, "copy")
        warnings = (*winner.fit.warnings, "the time limit was over: the weight copy")
        return replace(winner, fit=replace(winner.fit, warnings=warnings))
    winner = convert_layer(task, method)
    saved.keep(method, winner.fit, winner.scale, winner.error)
    return winner


def _add_input(network: SpikingNetwork, data: CalibrationSet) -> None:
    coding = data.coding
    network.input(
        INPUT, coding.size, encoding=coding.encoding, scale=None if coding.by_host else coding.scale,
        signed=coding.signed and not coding.by_host, planes=coding.planes, order=_order(data.ann),
    )  # fmt: skip


def _order(ann: Ann) -> NDArray[np.int64] | None:
    order = ann.input_order
    return None if np.array_equal(order, np.arange(order.size)) else order


def _input_feed(coding: InputCoding, flat: Array, ticks: int) -> Feed:
    """The spikes of the calibration rows; their values, where the host computes."""
    if coding.by_host:
        return Feed(flat, ticks)
    spikes = encode(flat, coding.encoding, coding.scale, ticks, signed=coding.signed, planes=coding.planes)
    return Feed(spikes, ticks)


def _behind(data: CalibrationSet, task: LayerTask, winner: Candidate, index: int) -> LayerData:
    """The data of the next layer: what the converted layer really sends it."""
    feed = next_feed(
        one_layer_program(task, winner.chip), task.data.feed, task.layer.name, threads=task.threads
    )
    is_readout = index + 2 == len(data.layers) and data.counted_offset is None
    return LayerData(
        data.layers[index + 1], feed, feed.totals if is_readout else feed.rates, data.answers[index],
        data.preactivations[index + 1], data.answers[index + 1], winner.scale, data.held, data.seed,
    )  # fmt: skip


def _read_out(network: SpikingNetwork, task: LayerTask, winner: Candidate, counted: float | None) -> None:
    """The membrane's sum of currents; where the chip keeps that to itself, the spikes less their offset."""
    population = network.populations[winner.chip.name]
    if counted is not None:
        network.output(population, read="spikes", scale=1.0 / (task.ticks * winner.scale), offset=-counted)
        return
    scale = readout_scale(task, winner.chip, winner.scale)
    network.output(population, read=task.profile.fire.reg, scale=scale)
