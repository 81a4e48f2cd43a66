"""Do noisy chips and noisy Brian2 models have one law? Equal ones pass, other noise or other times are found."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spikeloom as sl
from spikeloom.cli import run
from spikeloom.emulation.instance import chosen_chip
from spikeloom.flows.comparison.noise_check import noise_tests
from spikeloom.program.program import ChipProgram
from spikeloom.reference.distributions import NoiseTest, Trials, compare_trials

LEVEL = 0.01
TRIALS = 80
MATRIX = "brainscales2_matrix"
CHIPS = ("brainscales2", "pcm_crossbar", "pcm_crossbar:adc", MATRIX)


@cache
def program(profile: str, read_noise: float | None = None, **values: float) -> ChipProgram:
    """Six lines onto eight neurons, and these onto three; in the matrix mode, onto five outputs."""
    override = None if read_noise is None else {"imperfection.read.q_at_1": read_noise}
    network, rng = sl.SpikingNetwork(sl.load_profile(profile, override=override)), np.random.default_rng(1)
    source = network.input("in", 6)
    if profile == MATRIX:
        out = network.population("out", 5, **{"gain": 0.05, **values})
        network.connect(source, out, rng.integers(-40, 40, (6, 5)))
        network.output(out, read="y")
        return sl.place(network, ticks=1)
    unit: Any = 1 / 40 if profile.startswith("pcm") else 1
    hidden, out = (network.population(name, size, **values) for name, size in (("hidden", 8), ("out", 3)))
    network.connect(source, hidden, rng.integers(-10, 40, (6, 8)) * unit)
    network.connect(hidden, out, rng.integers(0, 40, (8, 3)) * unit)
    network.output(out)
    return sl.place(network, ticks=12)


def inputs(ticks: int, samples: int = 1, most: int = 1) -> np.ndarray:
    drawn = np.random.default_rng(2).integers(0, 2 * most, (samples, ticks, 6))
    return np.minimum(drawn, most).astype(np.uint8)


def verdicts(
    mine: ChipProgram, other: ChipProgram, trial_seed: int = 0, *, script: Path | None = None, **how: int
) -> tuple[NoiseTest, ...]:
    """A program on chip 3, against the other one in Brian2."""
    return noise_tests(
        mine, inputs(mine.ticks, **how), trials=TRIALS, level=LEVEL, chip=chosen_chip(mine, 3, 0.0, None),
        trial_seed=trial_seed, reference=other, script=script,
    )  # fmt: skip


@pytest.mark.parametrize("profile", CHIPS)
def test_the_same_chip_passes(profile: str) -> None:
    for seed in range(3):
        found = verdicts(program(profile), program(profile), seed)
        assert all(test.ok for test in found), [str(test) for test in found]
        wanted = {"values", "spread of values"} if profile == MATRIX else {"rates", "spread", "intervals"}
        assert {test.name for test in found} == wanted
        assert sum(test.level for test in found) == pytest.approx(LEVEL)


@pytest.mark.parametrize(
    ("profile", "changed"),
    [
        ("brainscales2", {"noise_lsb": 0.74}),
        ("brainscales2", {"noise_lsb": 0.0}),
        ("brainscales2", {"tau_mem_s": 1.1e-5}),
        ("brainscales2", {"t_ref_s": 2.5e-6}),
        ("pcm_crossbar", {"noise_std": 0.1}),
        ("pcm_crossbar", {"tau_s": 3e-5}),
        (MATRIX, {"noise_std": 4.0}),
        (MATRIX, {"gain": 0.1}),
    ],
)
def test_another_noise_or_time_constant_is_found(profile: str, changed: dict[str, float]) -> None:
    assert not all(test.ok for test in verdicts(program(profile), program(profile, **changed)))


def test_a_synapse_is_read_once_a_step_for_all_its_spikes() -> None:
    """Reads as noisy as the weights themselves: one draw for several spikes is not several draws."""
    noisy, quiet = (program("pcm_crossbar", q, noise_std=0.0, threshold=3.0) for q in (0.2, 0.1))
    assert all(test.ok for test in verdicts(noisy, noisy, most=3, samples=2))
    assert not all(test.ok for test in verdicts(noisy, quiet, most=3, samples=2))


def test_equal_laws_fail_as_often_as_the_level_says() -> None:
    rng, level, fails = np.random.default_rng(4), 0.2, 0
    for seed in range(100):
        sides = [_random_trials(rng) for _ in range(2)]
        fails += not all(test.ok for test in compare_trials(*sides, neurons=3, level=level, seed=seed))
    assert 5 <= fails <= 33  # at most 20 expected; 34 or more would be one chance in a thousand


def _random_trials(rng: np.random.Generator) -> Trials:
    """Spikes of three neurons whose rate differs from trial to trial: intervals within one are not independent."""
    rate = rng.uniform(0.1, 0.5, (15, 1, 1)) * [1.0, 0.5, 0.9]
    return Trials.of(rng.random((15, 20, 3)) < rate, np.zeros((15, 0)), np.zeros(0, dtype=np.int64))


def test_intervals_are_those_between_the_spikes_of_one_trial_and_neuron() -> None:
    spikes = np.zeros((2, 6, 2), dtype=np.int32)
    for trial, tick, neuron in ((0, 1, 0), (0, 2, 0), (0, 5, 0), (0, 3, 1), (1, 0, 1), (1, 5, 1)):
        spikes[trial, tick, neuron] = 1
    found = Trials.of(spikes, np.zeros((2, 0)), np.zeros(0, dtype=np.int64))
    occurred = [
        (trial, neuron, interval) for trial, neuron, interval in np.argwhere(found.intervals).tolist()
    ]
    assert occurred == [(0, 0, 1), (0, 0, 3), (1, 1, 5)]
    assert found.counts.tolist() == [[3, 1], [0, 2]]


def test_a_cross_check_compares_exactly_without_noise_and_as_a_distribution_with_it() -> None:
    mine = program("brainscales2")
    x = inputs(mine.ticks)
    told: list[tuple[str, int, int]] = []
    check = sl.crosscheck(mine, x, chip_seed=3, trials=40, progress=lambda *what: told.append(what))
    assert told == [(what, done, 1) for what in ("brian2", "with noise") for done in (0, 1)]
    assert check.equal, (check.first_divergence, check.noise)
    assert check.left_out == ("membrane_noise",)
    assert check.compared["register_values"] > 1000
    assert len(check.noise) == 3
    state = np.random.get_state()[1]
    again = sl.crosscheck(mine, x, chip_seed=3, trials=40)
    assert again.noise == check.noise
    assert np.array_equal(np.random.get_state()[1], state)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"trials": 5}, "trials: must be a whole number.*got 5.*at least 10"),
        ({"trials": 20, "level": 1e-5}, "level: is no level at which a test can fail"),
        ({"trials": 20, "reference": "twin"}, "trials: are for Brian2"),
        ({"trials": 20, "effects": ("threshold",)}, "trials: are of no use: nothing that acts differs"),
    ],
)
def test_what_cannot_be_tested_is_refused(how: dict[str, Any], said: str) -> None:
    mine = program("brainscales2")
    with pytest.raises(sl.SpikeloomError, match=said):
        sl.crosscheck(mine, inputs(mine.ticks), **how)


def test_the_command_line_tells_every_test_and_its_exit_code_the_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = program("brainscales2")
    mine.save(tmp_path / "net.spikeloom")
    np.save(tmp_path / "x.npy", inputs(mine.ticks))
    command = [
        "crosscheck",
        str(tmp_path / "net.spikeloom"),
        "--inputs",
        str(tmp_path / "x.npy"),
        "--trials",
        "40",
    ]
    assert run([*command, "--chip-seed", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["equal"] and found["left_out"] == ["membrane_noise"]
    assert [test["name"] for test in found["noise"]] == ["rates", "spread", "intervals"]
    assert all(test["trials"] == 40 and 0.0 < test["p"] <= 1.0 for test in found["noise"])
    codes = [run([*command, "--trial-seed", str(seed), "--level", "0.999"]) for seed in range(3)]
    assert 1 in codes  # at this level nearly all runs fail but identical ones
    said = capsys.readouterr().out
    assert "membrane_noise: new in every step" in said
    assert "intervals" in said and "differs" in said
