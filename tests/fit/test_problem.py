"""Is every wrong field of a problem refused by its name, and does a report hold plain values?"""

import json

import numpy as np
import pytest
from problems import EIGHT_BITS, random_problem
from spikeloom.errors import FitError
from spikeloom.fit.layer import copy_layer, fit_layer
from spikeloom.fit.problem import WeightGrid

GOOD = random_problem(0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"activity": GOOD.activity[:, 0]}, "activity must have two axes"),
        ({"activity": np.zeros((0, 6))}, "empty"),
        ({"activity": GOOD.activity[:50]}, "preactivation has the wrong shape"),
        ({"activity": -GOOD.activity - 0.1}, "activity is out of range"),
        ({"activity": np.where(GOOD.activity > 0.5, np.nan, GOOD.activity)}, "activity holds"),
        ({"activity": np.full(GOOD.activity.shape, "a")}, "activity is not an array of numbers"),
        ({"preactivation": np.full(GOOD.preactivation.shape, np.inf)}, "preactivation holds"),
        ({"weights": GOOD.weights[:3]}, "weights has the wrong shape"),
        ({"bias": np.zeros(9)}, "bias has the wrong shape"),
        ({"input_scale": np.ones(2)}, "input_scale has the wrong shape"),
        ({"input_scale": 0.0}, "input_scale must be positive"),
        ({"input_scale": np.full(6, -1.0)}, "input_scale must be positive"),
        ({"target_scale": float("nan")}, "target_scale"),
        ({"r_max": 0.0}, "r_max"),
        ({"ridge": -1.0}, "ridge"),
        ({"box": 0.0}, "box"),
        ({"activation": "tanh"}, "unknown activation"),
        ({"objective": "l7"}, "unknown objective"),
        ({"gain": "some"}, "unknown gain"),
        ({"analytic_activity": np.zeros((3, 3))}, "analytic_activity has the wrong shape"),
        ({"holdout": np.zeros(120)}, "holdout must be bool"),
        ({"holdout": np.ones(120, dtype=bool)}, "every row is held out"),
    ],
)
def test_a_wrong_field_is_named(changes, words):
    with pytest.raises(FitError, match=words) as caught:
        random_problem(0, **changes)
    assert str(caught.value).startswith("layer")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("levels", [(0, 0, 1), (1, 5, 1), (-4, 5, 2), (-4, 4, 0), (4, -4, 2)])
def test_levels_that_are_no_grid_are_refused(levels):
    with pytest.raises(FitError, match="levels"):
        WeightGrid(levels)


@pytest.mark.parametrize(
    "changes", [{"scale_groups": 0}, {"scale_min": 2.0, "scale_max": 1.0}, {"scale_min": -1.0}]
)
def test_scales_that_cannot_be_are_refused(changes):
    with pytest.raises(FitError, match="scale"):
        WeightGrid(EIGHT_BITS, **changes)


def test_methods_that_cannot_run_are_refused():
    with pytest.raises(FitError, match="unknown method"):
        fit_layer(GOOD, "newton")
    with pytest.raises(FitError, match="analytic_activity"):
        fit_layer(GOOD, "iv")


def test_targets_are_clipped_for_relu_and_not_for_identity():
    assert GOOD.target.min() == 0.0
    assert GOOD.target.max() == GOOD.r_max
    linear = random_problem(0, activation="identity")
    assert np.array_equal(linear.target, 0.8 * linear.preactivation)
    assert not (linear.silent | linear.saturated).any()


def test_a_fifth_of_the_rows_is_held_out_by_the_seed():
    assert GOOD.held_out.sum() == 24
    assert np.array_equal(GOOD.held_out, random_problem(0).held_out)
    given = np.arange(120) < 7
    assert np.array_equal(random_problem(0, holdout=given).held_out, given)


@pytest.mark.parametrize(
    "fit", [copy_layer(GOOD), fit_layer(random_problem(1, grid=WeightGrid(EIGHT_BITS, 2)))]
)
def test_the_report_is_plain_json(fit):
    again = json.loads(json.dumps(fit.report(), allow_nan=False))
    assert again["name"] == "layer"
    assert again["outputs"] == 4
