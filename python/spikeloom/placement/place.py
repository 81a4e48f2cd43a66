"""From a spiking network to a chip program."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.errors import PlacementError, names_chip
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.assignment import assign
from spikeloom.placement.build import build_arrays, numbering
from spikeloom.placement.mesh import fewest_hops, packets_between
from spikeloom.placement.one_core import on_one_core
from spikeloom.placement.partition import Partition, Piece, whole
from spikeloom.placement.routes import all_synapses
from spikeloom.placement.rows import Synapses
from spikeloom.placement.whole_chip import check_groups, check_ports, check_recurrent
from spikeloom.placement.windows import depths
from spikeloom.program.program import ChipProgram, Placed, Port


@names_chip
def place(
    network: SpikingNetwork, *, ticks: int = 32, traffic: ArrayLike | None = None, seed: int = 0
) -> ChipProgram:
    """Map a network onto the cores of its chip.

    Parameters
    ----------
    ticks : the window of the run, in ticks.
    traffic : (neurons,) spikes a tick of each neuron, population after population; alike if not given. Where the
        cores stand on a mesh, those that send one another many packets stand near one another.
    seed : of the search for that order.

    On a mesh `ChipProgram.report["mesh"]` holds the hops a tick of all packets between cores: of this placement, of
    the order of the layers, and the mean of random orders.

    Raises PlacementError, which names the layer, the limit that it breaks and by how much.

    >>> network = SpikingNetwork("loihi1")
    >>> exc = network.population("exc", 1500, vth=100)
    >>> place(network).n_cores
    2
    """
    _check_run(network, ticks)
    rates = _checked_traffic(network, traffic)
    check_ports(network)
    check_groups(network)
    synapses = all_synapses(network)
    if network.profile.event is not None:
        return _program(network, on_one_core(network), synapses, ticks)
    check_recurrent(network, synapses)
    partition = Partition(network, synapses)
    cores = assign(partition.pieces(), partition, network.profile)
    if network.profile.noc is None or len(cores) == 1:
        return _program(network, cores, synapses, ticks)
    packets = packets_between(network, cores, partition, rates)
    floor = fewest_hops(packets, network.profile.noc.width, seed)
    program = _program(network, [cores[k] for k in floor.order], synapses, ticks)
    return replace(program, report={**program.report, "mesh": floor.report()})


@names_chip
def place_without_limits(network: SpikingNetwork, *, ticks: int = 32) -> ChipProgram:
    """One core for each population, however large: for measuring a network that has not been placed yet.

    In event mode one core for all of them.

    Raises PlacementError where branches cannot meet within the profile's delays.
    """
    _check_run(network, ticks)
    cores = [[piece] for piece in whole(network)] if network.profile.event is None else [whole(network)]
    return _program(network, cores, all_synapses(network), ticks)


def _program(
    network: SpikingNetwork, cores: list[list[Piece]], synapses: tuple[Synapses, ...], ticks: int
) -> ChipProgram:
    lines, neurons = numbering(network, cores)
    depth = depths(network)
    inputs = tuple(
        Port(p.name, p.size, lines[p.name], p.encoding, p.scale, signed=p.signed, planes=p.planes, order=p.order)
        for p in network.populations.values() if p.is_input
    )  # fmt: skip
    return ChipProgram(
        profile=network.profile,
        ticks=int(ticks),
        inputs=inputs,
        outputs=_outputs(network, neurons),
        populations=tuple(Placed(name, numbers, depth[name]) for name, numbers in neurons.items()),
        arrays=build_arrays(network, cores, synapses),
        hosts=network.hosts,
        report={"fidelity": [row.report() for row in network.fidelity]} if network.fidelity else {},
    )


def _outputs(network: SpikingNetwork, neurons: dict[str, np.ndarray]) -> tuple[Port, ...]:
    ports: list[Port] = []
    first = 0
    for readout in network.readouts:
        numbers = neurons[readout.population]
        ports.append(Port(readout.population, numbers.size, first, scale=readout.scale, offset=readout.offset,
                          neurons=numbers, read=readout.read))  # fmt: skip
        first += numbers.size
    return tuple(ports)


def _check_run(network: SpikingNetwork, ticks: object) -> None:
    if isinstance(ticks, bool) or not isinstance(ticks, (int, np.integer)) or ticks < 1:
        raise PlacementError("ticks", "must be an integer of at least 1", value=repr(ticks))
    if not whole(network):
        raise PlacementError("network", "has no neurons", remedy="add a population first")


def _checked_traffic(network: SpikingNetwork, traffic: ArrayLike | None) -> NDArray[np.float64]:
    neurons = sum(piece.stop for piece in whole(network))
    rates = np.ones(neurons) if traffic is None else np.asarray(traffic)
    if rates.shape != (neurons,) or rates.dtype.kind not in "iuf" or not np.isfinite(rates).all():
        raise PlacementError(
            "traffic", "must be one finite number a neuron", value=rates.shape, limit=(neurons,)
        )
    if (rates < 0).any():
        raise PlacementError("traffic", "holds a negative rate", value=rates.min(), limit=0)
    return rates.astype(np.float64)
