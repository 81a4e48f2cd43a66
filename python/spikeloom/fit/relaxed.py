"""What rounding starts from and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from spikeloom.fit.integer import Quadratic
from spikeloom.fit.matching import Array, Loss
from spikeloom.fit.type_table import TypedCodes

Effort = Literal["plain", "copy", "gain", "fit"]


@dataclass(frozen=True, eq=False)
class Relaxed:
    """The continuous problem that rounding starts from.

    loss; activity (N, n); weights (n, m) and bias (m,) of the relaxed solution; prior (n, m) with penalty
    the lambda that the objective charges; model_ridge > 0, the lambda of the quadratic model; effort:
    "plain" stops at the nearest codes, "copy" tries few scales, "gain" all of them, "fit" also ends with a
    descent in the true loss
    """

    loss: Loss
    activity: Array
    weights: Array
    bias: Array
    prior: Array
    penalty: float
    model_ridge: float
    effort: Effort = "fit"

    def judge(self, weights: Array) -> tuple[Array, Array]:
        """True penalised loss (m,) of other weights, and their best bias (m,)."""
        current = self.activity @ weights
        bias = self.loss.best_bias(current, self.bias)
        penalty = 0.5 * self.penalty * ((weights - self.prior) ** 2).sum(axis=0)
        return self.loss.total(current + bias) + penalty, bias

    def model(self) -> Quadratic:
        centred = self.activity - self.activity.mean(axis=0)
        return Quadratic(self.loss.stiffness * (centred.T @ centred), self.model_ridge)


@dataclass(frozen=True, eq=False)
class Proof:
    """Cost and lower bound (m,) of the best codes in the quadratic model, lambda included, at the scales chosen."""

    cost: Array
    bound: Array


@dataclass(frozen=True, eq=False)
class Rounded:
    """codes (n, m), scales (m,), bias (m,); excess (m,) of error feedback, D'H D of the data alone; the
    same of plain
    rounding (nearest codes), with its true penalised loss (m,); typed: the codes by type of axon."""

    codes: Array
    scales: Array
    bias: Array
    excess: Array
    plain_codes: Array
    plain_scales: Array
    plain_excess: Array
    plain_loss: Array
    proof: Proof | None = None
    typed: TypedCodes | None = None
