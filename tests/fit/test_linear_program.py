"""Is the absolute error at its optimum, proven by its dual, and refused where it is out of reach?"""

import numpy as np
import pytest
from problems import EIGHT_BITS, random_problem
from scipy.optimize import linprog
from spikeloom.errors import FitError
from spikeloom.fit import linear_program
from spikeloom.fit.layer import fit_layer, make_loss
from spikeloom.fit.prior import gain_copy, gain_equality
from spikeloom.fit.problem import WeightGrid
from tolerances import FLOAT64, GAP, LINEAR_PROGRAM


def primal_optimum(problem, prior, box, j, side=None):
    """The program in its plain form, residuals and all, by scipy. Returns the optimum of one output."""
    rows, n = problem.activity.shape
    over = np.hstack((problem.activity, np.ones((rows, 1)), -np.eye(rows)))
    under = np.hstack((-problem.activity, -np.ones((rows, 1)), -np.eye(rows)))
    wanted = problem.target_current[:, j]
    use_over, use_under = ~problem.saturated[:, j], ~problem.silent[:, j]
    limits = [(v - box, v + box) for v in prior[:, j]] + [(None, None)] + [(0, None)] * rows
    equality = {}
    if side is not None:
        equality = {"A_eq": np.concatenate((side[0], np.zeros(rows + 1)))[None, :], "b_eq": [side[1]]}
    return linprog(
        np.concatenate((np.zeros(n + 1), np.ones(rows))), np.vstack((over[use_over], under[use_under])),
        np.concatenate((wanted[use_over], -wanted[use_under])), bounds=limits, **equality,
    ).fun  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("box", [0.02, 0.2, 2.0])
def test_the_optimum_is_that_of_the_plain_program(seed, box):
    problem = random_problem(seed, 50, 4, 3, objective="l1", box=box)
    fit = fit_layer(problem)
    loss, (prior, _) = make_loss(problem), gain_copy(problem)
    best = sum(primal_optimum(problem, prior, box, j) for j in range(3)) / loss.spread.sum()
    assert fit.bound_tag == "dual"
    assert fit.bound <= fit.loss
    assert fit.loss == pytest.approx(best, rel=LINEAR_PROGRAM)
    assert fit.bound == pytest.approx(best, rel=LINEAR_PROGRAM)
    assert np.abs(fit.weights - prior).max() <= box * (1 + FLOAT64)


def test_the_gain_can_be_kept():
    problem = random_problem(4, 200, 5, 2, objective="l1", box=1.0, gain="keep")
    fit = fit_layer(problem)
    active = ~(problem.silent | problem.saturated)
    equality = gain_equality(problem.activity, problem.target_current, active)
    prior, _ = gain_copy(problem)
    best = 0.0
    for j in range(2):
        best += primal_optimum(problem, prior, 1.0, j, (equality.direction[:, j], equality.value[j]))
    assert (equality.direction * fit.weights).sum(axis=0) == pytest.approx(equality.value, rel=LINEAR_PROGRAM)
    assert fit.loss == pytest.approx(best / make_loss(problem).spread.sum(), rel=LINEAR_PROGRAM)
    assert fit.bound <= fit.loss
    assert fit.gap < GAP


def test_a_box_that_was_not_given_is_widened_for_the_gain(monkeypatch):
    monkeypatch.setattr(linear_program, "BOXES", (1e-2,))
    fit = fit_layer(random_problem(4, 200, 5, 2, objective="l1"), "fit+gain")
    assert fit.method == "fit+gain"
    assert fit.bound <= fit.loss


def test_an_equality_outside_the_box_is_a_clear_error():
    with pytest.raises(FitError, match="larger box"):
        fit_layer(random_problem(4, 200, 5, 2, objective="l1", box=1e-6, gain="keep"))


def test_the_box_is_chosen_on_held_out_rows():
    fit = fit_layer(random_problem(7, 300, 6, 3, objective="l1", grid=WeightGrid(EIGHT_BITS)))
    assert fit.gap < GAP
    assert fit.loss < 0.3
    assert fit.quantised_loss < 2 * fit.loss


def test_nothing_is_printed(capfd):
    fit_layer(random_problem(9, 60, 3, 1, objective="l1", box=0.3))
    printed = capfd.readouterr()
    assert printed.out == printed.err == ""
