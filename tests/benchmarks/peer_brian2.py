"""W3 and W4 in Brian2's cpp_standalone mode: the program that it writes times its own loop."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from workloads import (
    CORES,
    CUBA,
    SIZE,
    TICKS,
    Workload,
    cuba_start,
    cuba_targets,
    many_core_start,
    many_core_targets,
    many_core_weights,
)

SECONDS = "cpu_seconds.txt"
CURRENT_BASED = """
dv/dt = (excitation + inhibition + 11 - v) / (20*ms) : 1 (unless refractory)
dexcitation/dt = -excitation / (5*ms) : 1
dinhibition/dt = -inhibition / (10*ms) : 1
"""


def brian2_seconds(workload: Workload) -> float:
    """Processor seconds of the loop that Brian2 writes, compiled with its own settings, on one thread."""
    import brian2

    build = _cuba if workload.name == "W3" else _many_core
    with tempfile.TemporaryDirectory() as folder:
        brian2.set_device("cpp_standalone", directory=folder, build_on_run=False)
        try:
            return _run(brian2, build, workload, Path(folder))
        finally:
            brian2.device.reinit()
            brian2.set_device("runtime")
            brian2.prefs.core.default_float_dtype = np.float64


def _run(
    brian2: Any, build: Callable[[Any, str], tuple[list[Any], float]], workload: Workload, folder: Path
) -> float:
    objects, step_s = build(brian2, workload.name)
    spikes = brian2.SpikeMonitor(objects[0], record=False)
    brian2.device.insert_code("before_network_run", "const auto began = std::clock();")
    brian2.device.insert_code(
        "after_network_run",
        f'std::ofstream("{SECONDS}") << double(std::clock() - began) / CLOCKS_PER_SEC << std::endl;',
    )
    steps = TICKS[workload.name] * workload.program.profile.time.steps_per_tick
    brian2.Network(*objects, spikes).run(steps * step_s * brian2.second)
    brian2.device.build(directory=str(folder), compile=True, run=True, with_output=False)
    made = int(spikes.num_spikes)
    if not workload.is_hit((made,)):
        raise AssertionError(f"Brian2 makes {made} spikes in {workload.name} instead of {workload.golden}")
    return float((folder / SECONDS).read_text(encoding="ascii"))


def _cuba(brian2: Any, _: str) -> tuple[list[Any], float]:
    brian2.defaultclock.dt = 0.1 * brian2.ms
    neurons = brian2.NeuronGroup(CUBA, CURRENT_BASED, threshold="v > 10", reset="v = 0", refractory=5 * brian2.ms,
                                 method="exact")  # fmt: skip
    neurons.v = cuba_start()
    targets = cuba_targets()
    objects = [neurons]
    for name, first, last, weight in (
        ("excitation", 0, CUBA * 4 // 5, 1.62),
        ("inhibition", CUBA * 4 // 5, CUBA, -9.0),
    ):
        synapses = brian2.Synapses(neurons, neurons, on_pre=f"{name}_post += {weight}")
        mine = targets[first:last]
        synapses.connect(i=np.repeat(np.arange(first, last), mine.shape[1]), j=mine.ravel())
        objects.append(synapses)
    return objects, 1e-4


def _many_core(brian2: Any, name: str) -> tuple[list[Any], float]:
    """Integers of this size are exact in binary32, which is faster."""
    brian2.prefs.core.default_float_dtype = np.float32
    brian2.defaultclock.dt = 1 * brian2.ms
    total = CORES * SIZE
    neurons = brian2.NeuronGroup(total, "v : 1", threshold="v >= 1000", reset="v = 0")
    neurons.v = many_core_start(total)
    neurons.run_regularly("v += 10", when="start")
    synapses = brian2.Synapses(neurons, neurons, "w : 1", on_pre="v_post += w")
    synapses.pre.when = "after_resets"
    targets = many_core_targets(name, CORES, SIZE)
    synapses.connect(i=np.repeat(np.arange(total), targets.shape[1]), j=targets.ravel())
    synapses.w = many_core_weights(total).ravel()
    return [neurons, synapses], 1e-3
