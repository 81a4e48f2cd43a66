"""Does the leaky integrate-and-fire neuron fire when its circuit does? A hundred circuits of capacitor, resistor,
current source and switch, in one run of ngspice, beside the same neurons on `brainscales2` without imperfections."""

import re
import shutil
import subprocess

import numpy as np
import pytest
from spikeloom.emulation.emulate import emulate
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place

CIRCUITS, TICKS, SPIKES = 100, 24, 3
STEP, TICK = 5e-7, 5e-6  # seconds, those of the profile
FINE = STEP / 16  # longest step of the circuit simulator
C = 1e-12  # farad
WEIGHT = 40
RESOLUTION = 0.1  # of a step: how well the circuit simulator knows the time of its switch

CIRCUIT = """
.model switch{k} sw vt={middle} vh={half} ron=300 roff=1e15
Cm{k} v{k} 0 {c}
Rm{k} v{k} rest{k} {r_m}
Vrest{k} rest{k} 0 {rest}
Vreset{k} reset{k} 0 {reset}
S{k} v{k} reset{k} v{k} reset{k} switch{k}
Gsyn{k} 0 v{k} i{k} 0 {conductance}
Cs{k} i{k} 0 {c}
Rs{k} i{k} 0 {r_s}
.ic v({v}) = {start} v({i}) = {current}
"""


@pytest.fixture(scope="module")
def drawn():
    """Volts are units of the converter; the first half are driven by a constant current alone."""
    rng = np.random.default_rng(12)
    leak, threshold = rng.uniform(80, 100, CIRCUITS), rng.uniform(100, 130, CIRCUITS)
    values = {
        "v_leak_lsb": leak, "v_reset_lsb": rng.uniform(50, 80, CIRCUITS), "v_thr_lsb": threshold,
        "drive_lsb": np.minimum(threshold - leak + rng.uniform(8, 40, CIRCUITS), 60.0),
        "tau_mem_s": rng.uniform(5e-6, 1.5e-5, CIRCUITS), "tau_syn_s": rng.uniform(2e-6, 2e-5, CIRCUITS),
        "gain_lsb": rng.uniform(0.2, 1.0, CIRCUITS),
    }  # fmt: skip
    pulsed = np.arange(CIRCUITS) >= CIRCUITS // 2
    below = rng.uniform(
        0, 40, CIRCUITS
    )  # a start above the reset would find the switch between its two levels
    return values, values["v_reset_lsb"] - below, pulsed


@pytest.fixture(scope="module")
def emulated(drawn):
    """The spike times of each neuron: a spike is at the end of its step."""
    values, start, pulsed = drawn
    network = SpikingNetwork("brainscales2")
    neurons = network.population("n", CIRCUITS, init={"v": start}, t_ref_s=4e-8, **values)  # no whole step
    network.connect(network.input("in", 1), neurons, np.where(pulsed, WEIGHT, 0)[None])
    network.output(neurons)
    spikes = np.zeros((1, TICKS, 1), dtype=np.uint8)
    spikes[0, 0] = 1
    rows = emulate(place(network, ticks=TICKS), spikes, record=["n.spikes"], effects=()).spikes["n"]
    return [(np.sort(rows[rows[:, 2] == k, 1]) + 1) * STEP for k in range(CIRCUITS)]


@pytest.fixture(scope="module")
def simulated(drawn, tmp_path_factory):
    """The same from ngspice: when each membrane falls through the middle between threshold and reset."""
    if shutil.which("ngspice") is None:
        pytest.skip("ngspice is not installed: Debian's package ngspice")
    path = tmp_path_factory.mktemp("ngspice") / "neurons.cir"
    path.write_text(netlist(*drawn), encoding="ascii")
    run = subprocess.run(["ngspice", "-b", path], capture_output=True, text=True, timeout=300, check=False)
    found = {
        (int(k), int(spike)): float(time)
        for k, spike, time in re.findall(r"^t(\d+)_(\d+)\s*=\s*(\S+)", run.stdout, re.MULTILINE)
    }
    assert found, run.stdout + run.stderr
    return [np.array([found[k, n] for n in range(1, SPIKES + 1) if (k, n) in found]) for k in range(CIRCUITS)]


def netlist(values, start, pulsed):
    """One netlist of all circuits: C dv/dt = (rest - v) / R + i, each at a threshold of its own."""
    lines = ["* leaky integrate-and-fire neurons"]
    for k in range(CIRCUITS):
        p = {name: float(array[k]) for name, array in values.items()}
        depth = p["v_thr_lsb"] - p["v_reset_lsb"]
        r_m = p["tau_mem_s"] / C
        facts = {
            "k": k, "c": C, "r_m": r_m, "rest": p["v_leak_lsb"] + p["drive_lsb"], "reset": p["v_reset_lsb"],
            "middle": 0.501 * depth, "half": 0.499 * depth, "conductance": p["gain_lsb"] / r_m, "v": f"v{k}",
            "i": f"i{k}", "r_s": p["tau_syn_s"] / C, "start": start[k],
            "current": WEIGHT * float(pulsed[k]),
        }  # fmt: skip
        lines.append(CIRCUIT.format(**facts))
        middle = p["v_reset_lsb"] + 0.5 * depth
        lines += [f".meas tran t{k}_{n} when v(v{k})={middle} fall={n}" for n in range(1, SPIKES + 1)]
    lines += [".options reltol=1e-5 gmin=1e-16", f".tran {FINE} {TICKS * TICK} 0 {FINE} uic", ".end"]
    return "\n".join(lines)


def test_first_spikes_come_within_a_step_of_the_circuits(emulated, simulated):
    late = np.array([mine[0] - theirs[0] for mine, theirs in zip(emulated, simulated, strict=True)]) / STEP
    assert len(late) == CIRCUITS and late.min() > -RESOLUTION and late.max() < 1 + RESOLUTION
    assert np.ptp(late) > 0.5  # they fall anywhere within a step


@pytest.mark.parametrize("driven", ["current", "pulse"])
def test_intervals_are_within_a_step_of_the_circuits(driven, drawn, emulated, simulated):
    """Also while the current of a synapse decays, which what came before would shift if a reset waited."""
    chosen = [k for k in range(CIRCUITS) if drawn[2][k] == (driven == "pulse")]
    late = [
        np.diff(emulated[k][:SPIKES]) - np.diff(simulated[k]) for k in chosen if len(simulated[k]) == SPIKES
    ]
    assert len(late) > 0.9 * len(chosen)
    assert np.abs(np.concatenate(late)).max() / STEP < 1 + RESOLUTION
