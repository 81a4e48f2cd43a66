"""Does the profile of Xylo agree with xylosim, the simulator of its makers, in every state and spike?

xylosim is built from its source package; name an interpreter that has it:

    python -m venv xylo && xylo/bin/pip install numpy xylosim==0.1.3
    SPIKELOOM_XYLOSIM_PYTHON=xylo/bin/python pytest tests/agreement/test_xylosim.py
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from agreement_cases import core_trace
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place

SCRIPT = Path(__file__).with_name("oracle_xylosim.py")
NAMED = os.environ.get("SPIKELOOM_XYLOSIM_PYTHON", "")
INTERPRETER = NAMED or (sys.executable if importlib.util.find_spec("xylosim") else "")
NETS, TICKS = 250, 40


def drawn(seed):
    """A random net with values at the ends of their ranges as often as inside, as flat arrays."""
    rng = np.random.default_rng([seed, 0xA2])
    inputs, hidden, outputs = (int(rng.integers(1, most + 1)) for most in (6, 10, 8))

    def draw(low, high, *shape):
        ends = rng.choice([low, high, low + 1, high - 1, 0, 1], shape)
        inside = rng.integers(low, high + 1, shape)
        return np.clip(np.where(rng.random(shape) < 0.2, ends, inside), low, high)

    def thresholds(n):
        usual = rng.integers(1, rng.choice([20, 300, 5000]), n)
        return np.where(rng.random(n) < 0.1, draw(-32768, 32767, n), usual)

    def biases(n):
        return np.where(rng.random(n) < 0.1, draw(-32768, 32767, n), rng.integers(-3, 40, n))

    def matrix(*shape):
        return draw(-128, 127, *shape) * (rng.random(shape) < 0.7)

    gives = rng.random(hidden) < 0.3
    alias = np.where(gives, rng.integers(0, hidden, hidden), -1)
    spikes = (rng.random((TICKS, inputs)) < 0.5) * rng.integers(0, 20, (TICKS, inputs))
    spikes[-1] = 0  # a run adds a tick to its window, by which the outputs are later
    return {
        "w_in": matrix(2, inputs, hidden), "w_rec": matrix(2, hidden, hidden), "w_out": matrix(1, hidden, outputs),
        "shift_in": rng.integers(0, 8), "shift_rec": rng.integers(0, 8), "shift_out": rng.integers(0, 8),
        "threshold": thresholds(hidden), "threshold_out": thresholds(outputs),
        "bias": biases(hidden), "bias_out": biases(outputs),
        "dash_mem": draw(0, 15, hidden), "dash_mem_out": draw(0, 15, outputs),
        "dash_syn": draw(0, 15, 2, hidden), "dash_syn_out": draw(0, 15, outputs),
        "alias": np.where(alias == np.arange(hidden), -1, alias), "spikes": spikes,
    }  # fmt: skip


def program_of(net):
    """The net as a program."""
    network = SpikingNetwork("xylo_a2")
    source = network.input("in", net["w_in"].shape[1])
    own = np.arange(len(net["alias"]))
    hidden = network.population(
        "hidden", len(own), threshold=net["threshold"], bias=net["bias"], dash_mem=net["dash_mem"],
        dash_syn_0=net["dash_syn"][0], dash_syn_1=net["dash_syn"][1],
        alias=np.where(net["alias"] < 0, 0, net["alias"] - own),
    )  # fmt: skip
    out = network.population(
        "out", net["w_out"].shape[2], threshold=net["threshold_out"], bias=net["bias_out"],
        dash_mem=net["dash_mem_out"], dash_syn_0=net["dash_syn_out"], max_spikes=1,
    )  # fmt: skip
    for receptor in (0, 1):
        network.connect(source, hidden, net["w_in"][receptor], receptor=receptor, shift=int(net["shift_in"]))
        network.connect(
            hidden, hidden, net["w_rec"][receptor], receptor=receptor, shift=int(net["shift_rec"])
        )
    network.connect(hidden, out, net["w_out"][0], shift=int(net["shift_out"]))
    network.output(out)
    return place(network, ticks=TICKS - 1)


@pytest.mark.skipif(not INTERPRETER, reason="xylosim is not installed; see SPIKELOOM_XYLOSIM_PYTHON")
def test_every_state_and_every_spike_is_that_of_xylosim(tmp_path):
    nets = [drawn(seed) for seed in range(NETS)]
    files = []
    for number, net in enumerate(nets):
        np.savez(tmp_path / f"net{number}.npz", **net)
        files += [str(tmp_path / f"net{number}.npz"), str(tmp_path / f"trace{number}.npz")]
    done = subprocess.run([INTERPRETER, str(SCRIPT), *files], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    spikes = 0
    for number, net in enumerate(nets):
        spikes += check(net, np.load(files[2 * number + 1]), number)
    assert spikes > 100_000


def check(net, expected, number):
    """Compare one net over all ticks; the spikes that were compared."""
    program = program_of(net)
    trace = core_trace(program, net["spikes"][:-1].astype(np.uint8))
    numbers = {placed.name: placed.neurons for placed in program.populations}
    hidden, out = numbers["hidden"], numbers["out"]
    rows = [
        ("spikes", trace.spikes, hidden), ("v", trace.registers["v"], hidden),
        ("i0", trace.registers["i[0]"], hidden), ("i1", trace.registers["i[1]"], hidden),
        ("spikes_out", trace.spikes, out), ("v_out", trace.registers["v"], out),
        ("i0_out", trace.registers["i[0]"], out),
    ]  # fmt: skip
    for name, values, neurons in rows:
        got, wanted = values[:, neurons], expected[name]
        assert np.array_equal(got, wanted), f"net {number}, {name}"
    return int(expected["spikes"].sum() + expected["spikes_out"].sum())


def test_the_lowest_potential_with_a_decay_of_zero_is_among_the_nets():
    """The corner in which a negation leaves 16 bits."""
    found = 0
    for seed in range(NETS):
        net = drawn(seed)
        if not (net["dash_mem"] == 0).any():
            continue
        trace = core_trace(program_of(net), net["spikes"][:-1].astype(np.uint8))
        hidden = trace.registers["v"][:, : len(net["alias"])]
        found += int((hidden[:, net["dash_mem"] == 0] == -32768).sum())
    assert found > 0
