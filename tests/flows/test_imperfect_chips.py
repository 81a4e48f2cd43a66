"""Is a program judged on chips that the fit has not seen, and the yield counted against the perfect one?"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import spikeloom as sl
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.flows.conversion.tuning.neuron_tuning import tuned_by_neurons
from spikeloom.flows.terminal.validation_text import verdict
from spikeloom.flows.validation import imperfect_chips as module
from spikeloom.flows.validation.imperfect_chips import Bench, imperfect_chips
from spikeloom.flows.validation.scoring import make_scorer, wilson
from spikeloom.report.html import page

LABELS = np.arange(200) % 2
RIGHT = np.eye(2)[LABELS]


def _spoilt(rows: int) -> np.ndarray:
    """Outputs of which so many rows are wrong."""
    return np.concatenate([1 - RIGHT[:rows], RIGHT[rows:]])


def _judged(
    monkeypatch: pytest.MonkeyPatch, effects: tuple[str, ...], chips: int, fitted: int | None = None
) -> Any:
    """Chip k gets k rows wrong; which chips were run is noted."""
    ran: list[int] = []

    def emulate(program: Any, inputs: Any, *, chip_seed: int | None = None, threads: Any = None) -> Any:
        if chip_seed is not None:
            ran.append(chip_seed)
        return SimpleNamespace(outputs=_spoilt(chip_seed or 0), effects=effects)

    monkeypatch.setattr(module, "emulate", emulate)
    program: Any = SimpleNamespace(chip_seed=fitted)
    told: list[str] = []
    bench = Bench(RIGHT, RIGHT, make_scorer(LABELS, RIGHT, None), 1.0)
    found = imperfect_chips(program, bench, chips, 3, None, told.append)
    assert told == [f"chip {seed}" for seed in found.plain.scores]
    return found, ran


def test_the_fitted_chip_is_none_of_those_that_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    found, ran = _judged(monkeypatch, ("mismatch",), 4, fitted=2)
    assert ran == [0, 1, 3, 4]
    plain = found.plain
    assert plain.scores == {k: 1 - k / 200 for k in (0, 1, 3, 4)}
    assert (plain.yield_, plain.yield_interval) == (0.5, wilson(2, 4))
    assert plain.stage.score == pytest.approx(1 - 2 / 200)
    assert plain.stage.low < plain.stage.score < plain.stage.high
    assert found.stages == (plain.stage,)  # without calibration rows no chip is calibrated
    assert found.said == "4 chips that the fit has not seen, with mismatch"


@cache
def on_phase_change_memory() -> tuple[sl.Conversion, np.ndarray, np.ndarray]:
    """A random network, its program as one that was fitted to chip 2, and rows with the answers of the ANN."""
    rng = np.random.default_rng(5)
    layers = (AnnLayer("fc1", rng.normal(size=(5, 10)), rng.normal(size=10) / 10, "relu", (5,), (10,)),
              AnnLayer("fc2", rng.normal(size=(10, 3)), np.zeros(3), "identity", (10,), (3,)))  # fmt: skip
    ann = Ann("net", (5,), layers, None, np.arange(5))
    rows = np.random.default_rng(6).uniform(0.0, 1.0, (220, 5))
    conversion = sl.convert(ann, "pcm_crossbar", calibration=rows[:140], ticks=12, encoding="rate")
    conversion = replace(conversion, program=replace(conversion.program, chip_seed=2))
    return conversion, rows[140:], ann.predict(rows[140:]).argmax(axis=1)


def test_chips_of_phase_change_memory_are_judged_one_by_one() -> None:
    """The scores, the mean and the yield are those of runs on the chips, of which the fitted one is none."""
    conversion, x, y = on_phase_change_memory()
    found = sl.validate(conversion, x, y, chips=5, calibrate_chips=4, references=("brian2",))

    def score(**how: Any) -> float:
        return float((sl.emulate(conversion.program, x, **how).outputs.argmax(axis=1) == y).mean())

    scores = {seed: score(chip_seed=seed) for seed in (0, 1, 3, 4, 5)}
    ideal = score(effects=())
    assert found.chips == scores
    assert len(set(scores.values())) > 1
    assert [stage.name for stage in found.stages[-2:]] == ["imperfect", "calibrated"]
    stage = found.stage("imperfect")
    assert stage.score == pytest.approx(np.mean(list(scores.values())))
    assert found.stage("emulated").score == ideal
    assert found.stage("in_the_loop").score == score(chip_seed=2)  # beside the others, never instead
    assert found.yield_ == sum(ideal - each < 0.01 for each in scores.values()) / 5
    assert "programming, drift, read" in found.imperfections
    first = list(scores)[:4]
    tuned = {seed: tuned_by_neurons(conversion.program, conversion.calibration, seed) for seed in first}
    calibrated = {seed: sl.emulate(one.program, x).outputs.argmax(axis=1) == y for seed, one in tuned.items()}
    assert found.calibrated_chips == {seed: right.mean() for seed, right in calibrated.items()}
    assert found.calibration_runs == tuned[0].runs
    assert found.stage("calibrated").nmse < found.stage("imperfect").nmse
    written = {name: view.counts.sum() for name, view in found.pictures.weights.items()}
    assert written == {"fc1": 5 * 10, "fc2": 10 * 3}
    edges = [float(np.abs(view.edges).max()) for view in found.pictures.weights.values()]
    assert max(edges) == pytest.approx(np.abs(conversion.program.arrays.codes).max())
    check = found.checks["brian2"]
    assert check.equal and check.noise
    assert set(check.left_out) == {"read", "output_noise"}
    assert "with noise alike in rates, spread" in verdict(found, "brian2")
    html = page(found)
    assert "and with noise" in html and "alike in 50 trials" in html
    assert "Chip by chip" in html and "of 5 chips lose less than one point" in html


def test_where_chips_are_alike_one_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    found, ran = _judged(monkeypatch, (), 20)
    assert ran == []
    assert (found.stages, found.plain.yield_, found.plain.scores) == ((), None, {})
    assert "every chip is alike" in found.said


def test_no_chips_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = _judged(monkeypatch, ("mismatch", "noise"), 0)
    assert found.plain.yield_ is None
    assert "differ by mismatch, noise" in found.said
