"""A whole chain of layers converted by one method: each layer is fitted on what the layers before it really send."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import Ann
from spikeloom.emulation.measure import next_feed
from spikeloom.fit.problem import LayerFit, Method, Objective
from spikeloom.flows.conversion.calibration import CalibrationSet
from spikeloom.flows.conversion.checkpoint import Checkpoint
from spikeloom.flows.conversion.chip_limits import largest_code
from spikeloom.flows.conversion.ideal_stages import IdealStages
from spikeloom.flows.conversion.layers.layer_search import Candidate, convert_layer, given_synapses
from spikeloom.flows.conversion.layers.layer_task import LayerTask, on_chip, one_layer_program, readout_scale
from spikeloom.flows.conversion.pools.max_pool import Wired
from spikeloom.flows.conversion.sent import Sent, sent_by_wired, task_behind
from spikeloom.flows.conversion.spiking_units import INPUT, sources_of
from spikeloom.flows.conversion.teaching import Taught, teach
from spikeloom.flows.conversion.time_limit import TimeLimit
from spikeloom.network.chip_layer import Synapses
from spikeloom.network.held_back import keep
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.placement.whole_chip import check_ports
from spikeloom.program.program import ChipProgram

Array = NDArray[np.float64]


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
            taught = teach(data, chains["copy"].candidates) if method == "taught" else None
            chains[method] = _convert_chain(data, method, objective, threads, tell, saved, limit, taught)
    return chains


def _convert_chain(
    data: CalibrationSet,
    method: Method,
    objective: Objective,
    threads: int | None,
    tell: Callable[[str], None],
    saved: Checkpoint,
    limit: TimeLimit,
    taught: Mapping[str, Taught] | None,
) -> Chain:
    """Convert layer by layer; `tell` is called with a line after every layer. taught: synapses that are known."""
    network = SpikingNetwork(data.profile)
    _add_input(network, data)
    check_ports(network)  # too many lines are refused before the work, not after it
    subtracts = data.kept_by == "itself"
    ideal = IdealStages(data.profile, lambda other: _add_input(other, data), subtracts=subtracts)
    sent: dict[str, Sent] = {}
    winners = []
    for index, layer in enumerate(data.layers):
        sources, is_last = sources_of(layer), index == len(data.layers) - 1
        if isinstance(layer, Wired):
            sent[layer.name] = sent_by_wired(layer, data, sent, (network, ideal), threads)
            continue
        task = task_behind(data, index, sent, objective, threads)
        if taught is None:
            winner = _converted(task, method, saved, limit)
        else:
            known = taught[layer.name]
            winner = given_synapses(task, known.weights, known.bias, known.scale)
        winner.chip.add_to(network, sources, copies=1 if is_last else data.axons[index + 1])
        if task.keeps:
            keep(network, winner.chip, sources, largest_code(data.profile))
        ideal.add(task, winner, sources, data.counted_offset if is_last else None)
        winners.append(winner)
        tell(f"{method} {layer.name}")
        if is_last:
            _read_out(network, task, winner, data.counted_offset)
        else:
            program = one_layer_program(task, winner.chip)
            feed = next_feed(program, task.data.feed, layer.name, threads=threads)
            sent[layer.name] = Sent(feed, winner.scale, data.answers[index], (task, winner.chip))
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


def _read_out(network: SpikingNetwork, task: LayerTask, winner: Candidate, counted: float | None) -> None:
    """The membrane's sum of currents; where the chip keeps that to itself, the spikes less their offset."""
    population = network.populations[winner.chip.name]
    if counted is not None:
        network.output(population, read="spikes", scale=1.0 / (task.ticks * winner.scale), offset=-counted)
        return
    scale = readout_scale(task, winner.chip, winner.scale)
    network.output(population, read=task.profile.fire.reg, scale=scale)
