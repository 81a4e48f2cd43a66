"""W3 and W4 in NEST, on one thread."""

from __future__ import annotations

import time
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

NEAR = 0.002  # of all spikes of W4: its leak is small, but not 0


def nest_seconds(workload: Workload) -> float:
    """Processor seconds of `Simulate` after the network is built and prepared."""
    import nest

    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    step_ms = 0.1 if workload.name == "W3" else 1.0
    nest.SetKernelStatus({"resolution": step_ms, "local_num_threads": 1})
    neurons = _cuba(nest) if workload.name == "W3" else _many_core(nest, workload.name)
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder)
    steps = TICKS[workload.name] * workload.program.profile.time.steps_per_tick
    nest.Prepare()
    start = time.process_time()
    nest.Run(steps * step_ms)
    taken = time.process_time() - start
    nest.Cleanup()
    _check(workload, int(recorder.n_events))
    return taken


def _check(workload: Workload, made: int) -> None:
    wanted = workload.golden[0]
    hit = workload.is_hit((made,)) if isinstance(wanted, range) else abs(made - wanted) < NEAR * wanted
    if not hit:
        raise AssertionError(f"NEST makes {made} spikes in {workload.name} instead of {wanted}")


def _cuba(nest: Any) -> Any:
    """A current I adds I / C_m to dV/dt: with a capacity of tau_m it counts in mV, as the workload's do."""
    neurons = nest.Create("iaf_psc_exp", CUBA, {"tau_m": 20.0, "C_m": 20.0, "tau_syn_ex": 5.0, "tau_syn_in": 10.0,
                                                "E_L": 11.0, "V_th": 10.0, "V_reset": 0.0, "t_ref": 5.0})  # fmt: skip
    neurons.V_m = cuba_start()
    targets = cuba_targets()
    excites = np.arange(CUBA) < CUBA * 4 // 5
    weights = np.where(np.repeat(excites, targets.shape[1]), 1.62, -9.0)
    _connect(nest, neurons, targets, weights, 0.1)
    return neurons


def _many_core(nest: Any, name: str) -> Any:
    total = CORES * SIZE
    neurons = nest.Create("iaf_psc_delta", total, {"tau_m": 1e9, "C_m": 1.0, "I_e": 10.0, "E_L": 0.0, "V_th": 1000.0,
                                                   "V_reset": 0.0, "t_ref": 0.0, "V_min": -1e9})  # fmt: skip
    neurons.V_m = many_core_start(total).astype(float)
    _connect(nest, neurons, many_core_targets(name, CORES, SIZE), many_core_weights(total).ravel(), 1.0)
    return neurons


def _connect(nest: Any, neurons: Any, targets: Any, weights: Any, delay_ms: float) -> None:
    first = neurons[0].global_id
    sources = np.repeat(np.arange(len(neurons)), targets.shape[1]) + first
    nest.Connect(sources, targets.ravel() + first, "one_to_one",
                 {"synapse_model": "static_synapse", "weight": weights.astype(float),
                  "delay": np.full(weights.size, delay_ms)})  # fmt: skip
