"""Is every bound below every loss, near enough to be worth printing, and right against brute force?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import correlated_activity, random_problem
from scipy.optimize import minimize
from spikeloom.fit.bound import balanced, dual_bound
from spikeloom.fit.descent import minimise
from spikeloom.fit.layer import fit_layer, make_loss
from spikeloom.fit.prior import gain_copy, gain_equality
from spikeloom.fit.problem import Response
from tolerances import BOUND_ROUNDING, FLOAT64, GAIN, GAP, NORMAL_EQUATIONS, REFERENCE_SOLVER

OBJECTIVES = ["matching", "l2"]
many = settings(max_examples=60, deadline=None)


def equality_of(problem):
    active = ~(problem.silent | problem.saturated)
    return gain_equality(problem.activity, problem.target_current, active)


def penalised(problem, loss, prior, ridge, weights):
    """(m,) the objective at these weights with the best bias: a value any bound must stay below."""
    current = problem.activity @ weights
    bias = loss.best_bias(current, np.zeros(problem.n_outputs))
    return loss.total(current + bias) + 0.5 * ridge * ((weights - prior) ** 2).sum(axis=0)


@many
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(8, 200),
    n=st.integers(1, 12),
    m=st.integers(1, 5),
    objective=st.sampled_from(OBJECTIVES),
    gain=st.sampled_from(["keep", "free"]),
    ridge=st.floats(1e-4, 1e3),
)
def test_a_fit_is_never_below_its_bound_and_proven_within_one_percent(
    seed, rows, n, m, objective, gain, ridge
):
    problem = random_problem(seed, rows, n, m, objective=objective, gain=gain, ridge=ridge)
    fit = fit_layer(problem)
    assert fit.bound <= fit.loss
    assert fit.bound_tag in ("dual", "exact")
    spread = max(make_loss(problem).spread.min(), 1e-300)  # tiny where an output is all but constant
    assert fit.gap < GAP or fit.loss - fit.bound < max(1e-7, BOUND_ROUNDING * rows / spread)
    assert fit.quantised_loss >= fit.bound


@pytest.mark.parametrize(
    ("seed", "rows", "n"), [(1590, 54, 12), (1507636010, 114, 12), (2020226858, 175, 6), (3147526698, 37, 2)]
)
def test_a_small_layer_that_hardly_leans_on_its_prior_is_proven_too(seed, rows, n):
    problem = random_problem(seed, rows, n, 1, objective="l2", gain="keep", ridge=1e-4)
    assert fit_layer(problem).gap < GAP


@many
@given(
    seed=st.integers(0, 2**32 - 1),
    objective=st.sampled_from([*OBJECTIVES, "l1"]),
    ridge=st.floats(1e-3, 1e2),
    spread=st.floats(1e-3, 10.0),
)
def test_any_multiplier_bounds_any_weights(seed, objective, ridge, spread):
    """The duality itself: no solver on either side."""
    rng = np.random.default_rng(seed)
    problem = random_problem(seed, 50, 5, 3, objective=objective)
    loss, (prior, _) = make_loss(problem), gain_copy(problem)
    bound = dual_bound(
        loss, problem.activity, prior, spread * rng.normal(size=problem.target.shape), ridge=ridge
    )
    for _ in range(5):
        weights = prior + spread * rng.normal(size=prior.shape)
        assert (bound <= penalised(problem, loss, prior, ridge, weights)).all()


@many
@given(
    seed=st.integers(0, 2**32 - 1), box=st.floats(1e-3, 2.0), objective=st.sampled_from([*OBJECTIVES, "l1"])
)
def test_any_multiplier_bounds_any_weights_in_the_box(seed, box, objective):
    rng = np.random.default_rng(seed)
    problem = random_problem(seed, 50, 5, 3, objective=objective)
    loss, (prior, _) = make_loss(problem), gain_copy(problem)
    bound = dual_bound(loss, problem.activity, prior, rng.normal(size=problem.target.shape), box=box)
    for _ in range(5):
        weights = prior + box * rng.uniform(-1.0, 1.0, size=prior.shape)
        assert (bound <= penalised(problem, loss, prior, 0.0, weights)).all()


@many
@given(seed=st.integers(0, 2**32 - 1), ridge=st.floats(1e-2, 1e2))
def test_any_multiplier_bounds_any_weights_that_keep_the_gain(seed, ridge):
    rng = np.random.default_rng(seed)
    problem = random_problem(seed, 60, 5, 3)
    loss, (prior, _), equality = make_loss(problem), gain_copy(problem), equality_of(problem)
    multiplier = 0.3 * rng.normal(size=problem.target.shape)
    bound = dual_bound(loss, problem.activity, prior, multiplier, ridge=ridge, equality=equality)
    norm = np.maximum((equality.direction**2).sum(axis=0), 1e-300)
    for _ in range(5):
        weights = prior + 0.3 * rng.normal(size=prior.shape)
        missing = equality.value - (equality.direction * weights).sum(axis=0)
        weights = weights + equality.direction * missing / norm
        assert (bound <= penalised(problem, loss, prior, ridge, weights)).all()


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("seed", range(6))
def test_loss_and_bound_bracket_the_optimum_of_another_solver(objective, seed):
    problem = random_problem(seed, 80, 4, 2, objective=objective)
    loss, (prior, _), ridge = make_loss(problem), gain_copy(problem), 0.5
    found = minimise(loss, problem.activity, prior, ridge, tolerance=1e-8, max_iterations=2000)
    n, m = prior.shape

    def value(x):
        weights, bias = x[: n * m].reshape(n, m), x[n * m :]
        current = problem.activity @ weights + bias
        slope = loss.slope(current)
        gradient = problem.activity.T @ slope + ridge * (weights - prior)
        total = loss.total(current).sum() + 0.5 * ridge * ((weights - prior) ** 2).sum()
        return total, np.concatenate((gradient.ravel(), slope.sum(axis=0)))

    options = {"maxiter": 20_000, "maxfun": 40_000, "ftol": 1e-15, "gtol": 1e-10}
    other = minimize(value, np.zeros(n * m + m), jac=True, method="L-BFGS-B", options=options).fun
    slack = REFERENCE_SOLVER * other
    assert found.bound.sum() <= other * (1 + FLOAT64)
    assert found.loss.sum() <= other + slack
    assert found.bound.sum() >= other - slack


def test_two_sided_least_squares_is_exact():
    problem = random_problem(1, activation="identity", response=Response.linear(), ridge=0.7)
    fit = fit_layer(problem)
    prior, _ = gain_copy(problem)
    centred = problem.activity - problem.activity.mean(axis=0)
    wanted = problem.target - problem.target.mean(axis=0)
    system = centred.T @ centred + 0.7 * np.eye(problem.n_inputs)
    weights = np.linalg.solve(system, centred.T @ wanted + 0.7 * prior)
    assert fit.bound_tag == "exact"
    assert fit.weights == pytest.approx(weights, rel=NORMAL_EQUATIONS, abs=NORMAL_EQUATIONS)
    assert fit.loss - fit.bound <= NORMAL_EQUATIONS * fit.loss


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_gain_equality_is_kept_and_costs_something(objective):
    free = fit_layer(random_problem(2, 400, objective=objective, ridge=0.1))
    problem = random_problem(2, 400, objective=objective, ridge=0.1, gain="keep")
    kept = fit_layer(problem)
    equality = equality_of(problem)
    reached = (equality.direction * kept.weights).sum(axis=0)
    assert kept.method == "fit+gain"
    assert (equality.value > 0).sum() >= 2
    assert reached == pytest.approx(equality.value, rel=GAIN, abs=0)
    assert kept.loss >= free.bound
    assert kept.loss > free.loss
    assert kept.gain_deviation < free.gain_deviation


def test_poor_weights_give_a_poor_bound_but_never_a_false_one():
    problem = random_problem(4, ridge=1.0)
    loss, (prior, _) = make_loss(problem), gain_copy(problem)
    best = minimise(loss, problem.activity, prior, 1.0)
    for factor in (0.0, 0.5, 2.0, -3.0):
        current = problem.activity @ (factor * prior)
        bound = dual_bound(loss, problem.activity, prior, loss.slope(current), ridge=1.0)
        assert (bound <= best.loss).all()
        assert bound.sum() < best.bound.sum()


def test_a_balanced_multiplier_adds_up_to_nothing_and_keeps_its_signs():
    rng = np.random.default_rng(0)
    multiplier = rng.normal(size=(100, 7)) + 0.5
    multiplier[:, 3] = np.abs(multiplier[:, 3])
    even = balanced(multiplier)
    assert np.abs(even.sum(axis=0)).max() < 1e-12 * np.abs(multiplier).sum(axis=0).max()
    assert (even * multiplier >= 0).all()
    assert not even[:, 3].any()


def test_activity_that_never_changes_leaves_the_bias_alone():
    for level in (0.0, 0.25):
        fit = fit_layer(random_problem(0, activity=np.full((120, 6), level), gain="keep"))
        assert fit.bound <= fit.loss
        assert fit.gap < GAP
        assert fit.loss == pytest.approx(1.0, rel=GAP)


def test_dead_inputs_and_constant_targets_are_no_trouble():
    rng = np.random.default_rng(0)
    activity = correlated_activity(rng, 120, 6)
    activity[:, [1, 4]] = 0.0
    z = random_problem(0).preactivation.copy()
    z[:, 0], z[:, 1] = -1.0, 5.0
    for objective in OBJECTIVES:
        fit = fit_layer(random_problem(0, activity=activity, preactivation=z, objective=objective))
        assert fit.bound <= fit.loss
        assert np.isfinite(fit.weights).all()
        assert fit.dead >= 1
        assert fit.saturated >= 1
