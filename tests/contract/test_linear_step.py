"""Does a linear neuron go on from where it crossed its threshold? Against times that a formula gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import spikeloom as sl
from tolerances import EXACT_INTEGRATION

PROFILE = Path(__file__).parents[1] / "agreement" / "profiles" / "leaky_step.toml"
DT = 2.5e-4
QUIET = {"rest": 0.0, "drive": 0.0, "resistance": 1.0, "reset": 0.0, "tau_exc": 2e-4, "tau_inh": 2e-4}


def run(ticks: int, weight: float = 0.0, **params: float) -> sl.Recording:
    """One neuron; its line sends one spike, in the first tick."""
    network = sl.SpikingNetwork(sl.load_profile(PROFILE))
    neuron = network.population("n", 1, **(QUIET | {"refractory_s": 0.0} | params))
    network.connect(network.input("in", 1), neuron, np.array([[weight]]))
    network.output(neuron)
    spikes = np.zeros((1, ticks, 1), dtype=np.uint8)
    spikes[0, 0] = 1
    record = [f"n.{name}" for name in ("spikes", "v", "late", "after")]
    return sl.emulate(sl.place(network, ticks=ticks), spikes, record=record)


@pytest.mark.parametrize("held", [0, 1, 3])
@pytest.mark.parametrize("drive", [1.05, 1.7])
def test_spikes_of_a_constant_drive_keep_the_intervals_of_its_formula(held: int, drive: float) -> None:
    """From 0 to the threshold 1 it takes tau ln(drive / (drive - 1)); a spike is seen at the end of its step."""
    tau = 4.3e-3
    recording = run(120, drive=drive, threshold=1.0, tau_v=tau, refractory_s=held * DT)
    steps = recording.spikes["n"][:, 1]
    rise = tau * np.log(drive / (drive - 1.0)) / DT
    crossings = rise + np.arange(len(steps)) * (rise + held)
    assert len(steps) > 5 and crossings[-1] + rise + held > 120 * 4 - 1
    assert steps.tolist() == (np.ceil(crossings) - 1).tolist()
    late = recording.registers["n.late"][0, steps, 0]
    assert np.abs(late - (np.ceil(crossings) - crossings)).max() < EXACT_INTEGRATION * crossings[-1]
    assert np.ptp(late) > 0.5


@pytest.mark.parametrize(("share", "fires"), [(1.0, True), (0.985, False)])
def test_a_peak_within_a_step_fires_though_both_ends_lie_below(share: float, fires: bool) -> None:
    """v = w tau_exc / (tau_v - tau_exc) (exp(-s / tau_v) - exp(-s / tau_exc)), highest at 1.22 steps."""
    tau, fast = 5e-4, 2e-4
    ends = [np.exp(-k * DT / tau) - np.exp(-k * DT / fast) for k in (1, 2)]
    top = np.log(tau / fast) * tau * fast / (tau - fast)
    peak = np.exp(-top / tau) - np.exp(-top / fast)
    threshold, unit = 0.323, 0.5 / 0.323  # of the difference of exponentials; chip units for one of it
    assert max(ends) < threshold < peak and share * peak > threshold or not fires
    recording = run(3, weight=share * unit * (tau - fast) / fast, threshold=0.5, tau_v=tau)
    assert recording.spikes["n"][:, 1].tolist() == ([1] if fires else [])
    if not fires:
        assert recording.registers["n.v"][0, :2, 0] == pytest.approx([share * unit * end for end in ends])


@pytest.mark.parametrize(
    ("override", "finding"),
    [
        ({"operation.integrate.gains": {"i[0]": {"drive": 1}}}, "gains: only v, the first state, may have sources"),
        ({"operation.integrate.gains": {"v": {"v": 1}}}, "gains: only v, the first state, may have sources"),
        ({"operation.integrate.states": ["i[0]", "v", "i[1]"], "operation.integrate.gains": {}}, "states: the first"),
        ({"operation.fire.cmp": "ge"}, "needs cmp = 'gt' in the operation fire, got 'ge'"),
        ({"operation.fire.reset": "zero"}, "needs reset = 'value' in the operation fire, got 'zero'"),
        ({"operation.fire.value": "rest"}, "needs value = 'reset' in the operation fire, got 'rest'"),
        ({"operation.fire.start": {"held": "refractory_s"}}, "fire must start fired at 1, and the refractory"),
        ({"operation.fire.start": {"fired": 1}}, "fire must start fired at 1, and the refractory counter"),
        ({"operation.integrate.taus": ["tau_v", "tau_exc"]}, "taus: needs one time constant a state, got 2 for 3"),
    ],
)  # fmt: skip
def test_a_list_that_cannot_go_on_within_its_step_is_refused(
    override: dict[str, object], finding: str
) -> None:
    with pytest.raises(sl.ProfileError, match=finding):
        sl.load_profile(PROFILE, override=override)
