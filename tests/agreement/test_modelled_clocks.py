"""Are clocks modelled from counts of events those of the spikes that the twin makes, on any program?"""

import numpy as np
import pytest
from agreement_cases import OWN
from spikeloom.emulation.emulate import emulate
from spikeloom.profile.catalog import load_profile
from spikeloom.reference.random_programs import random_program
from spikeloom.reference.random_values import Options
from spikeloom.reference.twin.executor import run_twin

LINEAR = {"cycles": {"controller": "linear", "fixed": 100, "per_neuron": 9.75, "per_axon": 16,
                     "per_event": 3.5, "per_spike": 35.125}}  # fmt: skip
PROGRAMS = 25


@pytest.mark.parametrize("name", ["loihi1", "ranc", "multi_spike"])
def test_random_programs(name):
    profile = load_profile(OWN / f"{name}.toml" if name == "multi_spike" else name, override=LINEAR)
    events = 0
    for seed in range(PROGRAMS):
        case = random_program(profile, seed, Options(neurons=6, ticks=12))
        cycles = emulate(case.program, case.spikes[None], timing="cycle").cycles
        modelled = clocks_of(case.program, case.spikes)
        assert cycles.per_tick[0].tolist() == np.ceil(100 + modelled.max(axis=1)).tolist(), f"seed {seed}"
        assert cycles.busy[0].tolist() == np.ceil(modelled).sum(axis=0).tolist(), f"seed {seed}"
        events += cycles.counters["synapses_read"].sum()
    assert events > 1000


def clocks_of(program, inputs):
    """(ticks, cores) clocks without the fixed ones: every coefficient is a sum of powers of two, so exact."""
    arrays, costs = program.arrays, program.profile.cycles
    fired = run_twin(program, inputs).spikes
    inputs = np.pad(inputs, ((0, len(fired) - len(inputs)), (0, 0)))
    reads = axon_reads(program, inputs, fired)
    synapses = np.array([synapses_of(arrays, axon) for axon in range(reads.shape[1])], dtype=int)
    per_axon = costs.per_axon * (reads > 0) + costs.per_event * reads * synapses
    sizes = np.diff(arrays.core_neuron_start)
    clocks = costs.per_neuron * sizes + by_core(per_axon, arrays.core_axon_start)
    return clocks + costs.per_spike * by_core(fired, arrays.core_neuron_start)


def axon_reads(program, inputs, fired):
    """(ticks, axons) spikes that are read: those of all sources, as many as the chip counts."""
    arrays, profile = program.arrays, program.profile
    late = np.zeros_like(fired)
    late[profile.time.spike_latency_ticks :] = fired[: len(fired) - profile.time.spike_latency_ticks]
    lines = fan_matrix(arrays.input_fan_start, arrays.input_fan_axon, len(arrays.axon_template))
    neurons = fan_matrix(arrays.neuron_fan_start, arrays.neuron_fan_axon, len(arrays.axon_template))
    counts, limits = inputs.astype(int) @ lines + late @ neurons, profile.delivery.spikes_max
    if profile.delivery.merge == "or":
        return np.minimum(counts, 1)
    most = [limits.input if driven else limits.recurrent for driven in lines.any(axis=0)]
    return np.minimum(counts, [np.inf if each is None else each for each in most])


def fan_matrix(start, fan, axons):
    """(sources, axons): how often each axon is driven by each source."""
    matrix = np.zeros((len(start) - 1, axons), dtype=int)
    np.add.at(matrix, (np.repeat(np.arange(len(start) - 1), np.diff(start)), fan), 1)
    return matrix


def synapses_of(arrays, axon):
    """Synapses of an axon's row."""
    template = arrays.axon_template[axon]
    return arrays.run_length[slice(*arrays.template_run_start[template : template + 2])].sum()


def by_core(values, start):
    """(ticks, cores) sums of columns that belong to a core."""
    return np.stack([values[:, a:b].sum(axis=1) for a, b in zip(start, start[1:], strict=False)], axis=1)
