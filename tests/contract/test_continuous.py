"""Time in steps: when input arrives, how long delays and refractory periods are, what is counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import spikeloom as sl
from spikeloom.emulation.chip import Chip
from spikeloom.emulation.emulate import emulate
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.profile.schema import Profile
from spikeloom.program.program import ChipProgram
from spikeloom.reference.random_programs import random_program
from test_same_bytes import contents, everything

PROFILES = Path(__file__).parents[1] / "agreement" / "profiles"
STEPS = 4  # of a tick of leaky_exact
QUIET = {
    "rest": 0.0,
    "drive": 0.0,
    "resistance": 1.0,
    "tau_v": 1e-2,
    "tau_i": 1e-2,
    "tau_w": 0.2,
    "reset": 0.0,
}


def leaky(**override: object) -> Profile:
    return sl.load_profile(
        PROFILES / "leaky_exact.toml", override={k.replace("__", "."): v for k, v in override.items()}
    )


def one_line(
    profile: Profile, *, lines: int = 1, delay: int = 0, ticks: int = 3, **params: float
) -> ChipProgram:
    """One neuron, and lines with a weight of 0.001 each to its first receptor."""
    network = SpikingNetwork(profile)
    source = network.input("in", lines)
    neuron = network.population("n", 1, **{"threshold": 2.0, "refractory_s": 0.0, **QUIET, **params})
    network.connect(source, neuron, np.full((lines, 1), 0.001), delays=delay)
    network.output(neuron)
    return place(network, ticks=ticks)


def arrivals(program: ChipProgram, spikes: np.ndarray) -> list[int]:
    """The steps in which the current rose."""
    (current,) = emulate(program, spikes[None], record=["n.i[0]"]).registers["n.i[0]"][:, :, 0]
    return [step for step, value in enumerate(current) if value > (current[step - 1] if step else 0.0)]


def counts(ticks: int, lines: int, *spikes: tuple[int, int]) -> np.ndarray:
    made = np.zeros((ticks, lines), dtype=np.uint8)
    for tick, line in spikes:
        made[tick, line] = 1
    return made


def test_input_of_a_tick_comes_in_its_first_step() -> None:
    program = one_line(leaky(time__input_phase="first"), lines=2)
    assert arrivals(program, counts(3, 2, (1, 0), (2, 1))) == [STEPS, 2 * STEPS]


def test_or_each_line_in_a_step_of_its_own() -> None:
    program = one_line(leaky(), lines=6, ticks=2)
    for line in range(6):
        assert arrivals(program, counts(2, 6, (1, line))) == [STEPS + line * STEPS // 6]


@pytest.mark.parametrize("delay", [0, 1, 5, 7])
def test_a_delay_is_a_number_of_steps(delay: int) -> None:
    program = one_line(leaky(time__input_phase="first"), delay=delay)
    assert arrivals(program, counts(3, 1, (0, 0))) == [delay]


@pytest.mark.parametrize(("seconds", "steps"), [(0.0, 0), (1.2e-4, 0), (1.3e-4, 1), (2.5e-4, 1), (1e-3, 4)])
def test_a_refractory_period_is_rounded_to_steps(seconds: float, steps: int) -> None:
    program = one_line(
        leaky(), ticks=20, threshold=0.5, rest=0.4, drive=0.3, refractory_s=seconds, tau_v=5e-4
    )
    recording = emulate(program, np.zeros((1, 20, 1), dtype=np.uint8), record=["n.spikes"])
    gaps = np.diff(recording.spikes["n"][:, 1])
    free = one_line(leaky(), ticks=20, threshold=0.5, rest=0.4, drive=0.3, tau_v=5e-4)
    without = np.diff(
        emulate(free, np.zeros((1, 20, 1), dtype=np.uint8), record=["n.spikes"]).spikes["n"][:, 1]
    )
    assert len(gaps) > 3 and (gaps == without[0] + steps).all()


def test_spikes_are_counted_over_the_ticks_of_the_window() -> None:
    program = one_line(leaky(), ticks=10, threshold=0.5, rest=0.4, drive=0.3, tau_v=2e-3)
    recording = emulate(program, np.zeros((1, 10, 1), dtype=np.uint8), record=["n.spikes", "n.v"])
    assert recording.registers["n.v"].shape == (1, 10 * STEPS, 1)
    assert recording.counts["n"][0, 0] == len(recording.spikes["n"]) == recording.outputs[0, 0] > 0


def test_a_chip_clocked_by_a_script_runs_all_steps_of_a_tick() -> None:
    for seed in range(5):
        drawn = random_program(leaky(), seed)
        program, last = drawn.program, drawn.program.populations[-1]
        recording = emulate(program, drawn.spikes[None], record=everything(program))
        chip = Chip(program)
        for tick, lines in enumerate(drawn.spikes):
            fired = chip.tick(lines[None])
            rows = recording.spikes[last.name]
            mine = rows[(rows[:, 1] >= tick * STEPS) & (rows[:, 1] < (tick + 1) * STEPS), 2]
            assert (fired[0] == np.bincount(mine, minlength=last.neurons.size)).all()
            end = recording.registers[f"{last.name}.v"][0, (tick + 1) * STEPS - 1]
            assert (chip.registers(last.name)["v"][0] == end).all()


@pytest.mark.parametrize(
    "name", ["leaky_exact", "leaky_step", "adaptive_exponential", "adaptive_second_order"]
)
def test_threads_batches_and_kernels_change_no_byte(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = random_program(sl.load_profile(PROFILES / f"{name}.toml"), 3)
    inputs = np.stack([np.random.default_rng(k).permuted(drawn.spikes, axis=0) for k in range(5)])
    record = everything(drawn.program)
    whole = emulate(drawn.program, inputs, record=record, threads=1)
    assert contents(emulate(drawn.program, inputs, record=record, threads=3)) == contents(whole)
    for level in ("baseline", "v3", "v4"):
        monkeypatch.setenv("SPIKELOOM_KERNELS", level)
        fresh = random_program(sl.load_profile(PROFILES / f"{name}.toml"), 3).program  # loaded anew
        try:
            assert contents(emulate(fresh, inputs, record=record)) == contents(whole)
        except sl.EmulationError:  # this processor lacks the level
            continue


@pytest.mark.parametrize(
    ("override", "finding"),
    [
        ({"params.tau_v.min": -1e-3}, "taus: params.tau_v is a time constant: it needs .* a min above 0"),
        ({"params.tau_v.min": None}, "taus: params.tau_v is a time constant"),
        ({"time.dt_s": 3e-4}, "time.dt_s: a tick must be a whole number of steps from 1 to 65535, got 3.3"),
        ({"time.dt_s": -1e-3}, "time.dt_s: should be greater than 0"),
        ({"time.dt_s": None}, "time: the mode continuous needs tick_s and dt_s"),
        ({"time.mode": "tick"}, "time.dt_s: only the mode continuous has steps"),
        ({"operation.integrate.taus": ["tau_v"]}, "taus: needs one time constant a state, got 1 for 4"),
        ({"operation.integrate.gains": {"held": {"v": 1}}}, "gains: held is no state of the operation"),
        (
            {"operation.integrate.gains": {"v": {"w": "q[0]"}}},
            "gains: q.0. must be a parameter or an integer",
        ),
        ({"operation.integrate.gains": {"v": {"what": 1}}}, "gains: no register or parameter what"),
    ],
)
def test_a_contradictory_profile_is_refused(override: dict[str, object], finding: str) -> None:
    with pytest.raises(sl.ProfileError, match=finding):
        sl.load_profile(PROFILES / "leaky_exact.toml", override=override)


def test_a_negative_time_constant_is_refused_where_it_is_given() -> None:
    with pytest.raises(
        sl.NetworkError, match="population n: tau_v is out of range; got -0.01, limit 0.0005 to"
    ):
        one_line(leaky(), tau_v=-0.01)
