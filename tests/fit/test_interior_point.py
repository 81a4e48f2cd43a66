"""Does an interior point prove what the first-order multipliers cannot, is it a bound, and does it end in time?"""

from __future__ import annotations

import json
from typing import Any, Literal

import highspy
import numpy as np
import pytest
from problems import random_problem
from spikeloom.errors import FitError
from spikeloom.fit import linear_program
from spikeloom.fit.interior_point import SAMPLED, sampled_bound
from spikeloom.fit.layer import fit_layer, make_loss
from spikeloom.fit.prior import gain_copy
from spikeloom.fit.problem import LayerProblem
from test_linear_program import primal_optimum
from tolerances import FLOAT64, GAP, LINEAR_PROGRAM

LOOSE = 100.0  # boxes, in units of the largest weight


def loose(
    objective: Literal["l1", "linf"], rows: int = 160, n: int = 80, m: int = 12, **more: Any
) -> LayerProblem:
    """Two rows an input, and a box that hardly holds the weights."""
    tight = random_problem(0, rows, n, m, objective=objective)
    return random_problem(
        0, rows, n, m, objective=objective, box=LOOSE * float(np.abs(gain_copy(tight)[0]).max()), **more
    )


@pytest.fixture(autouse=True)
def _side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a layer too large for HiGHS."""
    monkeypatch.setattr(linear_program, "SMALL", 0)


def test_a_loose_box_ruins_the_bound_of_the_layer_and_not_that_of_the_sample() -> None:
    problem = loose("l1")
    fit, without = fit_layer(problem), fit_layer(loose("l1", certify_s=0.0))
    assert (without.bound_tag, without.sampled) == ("dual", None)
    assert without.gap > 10 * GAP and any("proven to within" in text for text in without.warnings)
    sampled = fit.sampled
    assert fit.bound_tag == "sampled" and sampled is not None and sampled.outputs.size == SAMPLED
    assert sampled.layer_bound == without.bound and np.array_equal(fit.weights, without.weights)
    assert sampled.gap < GAP and fit.gap == pytest.approx(sampled.gap)
    assert fit.bound == pytest.approx(fit.loss * (1 - sampled.gap))
    assert any(text.startswith("only 8 outputs are proven") for text in fit.warnings)
    report = json.loads(json.dumps(fit.report(), allow_nan=False))
    assert report["sampled"]["outputs"] == sampled.outputs.tolist() and report["bound_tag"] == "sampled"


def test_it_is_a_bound_of_the_plain_program_and_meets_its_optimum() -> None:
    problem = loose("l1", 60, 25, 3)
    loss, (prior, _) = make_loss(problem), gain_copy(problem)
    assert problem.box is not None
    best = sum(primal_optimum(problem, prior, problem.box, j) for j in range(3))
    current = problem.activity @ prior
    found = sampled_bound(
        loss, problem.activity, prior, problem.box, None, current, np.full(3, -np.inf), 60.0, 0
    )  # type: ignore[arg-type]
    assert found is not None and found.outputs.tolist() == [0, 1, 2]
    assert found.bound <= best * (1 + FLOAT64)
    assert found.bound == pytest.approx(best, rel=1e-3)


@pytest.mark.parametrize("objective", ["l1", "linf"])
@pytest.mark.parametrize("gain", ["free", "keep"])
def test_multipliers_are_good_for_both_errors_with_and_without_a_gain(objective: Any, gain: str) -> None:
    sampled = fit_layer(loose(objective, 100, 40, 4, gain=gain)).sampled
    assert sampled is not None
    assert 0.0 <= sampled.gap < 2 * GAP
    assert sampled.layer_bound < sampled.bound
    tight = fit_layer(random_problem(0, 100, 4, 4, objective=objective, gain=gain, box=2.0))
    assert tight.bound_tag == "dual" and tight.sampled is None and tight.gap < GAP + LINEAR_PROGRAM


def test_no_time_leaves_the_bound_as_it_was() -> None:
    fit = fit_layer(loose("l1", certify_s=1e-6))
    assert (fit.bound_tag, fit.sampled) == ("dual", None)


def test_the_user_can_interrupt_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes while HiGHS is waited for, which is told to stop, and has stopped when the interrupt goes on."""
    problem, waited, cancelled, ended = loose("l1", 400, 100, 1), highspy.Highs.wait, [], []
    loss, (prior, _) = make_loss(problem), gain_copy(problem)

    def interrupted_once(solver: Any, seconds: float) -> Any:
        if not cancelled:
            raise KeyboardInterrupt
        ended.append(waited(solver, seconds))
        return ended[-1]

    def cancel(solver: Any) -> None:
        cancelled.append(solver)
        cancelled_really(solver)

    cancelled_really = highspy.Highs.cancelSolve
    monkeypatch.setattr(highspy.Highs, "wait", interrupted_once)
    monkeypatch.setattr(highspy.Highs, "cancelSolve", cancel)
    assert problem.box is not None
    with pytest.raises(KeyboardInterrupt):
        sampled_bound(
            loss,
            problem.activity,
            prior,
            problem.box,
            None,
            problem.activity @ prior,
            np.zeros(1),
            60.0,
            0,  # type: ignore[arg-type]
        )
    assert len(cancelled) == 1
    assert ended[-1][0]
    assert cancelled[0].getModelStatus() == highspy.HighsModelStatus.kInterrupt


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_seconds_that_are_none_are_refused(seconds: float) -> None:
    with pytest.raises(FitError, match="certify_s must be a number of seconds"):
        random_problem(0, certify_s=seconds)
