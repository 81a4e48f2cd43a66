"""Is the response monotone, invertible, and dual to itself through G and G*?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from problems import bent_response
from spikeloom.errors import FitError
from spikeloom.fit.problem import Response
from spikeloom.fit.response import FLATTEST, STEEPEST
from tolerances import CONJUGATE, FLOAT64

steps = arrays(np.float64, st.integers(1, 12), elements=st.floats(0.01, 2.0))


@st.composite
def responses(draw: st.DrawFn) -> Response:
    dx = draw(steps)
    dy = draw(arrays(np.float64, dx.size, elements=st.floats(0.01, 2.0)))
    ends = draw(st.tuples(st.floats(0.01, 3.0), st.floats(0.01, 3.0)))
    currents, rates = np.cumsum(np.concatenate(([0.0], dx))), np.cumsum(np.concatenate(([0.0], dy)))
    return Response(currents - 1.0, rates - 0.5, *ends)


points = arrays(np.float64, 20, elements=st.floats(-5.0, 30.0))


@given(responses(), points)
def test_the_inverse_undoes_the_response(g, current):
    assert g.current(g.rate(current)) == pytest.approx(current, abs=1e3 * CONJUGATE)


@given(responses(), points, points)
def test_fenchel_young_holds_and_is_tight_on_the_curve(g, current, other):
    rho = g.rate(other)
    loss = g.integral(current) + g.conjugate(rho) - rho * current
    scale = np.abs(g.integral(current)) + np.abs(rho * current) + np.abs(g.conjugate(rho)) + 1.0
    assert (loss >= -CONJUGATE * scale).all()
    touching = g.integral(other) + g.conjugate(rho) - rho * other
    assert (
        np.abs(touching) <= 1e2 * CONJUGATE * (scale + np.abs(g.integral(other)) + np.abs(rho * other))
    ).all()


@given(responses(), points)
def test_the_integral_is_exact(g, current):
    """Two ends of a short interval against the rate in its middle, inside one segment."""
    left, right = np.minimum(current, current[::-1]), np.maximum(current, current[::-1])
    for a, b in zip(left, right, strict=True):
        knots = np.concatenate(([a], g.currents[(g.currents > a) & (g.currents < b)], [b]))
        area = np.sum(np.diff(knots) * (g.rate(knots)[1:] + g.rate(knots)[:-1]) / 2)
        assert g.integral(np.array([b]))[0] - g.integral(np.array([a]))[0] == pytest.approx(area, abs=FLOAT64)


@given(responses(), points)
def test_rate_and_slope_are_those_of_the_single_methods(g, current):
    rate, slope = g.rate_and_slope(current)
    assert np.array_equal(rate, g.rate(current))
    assert np.array_equal(slope, g.slope(current))
    assert slope.max() <= g.max_slope


@settings(deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 1.0), st.floats(0.2, 5.0))
def test_a_curve_through_noisy_pairs_is_strictly_increasing_and_not_too_steep(seed, r_max, slope):
    rng = np.random.default_rng(seed)
    current = rng.normal(0.2, 0.5, 600)
    rate = np.clip(slope * current + 0.05 * rng.normal(size=600), 0.0, r_max)
    g = Response.from_pairs(current, np.round(32 * rate) / 32, r_max)
    slopes = np.concatenate(([g.slope_below], np.diff(g.rates) / np.diff(g.currents), [g.slope_above]))
    assert (slopes > 0).all()
    assert slopes.max() <= STEEPEST / FLATTEST * slopes.min() * (1 + 1e-6)


def test_a_silent_target_asks_for_the_current_where_firing_begins():
    g = Response.from_pairs(np.linspace(-1, 1, 401), np.clip(np.linspace(-1, 1, 401) - 0.2, 0, 1), 0.8)
    assert g.current(np.zeros(1))[0] == pytest.approx(0.2, abs=2 / 32)  # one bin
    assert g.rate(np.array([-1.0]))[0] == pytest.approx(0.0, abs=0.01)
    assert g.rate(np.array([0.6]))[0] == pytest.approx(0.4, abs=0.01)


def test_the_curve_goes_on_at_its_slope_where_it_was_not_measured():
    g = Response.from_pairs(np.linspace(0.2, 0.5, 200), np.linspace(0.2, 0.5, 200), 1.0)
    assert g.rate(np.array([0.05, 0.9])) == pytest.approx([0.05, 0.9], abs=0.02)
    assert g.rate(np.array([3.0]))[0] == pytest.approx(1.0, abs=0.02)


def test_a_staircase_is_smoothed():
    current = np.linspace(0.01, 3, 3000)
    g = Response.from_pairs(current, 1 / np.ceil(1 / current), 1.0)
    assert g.max_slope < 20.0
    assert np.abs(g.rate(current) - 1 / np.ceil(1 / current)).mean() < 0.05


def test_the_identity_is_a_line_and_a_bent_curve_is_not():
    assert Response.linear().is_line
    assert not bent_response().is_line
    assert not Response.clipped(1.0).is_line


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Response(np.array([0.0, 0.0]), np.array([0.0, 1.0]), 1, 1), "strictly increasing"),
        (lambda: Response(np.array([0.0, 1.0]), np.array([0.0, np.nan]), 1, 1), "finite"),
        (lambda: Response(np.array([0.0]), np.array([0.0]), 1, 1), "two knots"),
        (lambda: Response(np.array([0.0, 1.0]), np.array([0.0, 1.0]), 0, 1), "positive slopes"),
        (lambda: Response.from_pairs([0.0], [0.0], 1.0), "two pairs"),
        (lambda: Response.from_pairs([0.0, 1.0], [0.0, np.inf], 1.0), "finite"),
        (lambda: Response.from_pairs([0.0, 1.0], [0.0, 1.0], 0.0), "r_max"),
        (lambda: Response.from_pairs([0.0, 1.0, 2.0], [0.0, 0.0, 0.0], 1.0), "do not rise"),
        (lambda: Response.from_pairs([0.5, 0.5, 0.5], [0.0, 0.2, 0.1], 1.0), "one current"),
    ],
)
def test_a_response_that_makes_no_sense_is_refused(make, words):
    with pytest.raises(FitError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)
