"""What a layer's fit gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spikeloom.fit.type_table import TypedCodes

Array = NDArray[np.float64]
Objective = Literal["matching", "l2", "l1", "linf"]
Method = Literal["copy", "fit", "fit+gain", "robust", "iv", "taught", "plain"]
BoundTag = Literal["exact", "dual", "relaxed", "surrogate", "sampled", "none"]


@dataclass(frozen=True, eq=False)
class LineSigns:
    """The signs of the presynaptic lines, where a chip has one for all that a line sends.

    signs: (n,) 1 or -1. majority_loss: `loss` with the signs that have most energy in the weight copy, and the best
    weights for them (a copy's own). flipped: lines whose sign is another one. proven: no signs at all are better by
    more than 0.1 %
    """

    signs: NDArray[np.int8]
    majority_loss: float
    flipped: int
    proven: bool

    def report(self) -> dict[str, object]:
        """Plain JSON values."""
        return {"negative": int((self.signs < 0).sum()), "flipped": self.flipped, "proven": self.proven,
                "majority_loss": self.majority_loss}  # fmt: skip


@dataclass(frozen=True, eq=False)
class SampledBound:
    """What an interior point method proves of some outputs, where the bound of the whole layer says nothing.

    outputs: (k,) their indices; loss, bound: of these alone; layer_bound: of the whole layer, all in units of
    `LayerFit.loss`
    """

    outputs: NDArray[np.intp]
    loss: float
    bound: float
    layer_bound: float

    @property
    def gap(self) -> float:
        """(loss - bound) / loss of these outputs."""
        return (self.loss - self.bound) / self.loss if self.loss > 1e-12 else 0.0

    def report(self) -> dict[str, object]:
        """Plain JSON values."""
        return {"outputs": self.outputs.tolist(), "loss": self.loss, "bound": self.bound,
                "layer_bound": self.layer_bound}  # fmt: skip


@dataclass(frozen=True, eq=False)
class LayerFit:
    """A layer's synapses before and on the chip's grid, with what was lost at each step.

    Losses are divided by the loss of the best constant output (the variance of the target, in the
    objective's own measure): 0 is perfect, 1 is no better than a constant. `loss`, `bound` and
    `quantised_loss` are the penalised objective; `data_loss` and `quantised_data_loss` leave the penalty
    out. `bound` is a lower bound of the relaxed (continuous) problem at this lambda, scale and activity, so
    of the problem on the grid as well; on the grid read it as "relaxed". It says nothing about held-out
    rows or the network's output.

    name; kept: (units,) indices of the ANN's nodes (channels of a convolution) that were kept; a node that has k
    neurons has k columns in the arrays below, side by side
    weights: (n, m) relaxed V and bias: (m,) c, threshold units
    codes: (n, m) int32 on the grid (float64 where weights are continuous); scales: (m,) threshold units per
    code
    quantised_bias: (m,) c fitted again for codes * scales
    method: "copy", "fit", "fit+gain", "robust" (for many chips), "iv", "taught" (together with the other layers) or
    "plain" (nearest codes)
    objective: "matching", "l2", "l1" or "linf"
    gap: (loss - bound) / loss; inf where there is no bound (bound_tag "none", bound 0). With bound_tag "sampled" it
    is that of the outputs in `sampled` alone, and `bound` says the same of the whole layer, which is not proven
    rounding_loss: excess over the relaxed optimum of error-feedback rounding, in the quadratic model with H
    plain_rounding_loss: the same for the nearest code at the best of 17 scales per output, bias fitted again
    plain_quantised_loss: like quantised_loss, for plain rounding
    lambda_: strength of the pull to the weight copy; inf where the weights are held at the copy
    dead, saturated: outputs that never fire, or are at r_max in more than half of the rows, by g on
    calibration
    rounding_gap: share of the rounding cost, in the quadratic model with lambda, that other codes at the same
    scales could save at most; 0 is proven best, inf where exact decoding was not tried (many inputs)
    proven_codes: outputs whose codes are proven best in that sense, before the last descent in the true loss
    typed: `codes` as weights by the type of an axon, where the chip has these
    gains: (n, m) of the synapses, where one chip's were given: code k is worth k * scale * gain
    signs: of the lines, where each has one, and they were fitted
    sampled: what is proven of some outputs, where the linear programs' own bound is too weak
    idle_inputs: that never change on these rows, so that their weights stay at the copy
    gain_deviation: largest |cov(I, I*) / var(I*) - 1| over outputs after rounding (0 where nothing is active)
    """

    name: str
    kept: NDArray[np.intp]
    weights: Array
    bias: Array
    codes: NDArray[np.int32] | Array
    scales: Array
    quantised_bias: Array
    method: Method
    objective: Objective
    loss: float
    bound: float
    bound_tag: BoundTag
    gap: float
    data_loss: float
    quantised_loss: float
    quantised_data_loss: float
    rounding_loss: float
    plain_rounding_loss: float
    plain_quantised_loss: float
    lambda_: float
    dead: int
    saturated: int
    gain_deviation: float
    warnings: tuple[str, ...] = ()
    rounding_gap: float = float("inf")
    proven_codes: int = 0
    typed: TypedCodes | None = None
    gains: Array | None = None
    signs: LineSigns | None = None
    sampled: SampledBound | None = None
    idle_inputs: int = 0

    @property
    def neurons_per_node(self) -> int:
        """Columns of the arrays that a kept node has."""
        return int(self.scales.size // self.kept.size)

    @property
    def quantised_weights(self) -> Array:
        """(n, m) codes * scales, with the gains where there are any, threshold units."""
        worth = self.codes * self.scales
        return worth if self.gains is None else worth * self.gains

    def report(self) -> dict[str, object]:
        """The figures as plain JSON values (no arrays; None for what is infinite)."""
        names = (
            "name",
            "method",
            "objective",
            "loss",
            "bound",
            "bound_tag",
            "gap",
            "data_loss",
            "quantised_loss",
            "quantised_data_loss",
            "rounding_loss",
            "plain_rounding_loss",
            "plain_quantised_loss",
            "dead",
            "saturated",
            "gain_deviation",
            "proven_codes",
            "idle_inputs",
        )
        report: dict[str, object] = {name: getattr(self, name) for name in names}
        report["lambda"] = self.lambda_ if np.isfinite(self.lambda_) else None
        report["rounding_gap"] = self.rounding_gap if np.isfinite(self.rounding_gap) else None
        report["gap"] = self.gap if np.isfinite(self.gap) else None
        if self.signs is not None:
            report["signs"] = self.signs.report()
        if self.sampled is not None:
            report["sampled"] = self.sampled.report()
        report["outputs"], report["warnings"] = int(self.scales.size), list(self.warnings)
        return report
