"""What a layer's fit is given: plain arrays, checked when they come in.

Units: currents and weights in threshold units (the threshold is 1), rates in spikes per tick. Matrices of
weights are (n presynaptic, m outputs); the input of output j in row i is I_ij = sum_k R_ik V_kj + c_j.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import FitError
from spikeloom.fit.layer_fit import BoundTag, LayerFit, LineSigns, Method, Objective, SampledBound
from spikeloom.fit.response import Response
from spikeloom.fit.type_table import TypedCodes, TypeTable
from spikeloom.fit.weight_grid import WeightGrid

__all__ = [
    "BoundTag", "LayerFit", "LayerProblem", "LineSigns", "Method", "Objective", "Response", "SampledBound",
    "TypeTable", "TypedCodes", "WeightGrid",
]  # fmt: skip

Array = NDArray[np.float64]
ACTIVE = 1e-9  # a target closer than this share of r_max to 0 or r_max is silent or saturated


@dataclass(frozen=True, eq=False)
class LayerProblem:
    """One layer's calibration problem. Everything is checked here; a FitError names the field.

    name: used in errors and reports
    activity: R (N, n), spikes per tick of the presynaptic lines as emulated, >= 0
    preactivation: Z (N, m) of the original ANN on the same rows
    activation: "relu" for a neuron that fires, "identity" for one that is read as accumulated current
    weights: W (n, m) of the ANN, acting on the presynaptic ANN activations; bias: (m,)
    input_scale: presynaptic rate = input_scale * ANN activation; a number, or (n,) one per line
    target_scale: wanted rate = target_scale * answer, clipped to [0, r_max]; target_scale * Z for "identity"
    response: the neuron's measured response g; Response.linear() for an output read as accumulated current
    r_max: the neuron's ceiling, spikes per tick (not used for "identity")
    grid: which weights exist
    objective: "matching", "l2", "l1" or "linf", the last three one-sided where the target is silent or saturated
    gain: "keep" adds cov(I_j, I*_j) = var(I*_j) on the active rows of each output
    analytic_activity: (N, n) the ANN's activations times input_scale; only the method "iv" needs it
    holdout: (N,) bool, rows on which lambda is chosen (one image's rows belong together); None: a fifth
    ridge: lambda, None: chosen on the held-out rows, then all are fitted; 0 only where every weight has two limits
    box: |V - V0| <= box, threshold units; None: none for "matching" and "l2", for "l1" and "linf" one is chosen on
        the held-out rows
    low, high: limits of the weights for "matching" and "l2", threshold units, a number or an array that broadcasts
        to (n, m); (n, 1) with a 0 on one side gives every presynaptic line a sign. Continuous weights only
    seed: draws held-out and sampled rows
    certify_s: seconds by the clock that an interior point method may take where the bound of "l1" or "linf" is too
        weak to say anything, see `interior_point`; 0: none
    answer: (N, m) wanted activation of each neuron, >= 0, any function of Z; None: max(Z, 0)
    spread: relative standard deviation of a weight from chip to chip; only the method "robust" uses it
    """

    name: str
    activity: Array
    preactivation: Array
    activation: Literal["relu", "identity"]
    weights: Array
    bias: Array
    input_scale: float | Array
    target_scale: float
    response: Response
    r_max: float
    grid: WeightGrid = field(default_factory=WeightGrid)
    objective: Objective = "matching"
    gain: Literal["keep", "free"] = "free"
    analytic_activity: Array | None = None
    holdout: NDArray[np.bool_] | None = None
    ridge: float | None = None
    box: float | None = None
    low: float | Array | None = None
    high: float | Array | None = None
    seed: int = 0
    answer: Array | None = None
    spread: float = 0.0
    certify_s: float = 60.0

    def __post_init__(self) -> None:
        rows, n, m = self._check_sizes()
        self._set("activity", (rows, n), low=0.0)
        self._set("preactivation", (rows, m))
        self._set("weights", (n, m))
        self._set("bias", (m,))
        if self.analytic_activity is not None:
            self._set("analytic_activity", (rows, n))
        if np.ndim(self.input_scale) != 0:
            self._set("input_scale", (n,))
        if self.answer is not None:
            self._set("answer", (rows, m), low=0.0)
        self._check_choices()
        self._check_limits()
        self._check_numbers()
        if self.grid.gains is not None and np.shape(self.grid.gains) != (n, m):
            raise FitError(
                self.name, "gains have the wrong shape", value=np.shape(self.grid.gains), limit=(n, m)
            )
        if self.holdout is not None:
            self._check_holdout(rows)

    @property
    def is_limited(self) -> bool:
        """Whether the weights of "matching" or "l2" have limits."""
        given = (self.low, self.high, self.box)
        return self.objective in ("matching", "l2") and any(limit is not None for limit in given)

    def limits(self, prior: Array) -> tuple[Array, Array]:
        """(n, m) lowest and highest weights around the prior V0; FitError where nothing lies between them."""
        low = np.broadcast_to(-np.inf if self.low is None else np.asarray(self.low), prior.shape)
        high = np.broadcast_to(np.inf if self.high is None else np.asarray(self.high), prior.shape)
        if self.box is not None:
            low, high = np.maximum(low, prior - self.box), np.minimum(high, prior + self.box)
        if (low > high).any():
            line, output = np.argwhere(low > high)[0].tolist()
            raise FitError(self.name, f"no weight lies within low, high and box at input {line}, output {output}",
                           value=(float(low[line, output]), float(high[line, output])),
                           remedy="use a larger box or wider limits")  # fmt: skip
        return low, high

    @property
    def n_rows(self) -> int:
        return int(self.activity.shape[0])

    @property
    def n_inputs(self) -> int:
        return int(self.activity.shape[1])

    @property
    def n_outputs(self) -> int:
        return int(self.weights.shape[1])

    @cached_property
    def target(self) -> Array:
        """Wanted rates (N, m): target_scale * answer, clipped to [0, r_max]; unclipped for "identity"."""
        if self.activation == "identity":
            return self.target_scale * self.preactivation
        answer = self.preactivation if self.answer is None else self.answer
        return np.clip(self.target_scale * answer, 0.0, self.r_max)

    @cached_property
    def target_current(self) -> Array:
        """Wanted currents I* = g^-1(target) (N, m)."""
        return self.response.current(self.target)

    @cached_property
    def silent(self) -> NDArray[np.bool_]:
        """Where nothing is wanted (N, m): any current up to I* will do."""
        if self.activation == "identity":
            return np.zeros(self.target.shape, dtype=np.bool_)
        return np.asarray(self.target <= ACTIVE * self.r_max)

    @cached_property
    def saturated(self) -> NDArray[np.bool_]:
        """Where the ceiling is wanted (N, m): any current from I* on will do."""
        if self.activation == "identity":
            return np.zeros(self.target.shape, dtype=np.bool_)
        return np.asarray(self.target >= (1.0 - ACTIVE) * self.r_max)

    @cached_property
    def held_out(self) -> NDArray[np.bool_]:
        """(N,) rows on which lambda is chosen: as given, else a fifth drawn by the seed."""
        if self.holdout is not None:
            return self.holdout
        rows = np.zeros(self.n_rows, dtype=np.bool_)
        order = np.random.default_rng(self.seed).permutation(self.n_rows)
        rows[order[: self.n_rows // 5]] = True
        return rows

    def _check_sizes(self) -> tuple[int, int, int]:
        for name in ("activity", "preactivation", "weights"):
            if np.ndim(getattr(self, name)) != 2:
                raise FitError(
                    self.name, f"{name} must have two axes", value=np.ndim(getattr(self, name)), limit=2
                )
        rows, n = np.shape(self.activity)
        m = np.shape(self.weights)[1]
        if min(rows, n, m) < 1:
            raise FitError(self.name, "activity and weights must not be empty", value=(rows, n, m))
        return rows, n, m

    def _set(self, name: str, shape: tuple[int, ...], low: float = -np.inf) -> None:
        """Freeze this field as a checked float64 array of this shape."""
        try:
            array = np.ascontiguousarray(getattr(self, name), dtype=np.float64)
        except (TypeError, ValueError):
            raise FitError(self.name, f"{name} is not an array of numbers") from None
        if array.shape != shape:
            raise FitError(self.name, f"{name} has the wrong shape", value=array.shape, limit=shape)
        if not np.isfinite(array).all():
            raise FitError(
                self.name,
                f"{name} holds values that are not finite",
                remedy="remove the rows with NaN or infinity",
            )
        if array.min() < low:
            raise FitError(self.name, f"{name} is out of range", value=float(array.min()), limit=low)
        object.__setattr__(self, name, array)

    def _check_choices(self) -> None:
        choices = {
            "activation": ("relu", "identity"),
            "objective": ("matching", "l2", "l1", "linf"),
            "gain": ("keep", "free"),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise FitError(self.name, f"unknown {name}", value=getattr(self, name), limit=allowed)

    def _check_limits(self) -> None:
        given = {name: getattr(self, name) for name in ("low", "high") if getattr(self, name) is not None}
        for name, limit in given.items():
            try:
                array = np.broadcast_to(np.asarray(limit, dtype=np.float64), (self.n_inputs, self.n_outputs))
            except (TypeError, ValueError):
                raise FitError(self.name, f"{name} does not broadcast to the weights", value=np.shape(limit),
                               limit=(self.n_inputs, self.n_outputs)) from None  # fmt: skip
            if np.isnan(array).any():
                raise FitError(self.name, f"{name} holds NaN", remedy="use infinity for no limit")
        reasons = {
            'has low or high with an objective that knows only a box ("l1", "linf")': bool(given)
            and not self.is_limited,
            'has limits of the weights and the gain "keep"': self.is_limited and self.gain == "keep",
            "has limits of the weights and a grid": self.is_limited and self.grid.levels is not None,
            "has limits of the weights and a fan-in": self.is_limited and self.grid.fan_in is not None,
            "has limits of the weights and one sign a line": self.is_limited and self.grid.one_sign,
            'has one sign a line and the gain "keep"': self.grid.one_sign and self.gain == "keep",
            'has one sign a line with an objective that knows none ("l1", "linf")': self.grid.one_sign
            and self.objective in ("l1", "linf"),
        }
        for reason, holds in reasons.items():
            if holds:
                raise FitError(self.name, reason, remedy="leave one of the two out")

    def _check_numbers(self) -> None:
        positive = {"target_scale": self.target_scale, "r_max": self.r_max}
        if self.box is not None:
            positive["box"] = self.box
        bounded = self.box is not None or (self.low is not None and self.high is not None)
        if self.ridge is not None and not (self.ridge == 0.0 and self.is_limited and bounded):
            positive["ridge"] = self.ridge
        if not (np.isfinite(self.spread) and self.spread >= 0.0):
            raise FitError(self.name, "spread must be a number of at least 0", value=self.spread)
        for name, value in positive.items():
            if not (np.isfinite(value) and value > 0):
                raise FitError(self.name, f"{name} must be a positive number", value=value)
        if not (np.isfinite(self.certify_s) and self.certify_s >= 0):
            raise FitError(self.name, "certify_s must be a number of seconds, or 0", value=self.certify_s)
        if not (np.isfinite(self.input_scale).all() and np.all(np.asarray(self.input_scale) > 0)):
            raise FitError(self.name, "input_scale must be positive", value=float(np.min(self.input_scale)))

    def _check_holdout(self, rows: int) -> None:
        holdout = np.array(self.holdout)
        if holdout.shape != (rows,) or holdout.dtype != np.bool_:
            raise FitError(
                self.name, "holdout must be bool, one value a row", value=holdout.shape, limit=(rows,)
            )
        if holdout.all():
            raise FitError(self.name, "every row is held out", remedy="leave rows to fit")
        object.__setattr__(self, "holdout", holdout)
