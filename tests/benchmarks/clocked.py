"""W4 and W4u on the controller `open_core` and its mesh of 16 x 8 cores: what counting every clock costs.

W1 and W4 with clocks beside SANA-FE, which models the time that hardware takes: W1 with every clock of the network
on either side; W4 on 8 x 4 cores, where SANA-FE computes queues of messages, with every clock here and with clocks
modelled from counts of events.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import spikeloom as sl
from numpy.typing import NDArray
from peer_sanafe import TICKS as SANAFE_TICKS
from peer_sanafe import sanafe_tick
from workloads import PROFILES, SIZE, connect_many, many_core_start, many_core_targets, mlp_chip, workload

OPEN_CORE = {"controller": "open_core", "lanes": 4, "count_bits": 4, "slots": 16, "output_fifo": 8,
             "receive_fifo": 8}  # fmt: skip
LINEAR = {
    "controller": "linear",
    "fixed": 1800,
    "per_neuron": 9.7,
    "per_axon": 16,
    "per_event": 3.8,
}  # as Loihi 1
COUNTED: dict[str, Any] = {
    "delivery.spikes_max": {"input": 15, "recurrent": 15},
    "regs.q.overflow": "wrap",
    "cycles": OPEN_CORE,
}
FEW = {"W4": 100, "W4u": 5}  # ticks: every one costs the same
NEAR = 0.01  # of the spikes of W1: SANA-FE computes in real numbers
LONGER = 10  # times as many ticks as SANA-FE has: a run of milliseconds would be all start


def cycle_costs(name: str) -> tuple[float, float]:
    """Processor seconds of a tick without and with clocks."""
    program = clocked_chip(name, 16, 8)
    silent = np.zeros((1, FEW[name], 0), dtype=np.uint8)
    (none, spikes), (cycle, clocked) = (tick_seconds(program, silent, timing) for timing in ("none", "cycle"))
    if spikes != clocked:
        raise AssertionError(f"{name} makes {clocked} spikes where clocks are counted, not {spikes}")
    return none, cycle


def beside_sanafe(name: str) -> Iterator[tuple[str, float, float]]:
    """The controller, processor seconds of a tick here, and those in SANA-FE, for W1 and W4."""
    theirs, spikes = sanafe_tick(name)
    for controller, program, inputs in _for_sanafe(name):
        made = _spikes_within(program, inputs[:, : SANAFE_TICKS[name]])
        if abs(made - spikes) > NEAR * made * (name == "W1"):
            raise AssertionError(f"SANA-FE makes {spikes} spikes in {name}, not {made}")
        yield controller, tick_seconds(program, inputs, "cycle")[0], theirs


def _for_sanafe(name: str) -> Iterator[tuple[str, sl.ChipProgram, NDArray[np.uint8]]]:
    ticks = LONGER * SANAFE_TICKS[name]
    if name == "W1":
        mesh = {"topology": "mesh2d", "width": 4, "height": 1, "buffer": 4}
        limits = {"cores": 4, "neurons_per_core": 512, "in_axons_per_core": 1024}
        profile = sl.load_profile(PROFILES / "leaky.toml", override=COUNTED | {"noc": mesh, "limits": limits})
        yield "open_core", mlp_chip(name, profile), workload(name).spikes[:, :ticks]
        return
    silent = np.zeros((1, ticks, 0), dtype=np.uint8)
    yield "open_core", clocked_chip(name, 8, 4), silent
    yield "linear", clocked_chip(name, 8, 4, {"cycles": LINEAR}), silent


def _spikes_within(program: sl.ChipProgram, inputs: NDArray[np.uint8]) -> int:
    """Of lines and neurons as SANA-FE counts them: what a line drives fires a tick later there."""
    ticks = inputs.shape[1]
    names = [f"{population.name}.spikes" for population in program.populations]
    run = sl.emulate(program, inputs, ticks=ticks, threads=1, record=names)
    before = ticks - 1 if inputs.size else ticks
    return int(inputs.sum()) + sum(int((rows[:, 1] < before).sum()) for rows in run.spikes.values())


def tick_seconds(program: sl.ChipProgram, inputs: NDArray[np.uint8], timing: str) -> tuple[float, int]:
    """Processor seconds of a tick, of the faster of two runs on one thread; all spikes of neurons."""
    taken = []
    for _ in range(2):
        start = time.process_time()
        run = sl.emulate(program, inputs, ticks=inputs.shape[1], threads=1, timing=timing)  # type: ignore[arg-type]
        taken.append(time.process_time() - start)
    return min(taken) / inputs.shape[1], int(run.events["spikes"].sum())


def clocked_chip(name: str, width: int, height: int, cycles: dict[str, Any] | None = None) -> sl.ChipProgram:
    """The workload's chip with a core at every place of a mesh, and a controller."""
    cores = width * height
    mesh = {"topology": "mesh2d", "width": width, "height": height, "buffer": 4}
    limits = {
        "limits.cores": cores,
        "limits.in_axons_per_core": cores * SIZE,
    }  # W4u: almost all reach each core
    override = limits | (cycles or COUNTED | {"noc": mesh})
    network = sl.SpikingNetwork(sl.load_profile(PROFILES / "many_core.toml", override=override))
    start = many_core_start(cores * SIZE)
    neurons = network.population("neurons", cores * SIZE, vth=1000, bias=10, init={"v": start})
    connect_many(network, neurons, many_core_targets(name, cores, SIZE))
    network.output(neurons)
    return sl.place(network, ticks=FEW[name])
