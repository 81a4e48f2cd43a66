"""Do the candidates of a layer behave: copy, fit, few rows, few ticks, seeds, and time?"""

import time

import numpy as np
import pytest
from problems import EIGHT_BITS, FOUR_BITS, bent_response, correlated_activity, random_problem
from spikeloom.fit.layer import copy_layer, fit_layer, make_loss
from spikeloom.fit.prior import gain_copy, plain_copy
from spikeloom.fit.problem import Response, WeightGrid
from tolerances import FLOAT64, FLOOR_SLOPE, GAP, REFERENCE_MACHINE


def exact_problem(**changes):
    """Noise-free activity through a straight response: the copy is right."""
    rng = np.random.default_rng(0)
    activity, weights = correlated_activity(rng, 300, 8), rng.normal(size=(8, 5)) / 3
    fields = {
        "activity": activity, "preactivation": activity / 0.5 @ weights + 0.1, "weights": weights,
        "bias": np.full(5, 0.1), "input_scale": 0.5, "target_scale": 0.4, "response": Response.clipped(1.0),
        "r_max": 1.0,
    }  # fmt: skip
    return random_problem(0, 300, 8, 5, **(fields | changes))


def test_on_exact_rates_the_copy_is_perfect_and_a_fit_stays_there():
    problem = exact_problem()
    plain, _ = plain_copy(problem)
    for fit in (copy_layer(problem, plain=True), copy_layer(problem), fit_layer(problem)):
        assert fit.loss < FLOOR_SLOPE
        assert fit.weights == pytest.approx(plain, abs=10 * FLOOR_SLOPE)


def test_input_scales_may_differ_by_line():
    rng = np.random.default_rng(1)
    scales = rng.uniform(0.2, 0.9, 8)
    one = exact_problem()
    many = exact_problem(activity=one.activity / 0.5 * scales, input_scale=scales)
    assert fit_layer(many).loss < FLOOR_SLOPE
    assert plain_copy(many)[0] * scales[:, None] == pytest.approx(plain_copy(one)[0] * 0.5)


def test_a_bent_response_needs_its_own_gain():
    problem = random_problem(3, 400, 6, 4)
    plain, copy, fit = copy_layer(problem, plain=True), copy_layer(problem), fit_layer(problem)
    assert fit.loss < copy.loss < plain.loss
    assert copy.method == plain.method == "copy"
    assert copy.bound_tag == "none"
    assert copy.lambda_ == np.inf


def test_the_plain_copy_is_loaded_as_it_is():
    problem = random_problem(3, 200, 6, 4, grid=WeightGrid(EIGHT_BITS))
    fit = copy_layer(problem, plain=True)
    weights, bias = plain_copy(problem)
    assert np.array_equal(fit.quantised_bias, bias)
    assert np.abs(fit.quantised_weights - weights).max() <= fit.scales.max() * 1.01 * 16
    assert fit.rounding_loss == fit.plain_rounding_loss


def test_too_few_rows_hold_the_weights_at_the_copy():
    problem = random_problem(2, 40, 12, 4, grid=WeightGrid(EIGHT_BITS))
    fit = fit_layer(problem)
    assert fit.method == "copy"
    assert "40 calibration rows for 12 inputs" in fit.warnings[0]
    assert np.array_equal(fit.weights, gain_copy(problem)[0])
    assert fit_layer(random_problem(2, 40, 12, 4, ridge=1.0)).method == "fit"


def test_lambda_is_stronger_where_the_rows_are_few():
    rng = np.random.default_rng(0)

    def fitted(rows):
        problem = random_problem(11, rows, 30, 6)
        noisy = np.clip(problem.activity + 0.15 * rng.normal(size=problem.activity.shape), 0, 1)
        fit = fit_layer(random_problem(11, rows, 30, 6, activity=noisy))
        return fit.lambda_ / rows

    assert fitted(150) > fitted(4000)


@pytest.mark.parametrize("objective", ["matching", "l2", "l1"])
@pytest.mark.parametrize("method", ["copy", "fit", "fit+gain", "iv"])
def test_the_same_seed_gives_the_same_bytes(objective, method):
    def fitted(seed):
        problem = random_problem(1, 200, 7, 5, objective=objective, grid=WeightGrid(FOUR_BITS, 2))
        analytic = problem.activity * 0.99
        return fit_layer(
            random_problem(
                1,
                200,
                7,
                5,
                objective=objective,
                grid=WeightGrid(FOUR_BITS, 2),
                analytic_activity=analytic,
                box=3.0 if objective == "l1" else None,
                holdout=np.arange(200) % 5 == seed,
            ),
            method,
        )

    one, two = fitted(0), fitted(0)
    for name in ("weights", "bias", "codes", "scales", "quantised_bias"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes()
    assert one.report() == two.report()


def test_instrumental_variables_keep_the_gain_that_noise_takes():
    """Least squares on noisy activity shrinks the weights; the ANN's activity as instrument does not."""
    rng = np.random.default_rng(0)
    true, weights = correlated_activity(rng, 4000, 8, own=0.15), rng.normal(size=(8, 6)) / 3
    noisy = np.clip(true + 0.2 * rng.normal(size=true.shape), 0.0, None)
    problem = exact_problem(activity=noisy, analytic_activity=true, preactivation=true / 0.5 @ weights + 0.6,
                            weights=weights, bias=np.full(6, 0.6), ridge=1e-3, objective="l2")  # fmt: skip
    plain = plain_copy(problem)[0]

    def gain(fit):
        return (fit.weights * plain).sum() / (plain**2).sum()

    assert gain(fit_layer(problem)) < 0.8
    assert gain(fit_layer(problem, "iv")) > gain(fit_layer(problem)) + 0.1
    assert fit_layer(problem, "iv").bound_tag == "none"


def test_a_descent_in_the_true_loss_helps_at_few_bits():
    from spikeloom.fit import refinement

    problem = random_problem(12, 800, 40, 16, grid=WeightGrid((-1, 1, 1)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(refinement, "REFINE_LIMIT", 0)
        without = fit_layer(problem)
    refined = fit_layer(problem)
    assert refined.bound <= refined.loss <= refined.quantised_loss < without.quantised_loss


def test_figures_are_those_of_the_arrays():
    problem = random_problem(13, 300, 8, 5, grid=WeightGrid(FOUR_BITS, 2))
    fit = fit_layer(problem)
    loss = make_loss(problem)
    unit = loss.spread.sum()

    def data(weights, bias):
        return loss.total(problem.activity @ weights + bias).sum() / unit

    prior, _ = gain_copy(problem)
    penalty = 0.5 * fit.lambda_ * ((fit.weights - prior) ** 2).sum() / unit
    assert fit.data_loss == pytest.approx(data(fit.weights, fit.bias))
    assert fit.loss == pytest.approx(fit.data_loss + penalty)
    assert fit.quantised_data_loss == pytest.approx(data(fit.codes * fit.scales, fit.quantised_bias))
    assert fit.gap == pytest.approx((fit.loss - fit.bound) / fit.loss)


def test_a_constant_output_has_loss_one():
    """The normaliser: weights of zero with the best bias cost what the best constant costs."""
    problem = random_problem(14, 300, 5, 4)
    for objective in ("matching", "l2"):
        loss = make_loss(random_problem(14, 300, 5, 4, objective=objective, activation="identity"))
        nothing = np.zeros_like(problem.target)
        bias = loss.best_bias(nothing, np.zeros(4))
        assert loss.total(nothing + bias) == pytest.approx(loss.spread, rel=FLOAT64)


@pytest.mark.slow
def test_a_large_layer_is_fitted_and_rounded_in_time():
    rng = np.random.default_rng(0)
    activity = np.where(rng.random((3200, 784)) < 0.5, 0.0, correlated_activity(rng, 3200, 784, own=0.05))
    weights = rng.normal(size=(784, 128)) / 14
    problem = random_problem(0, 3200, 784, 128, activity=activity, weights=weights, bias=np.zeros(128),
                             preactivation=activity @ weights, response=bent_response(), target_scale=0.3,
                             grid=WeightGrid(FOUR_BITS, 16))  # fmt: skip
    start = time.process_time()
    fit = fit_layer(problem)
    assert time.process_time() - start < REFERENCE_MACHINE
    assert fit.bound <= fit.loss < fit.quantised_loss < fit.plain_quantised_loss
    assert fit.gap < GAP


def test_plain_is_the_fit_at_its_nearest_codes():
    problem = random_problem(11, 300, 12, 5, grid=WeightGrid(FOUR_BITS))
    fit, plain = fit_layer(problem), fit_layer(problem, "plain")
    assert plain.method == "plain" and np.array_equal(plain.weights, fit.weights)
    assert plain.quantised_loss == pytest.approx(fit.plain_quantised_loss)
    assert fit.quantised_loss < plain.quantised_loss
