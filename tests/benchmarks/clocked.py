"""W4 and W4u on the controller `open_core` and its mesh of 16 x 8 cores: what counting every clock costs."""

from __future__ import annotations

import time

import numpy as np
import spikeloom as sl
from workloads import PROFILES, connect_many, many_core_start, many_core_targets

CORES, SIZE = 128, 256
CLOCKED = {
    "limits.in_axons_per_core": CORES * SIZE,  # W4u: almost every neuron drives almost every core
    "delivery.spikes_max": {"input": 15, "recurrent": 15},
    "regs.q.overflow": "wrap",
    "cycles": {"controller": "open_core", "lanes": 4, "count_bits": 4, "slots": 16, "output_fifo": 8,
               "receive_fifo": 8},
    "noc": {"topology": "mesh2d", "width": 16, "height": 8, "buffer": 4},
}  # fmt: skip
FEW = {"W4": 100, "W4u": 5}  # ticks: every one costs the same


def cycle_costs(name: str) -> tuple[float, float]:
    """Processor seconds of a tick without and with clocks, the faster of two runs of one program."""
    program, ticks = clocked_chip(name), FEW[name]
    silent = np.zeros((1, ticks, 0), dtype=np.uint8)
    spikes, taken = set(), []
    for timing in ("none", "cycle"):
        runs = []
        for _ in range(2):
            start = time.process_time()
            recording = sl.emulate(program, silent, ticks=ticks, threads=1, timing=timing)  # type: ignore[arg-type]
            runs.append(time.process_time() - start)
            spikes.add(int(recording.counts["neurons"].sum()))
        taken.append(min(runs) / ticks)
    if len(spikes) != 1:
        raise AssertionError(f"{name} makes other spikes where clocks are counted: {spikes}")
    return taken[0], taken[1]


def clocked_chip(name: str) -> sl.ChipProgram:
    """The workload's chip with a controller and a mesh."""
    network = sl.SpikingNetwork(sl.load_profile(PROFILES / "many_core.toml", override=CLOCKED))
    start = many_core_start(CORES * SIZE)
    neurons = network.population("neurons", CORES * SIZE, vth=1000, bias=10, init={"v": start})
    connect_many(network, neurons, many_core_targets(name, CORES, SIZE))
    network.output(neurons)
    return sl.place(network, ticks=FEW[name])
