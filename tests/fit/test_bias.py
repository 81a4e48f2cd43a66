"""Is the bias the exact minimiser of the true loss?"""

import numpy as np
import pytest
from problems import random_problem
from scipy.optimize import minimize_scalar
from spikeloom.fit.layer import make_loss
from tolerances import BIAS


@pytest.mark.parametrize("objective", ["matching", "l2", "l1"])
@pytest.mark.parametrize("seed", range(8))
def test_the_bias_is_the_minimiser(objective, seed):
    problem = random_problem(seed, rows=60, objective=objective)
    loss = make_loss(problem)
    current = problem.activity @ (1.3 * problem.weights)
    found = loss.best_bias(current, np.full(problem.n_outputs, 7.0 * (-1) ** seed))
    for j in range(problem.n_outputs):
        one = loss.part(slice(None), slice(j, j + 1))

        def at(bias, one=one, column=current[:, j, None]):
            return one.total(column + bias)[0]

        best = minimize_scalar(at, bounds=(-20.0, 20.0), method="bounded", options={"xatol": 1e-10})
        assert at(found[j]) <= best.fun + BIAS * (1.0 + best.fun)


@pytest.mark.parametrize("objective", ["matching", "l2", "l1", "linf"])
def test_an_output_that_should_never_fire_gets_a_finite_bias(objective):
    silent = random_problem(3, preactivation=np.full((120, 4), -1.0), objective=objective)
    loss = make_loss(silent)
    bias = loss.best_bias(silent.activity @ silent.weights, np.zeros(4))
    assert np.isfinite(bias).all()
    assert loss.total(silent.activity @ silent.weights + bias).max() < 0.05


def test_no_step_of_the_derivatives_is_wrong():
    """Derivatives against differences of the loss, away from its kinks."""
    problem = random_problem(5, rows=40)
    rng = np.random.default_rng(0)
    current = rng.normal(size=problem.target.shape)
    for objective in ("matching", "l2", "l1"):
        loss = make_loss(random_problem(5, rows=40, objective=objective))
        step, direction = 1e-7, rng.normal(size=current.shape)
        rise = (loss.total(current + step * direction) - loss.total(current - step * direction)) / (2 * step)
        assert rise == pytest.approx((loss.slope(current) * direction).sum(axis=0), rel=1e-4, abs=1e-5)
