"""NeuroBench's metrics of a run, by its own definitions (Yik et al., "The neurobench framework", and its code).

footprint: bytes that parameters and state take as they are stored
connection_sparsity: share of stored weights that are 0
activation_sparsity: share of (neuron, tick, sample) without a spike
effective_macs, effective_acs: a sample's synaptic operations with an input and a weight that are not 0; with
    spikes of height 1 an operation is an addition (AC), with other numbers a multiplication and an addition (MAC)
dense: a sample's synaptic operations if nothing were skipped
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikeloom.program.program import ChipProgram, ProgramArrays

Counts = NDArray[np.int64]


def neurobench_metrics(
    program: ChipProgram,
    input_spikes: NDArray,
    neuron_spikes: NDArray,
    delivered_spikes: NDArray,
    host_values: NDArray | None = None,
) -> dict[str, float | None]:
    """The metrics of a run.

    Parameters
    ----------
    input_spikes : (samples, lines) spikes of each input line over the run.
    neuron_spikes : (samples, neurons) spikes of each neuron over the run, global numbers.
    delivered_spikes : (samples, neurons) those of them that still arrive within the run.
    host_values : (samples, channels) what the host multiplies, where it computes the first layer.
    """
    samples, ticks = len(neuron_spikes), program.run_ticks
    lines = fan_out(program.arrays, program.arrays.input_fan_start, program.arrays.input_fan_axon)
    neurons = fan_out(program.arrays, program.arrays.neuron_fan_start, program.arrays.neuron_fan_axon)
    additions = input_spikes @ lines[1] + delivered_spikes @ neurons[1]
    macs, dense_macs = _host_operations(program, host_values)
    return {
        "footprint": sum(footprint_parts(program).values()),
        "connection_sparsity": connection_sparsity(program),
        "activation_sparsity": 1.0 - float(neuron_spikes.sum()) / max(samples * ticks * program.n_neurons, 1),
        "effective_macs": macs,
        "effective_acs": float(additions.mean()),
        "dense": float((lines[0].sum() + neurons[0].sum()) * ticks + dense_macs),
    }


def connection_sparsity(program: ChipProgram) -> float | None:
    """Share of the stored weights that are 0, those of the host included; None where there are none."""
    stored = [program.arrays.codes, *(host.weights.toarray() for host in program.hosts)]
    size = sum(weights.size for weights in stored)
    return 1.0 - sum(int(np.count_nonzero(weights)) for weights in stored) / size if size else None


def footprint_parts(program: ChipProgram) -> dict[str, float]:
    """Bytes of "weights", "parameters" and "registers", each number at the width that the profile states.

    A number without a stated width takes 4 bytes, as in a float32 network.
    """
    profile, arrays = program.profile, program.arrays
    params = {name: param for name, param in profile.params.items() if name in arrays.params}
    bits = {
        "weights": arrays.codes.size * (profile.weights.bits or 32),
        "parameters": sum(arrays.params[name].size * _param_bits(p.min, p.max) for name, p in params.items()),
        "registers": sum(program.n_neurons * r.count * (r.bits or 32) for r in profile.regs.values()),
    }
    return {name: count / 8 for name, count in bits.items()}


def fan_out(arrays: ProgramArrays, start: NDArray, axons: NDArray) -> tuple[Counts, Counts]:
    """For each line or neuron its synapses, and those of them whose weight is not 0.

    start, axons: the fan lists of the lines (`input_fan_*`) or of the neurons (`neuron_fan_*`).
    """
    every, acting = _synapses_of_axons(arrays)
    ends = [np.concatenate([[0], np.cumsum(counts[axons])]) for counts in (every, acting)]
    return ends[0][start[1:]] - ends[0][start[:-1]], ends[1][start[1:]] - ends[1][start[:-1]]


def _synapses_of_axons(arrays: ProgramArrays) -> tuple[Counts, Counts]:
    """For each axon its synapses, and those whose code is not 0."""
    before = np.concatenate([[0], np.cumsum(arrays.codes != 0)])
    first, stop = (arrays.template_run_start[arrays.axon_template + k].astype(np.int64) for k in (0, 1))
    runs = stop - first
    axon = np.repeat(np.arange(runs.size), runs)
    run = np.arange(axon.size) - np.repeat(np.cumsum(runs) - runs, runs) + first[axon]
    length = arrays.run_length[run].astype(np.int64)
    code = arrays.axon_weight[axon] + arrays.run_weight[run]
    acting = before[code + length] - before[code]
    return tuple(np.bincount(axon, weights=values, minlength=runs.size).astype(np.int64)
                 for values in (length, acting))  # type: ignore[return-value]  # fmt: skip


def _host_operations(program: ChipProgram, values: NDArray | None) -> tuple[float, float]:
    """(effective, dense) multiplications and additions of the host, a sample."""
    if values is None or not program.hosts:
        return 0.0, 0.0
    fans = [np.diff(host.weights.indptr) for host in program.hosts]
    return (
        float(sum(((values != 0) @ fan).mean() for fan in fans)),
        float(sum(np.prod(host.weights.shape) for host in program.hosts)),
    )


def _param_bits(low: float | None, high: float | None) -> int:
    if low is None or high is None:
        return 32
    return max(int(high - low).bit_length(), 1)
