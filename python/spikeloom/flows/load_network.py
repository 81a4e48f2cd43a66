"""A NIR graph as a spiking network: quantised as it is, without a fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spikeloom.errors import NetworkError
from spikeloom.flows.nir.codes import (
    bias_registers,
    membrane_weights,
    population_scale,
    threshold_registers,
    weight_codes,
)
from spikeloom.flows.nir.graph import NEURONS, FlatGraph, read_graph, shape_of
from spikeloom.flows.nir.linear import Link, linear_link
from spikeloom.flows.nir.neurons import Neurons, decay_codes, neurons_of
from spikeloom.network.fidelity import Fidelity
from spikeloom.network.from_fit import geometry
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.projection import Convolution
from spikeloom.profile.catalog import load_profile
from spikeloom.profile.schema import Profile

Array = NDArray[np.float64]


def load_network(
    source: str | Path, profile: Profile | str | Path, *, dt: float | None = None
) -> SpikingNetwork:
    """Read a NIR graph for a chip: every weight, threshold, decay, bias and delay becomes the nearest code.

    Nodes: IF, LIF, CubaLIF and Threshold as neurons; Affine, Linear, Scale, Conv1d, Conv2d, SumPool2d, AvgPool2d,
    Flatten and Delay between them; graphs inside the graph; recurrent edges. Images are numbered channels-last,
    the lines of an input too.
    Each population is scaled as finely as the chip allows. What became of each number is in `.fidelity`, and in
    the report of the program that `place` makes.

    NIR's equations run by Euler's rule, a tick a step; a spike is a current of height 1 that lasts a tick. On a
    chip every hop between populations takes its latency, also where NIR's would take none.

    Parameters
    ----------
    source : a .nir file.
    profile : a chip by name, path, or `Profile`.
    dt : seconds of a tick; None: what the file says, or, where no node has a time constant or delay, 1.

    Raises NetworkError, which names the node, where the graph or one of its numbers has no place on the chip.
    """
    chip, graph = load_profile(profile), read_graph(source)
    step = _tick(graph, dt)
    network = SpikingNetwork(chip)
    for name in graph.of_kind("Input"):
        _add_input(network, graph, name)
    neurons = {name: neurons_of(graph, name, step) for name in graph.of_kind(*NEURONS)}
    if not neurons:
        raise NetworkError(
            graph.name, "has no spiking neurons", remedy="use IF, LIF, CubaLIF or Threshold nodes"
        )
    links = {name: [linear_link(graph, way) for way in graph.ways_to(name)] for name in neurons}
    scales = {name: _add_neurons(network, graph, each, links[name]) for name, each in neurons.items()}
    for name, each in neurons.items():
        for link in links[name]:
            _connect(network, graph, each, link, scales[name], step)
    for name in graph.of_kind("Output"):
        _add_output(network, graph, name)
    return network


def _tick(graph: FlatGraph, dt: float | None) -> float | None:
    given = graph.metadata.get("dt", dt) if dt is None else dt
    if given is None:
        return None
    if isinstance(given, bool) or not np.isfinite(given) or given <= 0:
        raise NetworkError("dt", "is not a positive number of seconds", value=given)
    return float(given)


def _add_input(network: SpikingNetwork, graph: FlatGraph, name: str) -> None:
    """Lines that carry spikes; coded values, where our own exporter notes how."""
    size, notes = int(np.prod(shape_of(graph.nodes[name]))), graph.nodes[name].metadata
    network.input(
        name, size, encoding=_text(notes.get("encoding", "spikes")), scale=notes.get("scale"),  # type: ignore[arg-type]
        signed=bool(notes.get("signed", 0)), planes=int(notes.get("planes", 1)), order=notes.get("order"),
    )  # fmt: skip


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _add_neurons(network: SpikingNetwork, graph: FlatGraph, neurons: Neurons, links: list[Link]) -> float:
    """Add a population, and give the LSB of its membrane per unit of v."""
    profile = network.profile
    bias = neurons.constant + sum((_spread(link) for link in links), np.zeros(neurons.size)) * neurons.steady
    scale = population_scale(neurons, links, bias, profile)
    params, rows = decay_codes(neurons, profile, graph)
    threshold, threshold_row = threshold_registers(neurons, scale, profile)
    biases, bias_row = bias_registers(neurons, bias, scale, profile)
    noted = {
        key.removeprefix("param."): value
        for key, value in neurons.metadata.items()
        if key.startswith("param.")
    }
    init = {
        key.removeprefix("init."): value for key, value in neurons.metadata.items() if key.startswith("init.")
    }
    network.population(neurons.name, neurons.size, init=init, **{**params, **threshold, **biases, **noted})
    network.note(*rows, threshold_row, bias_row, *_reset_row(neurons, profile))
    return scale


def _spread(link: Link) -> Array:
    """The bias of a link for each neuron."""
    return np.tile(link.layer.bias, link.layer.positions)


def _reset_row(neurons: Neurons, profile: Profile) -> list[Fidelity]:
    """A row where the chip resets otherwise than the graph says."""
    on_chip = getattr(profile.fire, "reset", "subtract")
    if on_chip == neurons.resets_by:
        return []
    none = np.zeros(0)
    note = f"{neurons.resets_by} in the graph, {on_chip} on the chip"
    return [Fidelity(f"population {neurons.name}", "reset", none, none, none, note)]


def _connect(
    network: SpikingNetwork, graph: FlatGraph, neurons: Neurons, link: Link, scale: float, dt: float | None
) -> None:
    source, target = network.populations[link.way.source], network.populations[neurons.name]
    wanted = membrane_weights(link, neurons)
    found = weight_codes(wanted * scale, network.profile)
    matrix = _sparse(geometry(found.codes.reshape(-1, found.codes.shape[-1]), link.layer, 1))
    delays, row = _delays(graph, link, dt)
    if isinstance(matrix, Convolution) and np.ndim(delays):
        raise graph.refusal(neurons.name, "has a kernel whose sources differ in delay", "use one delay")
    per_synapse = np.broadcast_to(np.reshape(delays, (-1, 1)), matrix.shape) if np.ndim(delays) else delays  # type: ignore[union-attr]
    network.connect(source, target, matrix, delays=per_synapse, **found.shared)  # type: ignore[arg-type]
    owner = f"projection {source.name} -> {target.name}"
    network.note(Fidelity(owner, "weight", wanted, found.codes, found.worth / scale), *row(owner))


def _sparse(matrix: NDArray | Convolution) -> NDArray | csr_array | Convolution:
    """A matrix of mostly zeros without them: a weight of zero is no synapse."""
    if isinstance(matrix, Convolution) or 2 * np.count_nonzero(matrix) > matrix.size:
        return matrix
    return csr_array(matrix)


def _delays(graph: FlatGraph, link: Link, dt: float | None) -> tuple[int | NDArray, Any]:
    """Whole ticks, one number or (source neurons,), and a function that gives the row for them."""
    if not link.delay.any():
        return 0, lambda owner: []
    if dt is None:
        raise graph.refusal(link.way.target, "has a delay before it, but the length of a tick is unknown",
                            "give dt=..., in seconds")  # fmt: skip
    ticks = np.rint(link.delay / dt).astype(np.int64)
    same = bool((ticks == ticks[0]).all())
    return int(ticks[0]) if same else ticks, lambda owner: [
        Fidelity(owner, "delay", link.delay, ticks, ticks * dt)
    ]


def _add_output(network: SpikingNetwork, graph: FlatGraph, name: str) -> None:
    """What an output reads: spikes, or what our own exporter notes."""
    notes = graph.nodes[name].metadata
    for way in graph.ways_to(name):
        if way.nodes or way.source not in network.populations or network.populations[way.source].is_input:
            raise graph.refusal(name, "is not read from spiking neurons", "end the graph with neurons")
        population = network.populations[way.source]
        network.output(population, read=_text(notes.get("read", "spikes")), scale=notes.get("scale", 1.0),
                       offset=notes.get("offset", 0.0))  # fmt: skip
