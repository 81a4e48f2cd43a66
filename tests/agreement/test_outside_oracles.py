"""Do programs that other people wrote agree with the twin? Each is trusted for the variant named after it.

nengo-loihi needs an interpreter of its own (numpy < 2): make one with

    python3.10 -m venv nengo && nengo/bin/pip install nengo-loihi==1.1.0 nengo==4.1.0 "numpy<2"

and name it in SPIKELOOM_NENGO_LOIHI_PYTHON. brian2-loihi is used where it can be imported.
"""

import importlib.util
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.profile.catalog import load_profile
from spikeloom.reference.compare import Trace, combine, compare
from spikeloom.reference.random_programs import random_program
from spikeloom.reference.random_values import Options
from spikeloom.reference.twin.executor import run_twin

HERE = Path(__file__).parent
NENGO = os.environ.get("SPIKELOOM_NENGO_LOIHI_PYTHON", "")
NETS = 40
MIXED = 2  # place of the mixed mode in the profile


def run_oracle(interpreter, script, networks, folder):
    """What the script makes of each network, as arrays; one process for all, because it is slow to start."""
    files = []
    for number, network in enumerate(networks):
        np.savez(folder / f"network{number}.npz", **network)
        files += [str(folder / f"network{number}.npz"), str(folder / f"trace{number}.npz")]
    command = [interpreter, str(HERE / script), *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return [np.load(found) for found in files[1::2]]


@pytest.mark.skipif(not NENGO, reason="SPIKELOOM_NENGO_LOIHI_PYTHON names no interpreter with nengo-loihi")
def test_nengo_loihi_has_the_same_spikes_and_registers(tmp_path):
    cases = [nengo_case(seed) for seed in range(NETS)]
    networks = [nengo_network(program, spikes) for program, spikes in cases]
    checks = []
    for (program, spikes), expected in zip(
        cases, run_oracle(NENGO, "oracle_nengo_loihi.py", networks, tmp_path), strict=True
    ):
        twin = run_twin(program, spikes, ticks=len(spikes))
        registers = twin.registers | {name: expected[name] for name in ("u", "v", "ref")}
        checks.append(compare(Trace(expected["spikes"], registers), twin, program))
    found = combine(checks)
    assert found.equal, str(found.first_divergence)
    assert found.compared["spikes"] > 1000


def nengo_case(seed):
    """A random program that nengo-loihi can hold: no synaptic delays, mixed weights that lose no bit."""
    case = random_program(load_profile("loihi1:nengo"), seed, Options(delays=(0,), neurons=12))
    arrays = case.program.arrays
    exponents = arrays.format_shared["w_exp"][arrays.code_format]
    step = 2 ** np.maximum(-exponents, 1)
    codes = np.clip(arrays.codes // step * step, -(254 // step) * step, 254 // step * step).astype(np.int32)
    arrays = replace(arrays, codes=codes, format_mode=np.full_like(arrays.format_mode, MIXED))
    spikes = np.resize(case.spikes, (80, case.spikes.shape[1]))
    spikes[0] = 0
    return replace(case.program, arrays=arrays), spikes


def nengo_network(program, spikes):
    """The program as the flat lists that the script reads."""
    arrays = program.arrays
    codes = {name: values.astype(np.int64) for name, values in arrays.params.items()}
    n_axons = len(arrays.axon_template)
    synapses = [synapse for axon in range(n_axons) for synapse in synapses_of(arrays, axon)]
    axon, target, code, exponent = np.array(synapses).T
    return {
        "decay_u": codes["decay_u"], "decay_v": codes["decay_v"], "vth": codes["vth"] * 64,
        "bias": codes["bias"] * 2 ** codes["bias_exp"], "refractory": codes["refractory"],
        "vmin": 1 - 2 ** codes["vmin"], "vmax": 2 ** (9 + 2 * codes["vmax"]) - 1,
        "spikes": spikes, "n_axons": n_axons, "synapse_axon": axon, "synapse_target": target,
        "synapse_code": code, "synapse_exponent": exponent,
        "line_source": np.repeat(np.arange(program.n_inputs), np.diff(arrays.input_fan_start)),
        "line_axon": arrays.input_fan_axon,
        "neuron_source": np.repeat(np.arange(program.n_neurons), np.diff(arrays.neuron_fan_start)),
        "neuron_axon": arrays.neuron_fan_axon,
    }  # fmt: skip


def synapses_of(arrays, axon):
    """(axon, target, code, exponent) of every synapse that a spike on the axon reads."""
    template = arrays.axon_template[axon]
    for run in range(arrays.template_run_start[template], arrays.template_run_start[template + 1]):
        for k in range(arrays.run_length[run]):
            listed = arrays.run_index[run] >= 0
            offset = arrays.index_target[arrays.run_index[run] + k] if listed else k
            place_ = arrays.axon_weight[axon] + arrays.run_weight[run] + k
            exponent = arrays.format_shared["w_exp"][arrays.code_format[place_]]
            target = arrays.axon_target[axon] + arrays.run_target[run] + offset
            yield axon, target, arrays.codes[place_], exponent


@pytest.mark.skipif(importlib.util.find_spec("brian2_loihi") is None, reason="brian2-loihi is not installed")
def test_brian2_loihi_has_the_same_spikes_and_registers(tmp_path):
    cases = [brian2_loihi_case(np.random.default_rng(seed)) for seed in range(8)]
    networks = [network for _, _, network in cases]
    checks = []
    for (program, spikes, _), expected in zip(
        cases, run_oracle(sys.executable, "oracle_brian2_loihi.py", networks, tmp_path), strict=True
    ):
        twin = run_twin(program, spikes, ticks=len(spikes))
        checks.append(compare(brian2_loihi_trace(program, twin, expected), twin, program))
    found = combine(checks)
    assert found.equal, str(found.first_divergence)
    assert found.compared["spikes"] > 1000


def brian2_loihi_trace(program, twin, expected):
    """What the script found, by global neuron number; registers that it does not have are the twin's."""
    registers, fired = dict(twin.registers), np.zeros_like(twin.spikes)
    for number, population in enumerate(program.populations):
        fired[:, population.neurons] = expected[f"spikes{number}"]
    for name in ("u", "v"):
        registers[name] = np.zeros_like(twin.registers[name])
        for number, population in enumerate(program.populations):
            registers[name][:, population.neurons] = expected[f"{name}{number}"]
    return Trace(fired, registers)


def brian2_loihi_case(rng):
    """Two layers with a loop, as a program and as what the script reads."""
    profile = load_profile("loihi1:brian")
    net = SpikingNetwork(profile)
    source = net.input("in", 6)
    sizes = (12, 7)
    layers = [(size, *rng.integers((20, 0, 0, 1), (400, 4096, 400, 6))) for size in sizes]
    names = ("vth", "decay_u", "decay_v", "refractory")
    populations = [
        net.population(f"layer{k}", layer[0], **dict(zip(names, map(int, layer[1:]), strict=True)))
        for k, layer in enumerate(layers)
    ]
    network = {"layers": np.array(layers)}
    links = []
    for number, (first, second) in enumerate([(-1, 0), (0, 1), (1, 0), (1, 1)]):
        shape = (6 if first < 0 else sizes[first], sizes[second])
        mode, codes = draw_codes(rng, shape, 2 if first < 0 else int(rng.integers(1, 4)))
        delay, exponent = int(rng.integers(0, 63)), int(rng.integers(-2, 3))
        before = source if first < 0 else populations[first]
        modes = {1: "mixed", 2: "excitatory", 3: "inhibitory"}
        net.connect(
            before,
            populations[second],
            codes,
            delays=0 if first < 0 else delay,
            w_exp=exponent,
            mode=modes[mode],
        )
        links.append((first, second, 0 if first < 0 else delay, exponent, mode))
        network[f"codes{number}"] = codes
    net.output(populations[1])
    network["links"] = np.array(links)
    network["spikes"] = (rng.random((80, 6)) < 0.3).astype(np.uint8)
    return place(net, ticks=80), network["spikes"], network


def draw_codes(rng, shape, mode):
    """The sign mode of brian2-loihi (1 mixed, 2 excitatory, 3 inhibitory) and codes of it."""
    low, high = {1: (-128, 128), 2: (0, 256), 3: (-255, 1)}[mode]
    codes = rng.integers(low, high, shape)
    return mode, codes * 2 if mode == 1 else codes
