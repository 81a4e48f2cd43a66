"""A lower bound of a layer's loss, from the problem's data alone.

Fenchel duality: for every multiplier y (N, m) at which the conjugate of the loss is finite and whose
columns add up to zero (the bias is free),

    sum_i ell(I_i) + lambda/2 |V - V0|^2  >=  - sum_i ell*(y_i) + min over V of <R'y, V> + lambda/2 |V -
    V0|^2,

and the inner minimum is separable and in closed form. Any y is valid; the derivative of the loss near the
optimum is a good one. No solver's word is taken: wrong weights give a poorer bound, never a false one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikeloom.fit.matching import Array, Loss

ALLOWANCE = 1e-9  # share of the added absolute terms by which a bound is lowered, for float64 rounding


@dataclass(frozen=True, eq=False)
class GainEquality:
    """One linear equality an output: <direction_j, V_j> = value_j.

    direction (n, m) is R'rows, the columns of rows (N, m) add up to 0, value is (m,). A direction of zeros
    means no equality for that output.
    """

    rows: Array
    direction: Array
    value: Array


def balanced(multiplier: Array) -> Array:
    """Shrink the positive or the negative entries of each column until it adds up to zero (signs stay)."""
    up = np.maximum(multiplier, 0.0).sum(axis=0)
    down = np.maximum(-multiplier, 0.0).sum(axis=0)
    level = np.minimum(up, down)
    shrink_up = np.divide(level, up, out=np.zeros_like(up), where=up > 0)
    shrink_down = np.divide(level, down, out=np.zeros_like(down), where=down > 0)
    shrunk: Array = np.where(multiplier > 0, multiplier * shrink_up, multiplier * shrink_down)
    return shrunk


def dual_bound(
    loss: Loss,
    activity: Array,
    prior: Array,
    multiplier: Array,
    *,
    ridge: float = 0.0,
    box: Array | float = 0.0,
    limits: tuple[Array, Array] | None = None,
    equality: GainEquality | None = None,
    lagrange: Array | None = None,
) -> Array:
    """(m,) lower bounds of sum ell(RV + c) + ridge/2 |V - V0|^2 over V and c, in the loss' own units.

    ridge > 0: the quadratic prior; it may be inf, which holds V at V0 and leaves the bias alone free.
    ridge = 0: the box |V - V0| <= box instead, a number or (m,).
    limits: low <= V <= high, both (n, m), beside the prior or, where all are finite, instead of it; no equality then.
    equality: adds a term lagrange * (value - <direction, V>) with any lagrange (m,); None: the best one for
    the quadratic prior, in closed form (0 with a box).
    """
    y = balanced(loss.feasible(multiplier))
    conjugate, terms = loss.conjugate(y)
    pull = activity.T @ y
    if limits is not None:
        size = np.multiply.outer(np.linalg.norm(activity, axis=0), np.linalg.norm(y, axis=0))
        return _limited_bound(-conjugate, terms, pull, size, prior, ridge, limits)
    terms = terms + (np.abs(prior) * (activity.T @ np.abs(y))).sum(axis=0)
    value = -conjugate
    if equality is not None:
        if lagrange is None:
            lagrange = _best_lagrange(equality, prior, pull, ridge)
        pull = pull - lagrange * equality.direction
        value = value + lagrange * equality.value
        terms = terms + np.abs(lagrange) * (
            np.abs(equality.value) + np.abs(equality.direction * prior).sum(axis=0)
        )
    value = value + (pull * prior).sum(axis=0)
    slack = (pull**2).sum(axis=0) / (2.0 * ridge) if ridge > 0 else box * np.abs(pull).sum(axis=0)
    return np.asarray(value - slack - ALLOWANCE * (terms + slack))


def _limited_bound(
    value: Array,
    terms: Array,
    pull: Array,
    size: Array,
    prior: Array,
    ridge: float,
    limits: tuple[Array, Array],
) -> Array:
    """The inner minimum with every weight at its own best place between its limits; size: (n, m) at least the sums
    of absolute terms in `pull`.
    """
    low, high = limits
    ends = np.where(pull > 0, low, high)
    best = np.clip(prior - pull / ridge, low, high) if ridge > 0 else ends
    penalty = 0.5 * ridge * ((best - prior) ** 2).sum(axis=0)
    terms = terms + (np.abs(best) * size).sum(axis=0) + penalty
    return np.asarray(value + (pull * best).sum(axis=0) + penalty - ALLOWANCE * terms)


def _best_lagrange(equality: GainEquality, prior: Array, pull: Array, ridge: float) -> Array:
    """(m,) where the bound, a concave parabola in the multiplier of the equality, is highest."""
    norm = (equality.direction**2).sum(axis=0)
    if not 0.0 < ridge < np.inf:
        return np.zeros_like(norm)
    missing = equality.value - (equality.direction * prior).sum(axis=0)
    top = ridge * missing + (equality.direction * pull).sum(axis=0)
    return np.asarray(np.divide(top, norm, out=np.zeros_like(norm), where=norm > 0))
