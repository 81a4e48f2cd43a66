"""How much memory does a full chip take? 128 cores of `loihi1` with 1024 neurons each and a fan-in of 760: about 100
million synapses, from a program file into the core, and one tick of it. Prints bytes; a process of its own, so that
nothing else counts.

    python tests/benchmarks/full_chip.py write FILE.spikeloom
    python tests/benchmarks/full_chip.py load FILE.spikeloom
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import spikeloom as sl
from numpy.typing import ArrayLike, NDArray
from spikeloom.program.program import Placed, Port, ProgramArrays

CORES, NEURONS, FAN_IN = 128, 1024, 760


def full_chip(cores: int = CORES, neurons: int = NEURONS, fan_in: int = FAN_IN) -> sl.ChipProgram:
    """Every core has `fan_in` axons, each a dense row of its own; neuron k of a core drives axon k of the next."""
    profile = sl.load_profile("loihi1", override={"limits.memory": []})
    total, axons = cores * neurons, cores * fan_in
    codes = 2 * np.random.default_rng(0).integers(-128, 128, axons * neurons, dtype=np.int32)  # mixed: even
    core_of_axon = np.repeat(np.arange(cores), fan_in)
    drives = np.tile(np.arange(neurons) < fan_in, cores)
    arrays = ProgramArrays(
        core_neuron_start=int32(np.arange(cores + 1) * neurons),
        core_axon_start=int32(np.arange(cores + 1) * fan_in),
        axon_template=int32(np.zeros(axons)),
        axon_target=int32(core_of_axon * neurons),
        axon_weight=np.arange(axons, dtype=np.int64) * neurons,
        template_run_start=int32([0, 1]),
        run_target=int32([0]),
        run_length=int32([neurons]),
        run_weight=np.zeros(1, dtype=np.int64),
        run_delay=int32([0]),
        run_receptor=int32([0]),
        run_index=np.full(1, -1, dtype=np.int64),
        index_target=int32([]),
        codes=codes,
        code_format=np.zeros(codes.size, dtype=np.uint8),
        format_mode=int32([2]),
        input_fan_start=int32([0]),
        input_fan_axon=int32([]),
        neuron_fan_start=int32(np.concatenate([[0], np.cumsum(drives)])),
        neuron_fan_axon=int32((np.arange(axons) + fan_in) % axons),
        format_shared={"w_exp": int32([0])},
        params=parameters(profile, total),
    )
    everyone = int32(np.arange(total))
    outputs = (
        Port("neurons", total, scale=np.ones(total), offset=np.zeros(total), neurons=everyone, read="spikes"),
    )
    return sl.ChipProgram(profile, 1, (), outputs, (Placed("neurons", everyone, 0),), arrays)


def int32(values: ArrayLike) -> NDArray[np.int32]:
    """The type of most arrays of a program."""
    return np.asarray(values, dtype=np.int32)


def parameters(profile: sl.Profile, neurons: int) -> dict[str, np.ndarray]:
    """Neurons of one kind: every parameter its default, the threshold in its middle."""
    network = sl.SpikingNetwork(profile)
    one = network.population("one", 1, vth=60_000, bias=4000)
    return {name: np.repeat(np.asarray(values), neurons) for name, values in one.params.items()}


def memory() -> dict[str, int]:
    """Bytes of this process that are in memory, and the most that were."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    kept = {"VmRSS": "resident", "VmHWM": "peak"}
    parts = [line.split() for line in lines]
    return {kept[name.rstrip(":")]: 1024 * int(rest[0]) for name, *rest in parts if name.rstrip(":") in kept}


def load(path: str) -> dict[str, int]:
    """Memory once the program of a file is in the core and has run for one tick."""
    program = sl.load_program(path)
    run = sl.emulate(program, np.zeros((1, 1, 0), dtype=np.uint8), threads=1)
    return {"neurons": program.n_neurons, "synapses": program.arrays.codes.size,
            "spikes": int(run.events["spikes"].sum()), **memory()}  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1] == "write":
        full_chip().save(sys.argv[2])
    else:
        print(json.dumps(load(sys.argv[2])))
