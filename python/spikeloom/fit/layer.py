"""One layer: a prior, the strength of its pull, the relaxed solution, the chip's grid, and the bound.

The idea of solving a trained network's synapses layer by layer for least error on data is Mern, Gadepally,
Kepner and others' (2017); here the activity is the emulated one and the loss matches the neuron's measured
response.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spikeloom.errors import FitError
from spikeloom.fit.absolute_error import AbsoluteLoss
from spikeloom.fit.bound import dual_bound
from spikeloom.fit.descent import minimise
from spikeloom.fit.fan_in import keep_inputs
from spikeloom.fit.figures import Solved, figures
from spikeloom.fit.interior_point import certified
from spikeloom.fit.largest_error import LargestLoss
from spikeloom.fit.least_squares import SquaredLoss, instrumental
from spikeloom.fit.limited import minimise_limited
from spikeloom.fit.linear_program import solve_layer
from spikeloom.fit.many_chips import check_spread, in_shares, out_of_shares
from spikeloom.fit.matching import Array, Loss, MatchingLoss
from spikeloom.fit.prior import active_equality, gain_copy, plain_copy
from spikeloom.fit.problem import BoundTag, LayerFit, LayerProblem, LineSigns, Method
from spikeloom.fit.relaxed import Effort, Relaxed
from spikeloom.fit.ridge import choose_ridge
from spikeloom.fit.rounding import round_layer
from spikeloom.fit.sign_model import clip_to_signs, signs_of
from spikeloom.fit.sign_search import by_energy
from spikeloom.fit.signed_fit import solve_signed
from spikeloom.fit.signs import round_signed

METHODS = ("copy", "fit", "fit+gain", "robust", "iv", "plain")
MODEL_RIDGE = 1e-2  # likewise, for rounding where there is no lambda
FEW_ROWS = 4  # rows per input below which a fit only learns noise
TIGHT = 2e-3  # certified gap of the final solution


def fit_layer(problem: LayerProblem, method: Method = "fit") -> LayerFit:
    """Solve a layer's synapses and put them on the chip's grid.

    method: "copy" keeps the weight copy (gain, offset and bias fitted), "fit" minimises the objective (with
    the gain equality where problem.gain is "keep"), "fit+gain" always adds it, "robust" also takes the expected loss
    over chips whose weights differ by problem.spread, see `many_chips`, "iv" uses instrumental
    variables, "plain" rounds what "fit" finds to the nearest codes and fits the bias again, for comparison. With
    fewer than FEW_ROWS rows an input, and no lambda given, "fit" falls back to the copy,
    with a warning. Raises FitError for an unknown method, or where the linear program cannot be solved.

    >>> from spikeloom.fit.response import Response
    >>> rng = np.random.default_rng(0)
    >>> rates, weights = rng.random((200, 3)), np.array([[1.0], [-0.5], [0.25]])
    >>> fit = fit_layer(LayerProblem(
    ...     name="fc1", activity=rates, preactivation=rates @ weights, activation="relu", weights=weights,
    ...     bias=np.zeros(1), input_scale=1.0, target_scale=0.5, response=Response.clipped(1.0), r_max=1.0))
    >>> bool(fit.bound <= fit.loss < 1e-3), fit.method
    (True, 'fit')
    """
    if method not in METHODS:
        raise FitError(problem.name, "unknown method", value=method, limit=METHODS)
    if (problem.is_limited or problem.grid.one_sign) and method in ("fit+gain", "robust", "iv"):
        raise FitError(problem.name, "weights with limits or signs are fitted by other methods", value=method,
                       limit=("copy", "fit"))  # fmt: skip
    loss = make_loss(problem)
    if method == "robust":
        return _robust(problem, loss)
    if method == "iv":
        solved = _instrumental(problem)
    elif method == "copy" or _too_few_rows(problem):
        solved = _copied(problem, loss)
    else:
        keep_gain = method == "fit+gain" or problem.gain == "keep"
        solve = _linear_program if problem.objective in ("l1", "linf") else _fitted
        solved = solve(problem, loss, keep_gain=keep_gain)
    return _finished(problem, loss, replace(solved, method="plain") if method == "plain" else solved)


def copy_layer(problem: LayerProblem, *, plain: bool = False) -> LayerFit:
    """The weight copy on the chip's grid, the candidate that is always there.

    plain: neither gain, offset nor bias are fitted to the response (V = W target_scale / input_scale,
    c = b target_scale): what a converter without a fit would load.
    """
    loss = make_loss(problem)
    if not plain:
        return _finished(problem, loss, _copied(problem, loss))
    weights, bias = plain_copy(problem)
    if problem.grid.one_sign:
        weights = clip_to_signs(weights, by_energy(weights))
    return _finished(problem, loss, Solved(weights, bias, weights, np.inf, 0.0, "none", "copy"), plain=True)


def given_layer(problem: LayerProblem, weights: Array, bias: Array) -> LayerFit:
    """Weights (n, m) and bias (m,) from elsewhere, with the figures of this problem. They minimise no part of it.

    Raises FitError where the chip has one sign a line: weights from elsewhere know nothing of that.
    """
    if problem.grid.one_sign:
        raise FitError(problem.name, "weights from elsewhere have no sign for each line")
    return _finished(problem, make_loss(problem), Solved(weights, bias, weights, np.inf, 0.0, "none", "taught"),
                     plain=True)  # fmt: skip


def make_loss(problem: LayerProblem) -> Loss:
    """The objective of the problem as a loss of currents."""
    one_sided = (problem.target_current, problem.silent, problem.saturated)
    if problem.objective == "l1":
        return AbsoluteLoss(*one_sided)
    if problem.objective == "linf":
        return LargestLoss(*one_sided)
    if problem.objective == "l2" or problem.response.is_line:
        return SquaredLoss(*one_sided)
    return MatchingLoss(problem.response, problem.target)


def _copied(problem: LayerProblem, loss: Loss) -> Solved:
    """The copy with gain and offset, its bias fitted to the emulated activity. It minimises nothing: no bound.

    It warns where the rows are too few for anything better.
    """
    prior, bias = gain_copy(problem)
    if problem.is_limited:
        prior = np.clip(prior, *problem.limits(prior))
    signs = by_energy(prior) if problem.grid.one_sign else None
    if signs is not None:
        prior = clip_to_signs(prior, signs)
    current = problem.activity @ prior
    bias = loss.best_bias(current, bias)
    kept = signs if signs is None else LineSigns(signs, float(loss.total(current + bias).sum()), 0, False)
    copied = Solved(prior, bias, prior, np.inf, 0.0, "none", "copy", signs=kept)
    return replace(copied, warnings=(_few_rows_warning(problem),)) if _too_few_rows(problem) else copied


def _fitted(problem: LayerProblem, loss: Loss, *, keep_gain: bool) -> Solved:
    prior, _ = gain_copy(problem)
    ridge = problem.ridge
    if ridge is None:
        ridge = choose_ridge(problem, loss, prior, keep_gain=keep_gain)
    if problem.is_limited:
        return _limited(problem, loss, prior, ridge)
    if problem.grid.one_sign:
        return solve_signed(loss, problem.activity, prior, ridge, TIGHT)
    equality = active_equality(problem) if keep_gain else None
    found = minimise(loss, problem.activity, prior, ridge, equality=equality, tolerance=TIGHT)
    # The certificate is made again from the weights that are handed back, not from the solver's own basis.
    slope = loss.slope(problem.activity @ found.weights + found.bias)
    bound = float(dual_bound(loss, problem.activity, prior, slope, ridge=ridge, equality=equality).sum())
    tag: BoundTag = "exact" if isinstance(loss, SquaredLoss) and loss.is_quadratic else "dual"
    return Solved(found.weights, found.bias, prior, ridge, bound, tag, "fit+gain" if keep_gain else "fit")


def _robust(problem: LayerProblem, loss: Loss) -> LayerFit:
    """For many chips; lambda is chosen as for one."""
    check_spread(problem)
    if _too_few_rows(problem):
        return fit_layer(problem, "fit+gain")
    prior, _ = gain_copy(problem)
    ridge = problem.ridge or choose_ridge(problem, loss, prior, keep_gain=True)
    changed, shares = in_shares(problem, loss, ridge)
    return out_of_shares(fit_layer(changed, "fit+gain"), problem, loss, prior, shares)


def _limited(problem: LayerProblem, loss: Loss, prior: Array, ridge: float) -> Solved:
    """Between limits; certified again from the problem's own rows, as without."""
    limits = problem.limits(prior)
    found = minimise_limited(loss, problem.activity, prior, ridge, *limits)
    slope = loss.slope(problem.activity @ found.weights + found.bias)
    bound = float(dual_bound(loss, problem.activity, prior, slope, ridge=ridge, limits=limits).sum())
    return Solved(found.weights, found.bias, prior, ridge, bound, "dual", "fit")


def _instrumental(problem: LayerProblem) -> Solved:
    if problem.analytic_activity is None:
        raise FitError(problem.name, 'the method "iv" needs analytic_activity')
    loss = SquaredLoss(problem.target_current, problem.silent, problem.saturated)
    prior, _ = gain_copy(problem)
    ridge = problem.ridge or choose_ridge(problem, loss, prior, keep_gain=False)
    weights, bias = instrumental(loss, problem.activity, problem.analytic_activity, prior, ridge)
    return Solved(weights, bias, prior, ridge, 0.0, "none", "iv")


def _linear_program(problem: LayerProblem, loss: Loss, *, keep_gain: bool) -> Solved:
    assert isinstance(loss, AbsoluteLoss | LargestLoss)
    prior, _ = gain_copy(problem)
    equality = active_equality(problem) if keep_gain else None
    found = solve_layer(problem, loss, prior, equality)
    bias = loss.best_bias(problem.activity @ found.weights, np.zeros(problem.n_outputs))
    bound = dual_bound(
        loss,
        problem.activity,
        prior,
        found.multiplier,
        box=found.box,
        lagrange=found.lagrange,
        equality=equality,
    )
    method: Method = "fit+gain" if keep_gain else "fit"
    current = problem.activity @ found.weights + bias
    sampled = certified(problem, loss, prior, found.box, equality, current, bound)
    tag: BoundTag = "dual" if sampled is None else "sampled"
    return Solved(found.weights, bias, prior, 0.0, float(bound.sum()), tag, method, sampled=sampled)


def _too_few_rows(problem: LayerProblem) -> bool:
    given = problem.box if problem.objective in ("l1", "linf") else problem.ridge
    return given is None and problem.n_rows < FEW_ROWS * problem.n_inputs


def _few_rows_warning(problem: LayerProblem) -> str:
    return (
        f"{problem.n_rows} calibration rows for {problem.n_inputs} inputs: the weights stay at the copy "
        f"(a fit needs {FEW_ROWS * problem.n_inputs}, without those that judge)"
    )


def _within_fan_in(most: int, solved: Solved, relaxed: Relaxed) -> tuple[Solved, Relaxed]:
    """The solution with as many inputs an output as the chip allows; its bound is that of all inputs."""
    weights = keep_inputs(relaxed.model().matrix, solved.weights, most)
    _, bias = relaxed.judge(weights)
    tag: BoundTag = "none" if solved.tag == "none" else "relaxed"
    return replace(solved, weights=weights, bias=bias, tag=tag), replace(relaxed, weights=weights, bias=bias)


def _finished(problem: LayerProblem, loss: Loss, solved: Solved, *, plain: bool = False) -> LayerFit:
    """Round the solution and put all figures together."""
    held = not np.isfinite(solved.ridge)
    penalty = 0.0 if held else solved.ridge
    usual = MODEL_RIDGE * float((problem.activity**2).mean()) * problem.n_rows * loss.stiffness
    model_ridge = max(penalty, usual if penalty == 0.0 else 0.0, 1e-12)
    # A copy has no lambda; on the grid it is still pulled to the copy, or few rows would be overfitted.
    # A gain equality would not survive a descent in the true loss, which pulls the gain down again.
    plainly = plain or solved.method == "plain"
    effort: Effort = "plain" if plainly else "fit" if solved.method == "fit" else "copy" if held else "gain"
    relaxed = Relaxed(
        loss,
        problem.activity,
        solved.weights,
        solved.bias,
        solved.prior,
        model_ridge if held else penalty,
        model_ridge,
        effort,
    )
    if problem.grid.fan_in is not None and problem.grid.fan_in < problem.n_inputs:
        solved, relaxed = _within_fan_in(problem.grid.fan_in, solved, relaxed)
    if problem.grid.one_sign:
        rounded = round_signed(relaxed, problem.grid, signs_of(solved.weights))
    else:
        rounded = round_layer(relaxed, problem.grid)
    codes, scales, bias = rounded.codes, rounded.scales, solved.bias if plain else rounded.bias
    found = figures(problem, loss, solved, penalty, rounded, (codes * problem.grid.worth(scales), bias))
    if problem.grid.levels is not None:
        codes = np.rint(codes).astype(np.int32)
    return LayerFit(
        name=problem.name,
        kept=np.arange(problem.n_outputs),
        weights=solved.weights,
        bias=solved.bias,
        codes=codes,
        scales=scales,
        quantised_bias=bias,
        method=solved.method,
        objective=problem.objective,
        bound_tag=solved.tag,
        lambda_=solved.ridge,
        typed=rounded.typed,
        gains=problem.grid.gains,
        **found,
    )
