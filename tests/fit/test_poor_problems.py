"""Does a layer that its rows cannot carry say so, and is nothing made up where they say nothing?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from problems import random_problem
from spikeloom.errors import FitError
from spikeloom.fit import linear_program
from spikeloom.fit.layer import fit_layer
from spikeloom.fit.prior import gain_copy
from spikeloom.fit.problem import WeightGrid
from tolerances import FLOAT64

OBJECTIVES = ["matching", "l2", "l1", "linf"]


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_fewer_than_four_rows_an_input_keep_the_copy_with_a_warning(objective: Any) -> None:
    fit = fit_layer(random_problem(0, 30, 8, 3, objective=objective))
    assert (fit.method, fit.bound_tag) == ("copy", "none")
    assert fit.warnings[0].startswith("30 calibration rows for 8 inputs: the weights stay at the copy")
    assert fit_layer(random_problem(0, 32, 8, 3, objective=objective)).method == "fit"


@pytest.mark.parametrize("small", [0, linear_program.SMALL])
@pytest.mark.parametrize("level", [0.0, 0.5])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_an_input_that_never_changes_keeps_its_weights_and_is_named(
    objective: Any, level: float, small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear_program, "SMALL", small)
    activity = random_problem(0, 200, 8, 3).activity.copy()
    activity[:, 2] = level
    problem = random_problem(0, 200, 8, 3, objective=objective, activity=activity)
    fit, copy = fit_layer(problem), gain_copy(problem)[0]
    assert fit.method == "fit" and fit.bound <= fit.loss
    assert fit.weights[2] == pytest.approx(copy[2], rel=FLOAT64)
    assert np.abs(fit.weights - copy).max() > 0.01
    assert (fit.idle_inputs, fit.report()["idle_inputs"]) == (1, 1)
    assert "1 of 8 inputs never change on these rows: their weights stay at the copy" in fit.warnings


def test_a_few_of_many_inputs_that_never_change_are_counted() -> None:
    activity = random_problem(0, 200, 24, 2).activity.copy()
    activity[:, 5] = 0.0
    fit = fit_layer(random_problem(0, 200, 24, 2, activity=activity))
    assert fit.report()["idle_inputs"] == 1
    assert not any("never change" in text for text in fit.warnings)


def test_outputs_that_never_fire_are_a_warning() -> None:
    problem = random_problem(0, 200, 6, 3)
    wanted = problem.preactivation.copy()
    wanted[:, 1] = -5.0
    fit = fit_layer(random_problem(0, 200, 6, 3, preactivation=wanted))
    assert fit.dead == 1 and "1 output never fires" in fit.warnings


@pytest.mark.parametrize(
    "name", ["activity", "preactivation", "weights", "bias", "analytic_activity", "answer"]
)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused_by_the_name_of_their_array(name: str, value: float) -> None:
    good = random_problem(0)
    array = {"analytic_activity": good.activity, "answer": good.target}.get(name, getattr(good, name, None))
    assert array is not None
    broken = array.copy()
    broken.flat[3] = value
    with pytest.raises(FitError, match=f"layer: {name} holds values that are not finite"):
        random_problem(0, **{name: broken})


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ({"levels": (0, 0, 1)}, "levels must be"),
        ({"levels": (-3, 3, 1), "fan_in": 0}, "fan-in of at least 1"),
        ({"levels": (-3, 3, 1), "scale_groups": 0}, "at least one scale"),
        ({"levels": (-3, 3, 1), "scale_min": 2.0, "scale_max": 1.0}, "no scale between its limits"),
    ],
)
def test_grids_that_hold_nothing_are_refused(grid: dict[str, Any], words: str) -> None:
    with pytest.raises(FitError, match=f"weight grid.*{words}"):
        WeightGrid(**grid)
