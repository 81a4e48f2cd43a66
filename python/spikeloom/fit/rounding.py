"""A layer's relaxed weights onto the chip's grid: which scales, which codes, and what that cost.

Candidates are made in the quadratic model and compared in the true loss, the bias fitted again each time.
"""

from __future__ import annotations

import numpy as np

from spikeloom.fit.integer import (
    BEAM,
    Levels,
    Quadratic,
    Rounder,
    cluster_scales,
    cost_at,
    full_range_scale,
    nearby,
    nearest,
    pick,
    round_at,
)
from spikeloom.fit.lattice import EXACT, NODES, Lattice
from spikeloom.fit.matching import Array
from spikeloom.fit.problem import WeightGrid
from spikeloom.fit.refinement import refine
from spikeloom.fit.relaxed import Proof, Relaxed, Rounded
from spikeloom.fit.type_refinement import refine_types
from spikeloom.fit.type_table import TypeTable, plain_codes, typed_codes

PLAIN_FACTORS = np.geomspace(
    0.25, 1.1, 17
)  # of the scale that clips nothing: a few bits are best clipped hard
FIT_FACTORS = np.geomspace(0.6, 1.2, 8)  # of the best scale of plain rounding
COPY_FACTORS = np.array(
    [0.85, 1.0]
)  # likewise, for the weight copy, which a flow makes at many target scales
SCALES_TRIED = 3  # shared scales, or best of its own, tried with more effort for each output
LAYER_NODES = 200_000_000  # that exact decoding may visit for a layer: some ten seconds
NARROWEST = 8  # a beam narrower than this is not worth its time
TYPE_STARTS = 16  # beginnings of a search for types of axons and weights
WORTH_REFINING = 1e-2  # share of the relaxed loss that rounding must have added


def round_layer(relaxed: Relaxed, grid: WeightGrid) -> Rounded:
    """The layer on the grid. With continuous weights the codes are the weights themselves, less their gains."""
    if grid.levels is None:
        loss, bias = relaxed.judge(relaxed.weights)
        none = np.zeros_like(loss)
        one, codes = np.ones_like(loss), grid.without_gains(relaxed.weights)
        return Rounded(codes, one, bias, none, codes, one, none, loss)
    if grid.type_table is not None:
        return _round_by_type(relaxed, grid.type_table)
    search = _Search(relaxed, relaxed.model(), grid, grid.levels)
    plain_excess, plain_scales, plain_codes = search.plain()
    plain_loss, plain_bias = relaxed.judge(plain_codes * grid.worth(plain_scales))
    if relaxed.effort == "plain":
        return Rounded(
            plain_codes,
            plain_scales,
            plain_bias,
            plain_excess,
            plain_codes,
            plain_scales,
            plain_excess,
            plain_loss,
        )
    excess, codes, scales, loss, bias = search.fitted(search.free_plain_scales)
    if relaxed.effort == "fit":
        start = relaxed.judge(relaxed.weights)[0].sum()
        if loss.sum() - start > WORTH_REFINING * start:
            worth = grid.worth(scales)
            codes, bias = refine(relaxed, codes, worth, loss, bias, grid.levels, sparse=search.sparse)
    return Rounded(
        codes, scales, bias, excess, plain_codes, plain_scales, plain_excess, plain_loss, search.proof
    )


def _round_by_type(relaxed: Relaxed, table: TypeTable) -> Rounded:
    """The layer as subset sums, see `type_table`; its scales are given."""
    model = relaxed.model()
    plain = plain_codes(table, relaxed.weights)
    plain_weights = plain.sums * table.steps
    plain_excess = model.excess(plain_weights - relaxed.weights)
    plain_loss, plain_bias = relaxed.judge(plain_weights)
    chosen, bias = plain, plain_bias
    if relaxed.effort != "plain":
        starts = TYPE_STARTS if relaxed.effort != "copy" else 1
        chosen = typed_codes(table, model.matrix, relaxed.weights, starts=starts)
        if relaxed.effort == "fit":
            chosen = refine_types(relaxed, table, chosen)
        _, bias = relaxed.judge(chosen.sums * table.steps)
    excess = model.excess(chosen.sums * table.steps - relaxed.weights)
    return Rounded(
        chosen.sums.astype(np.float64), table.steps, bias, excess, plain.sums.astype(np.float64), table.steps,
        plain_excess, plain_loss, typed=chosen,
    )  # fmt: skip


class _Search:
    """The scales of one layer, under the limits of its grid."""

    def __init__(self, relaxed: Relaxed, model: Quadratic, grid: WeightGrid, levels: Levels) -> None:
        self.relaxed, self.model, self.grid, self.levels = relaxed, model, grid, levels
        self.outputs = relaxed.weights.shape[1]
        self.shared = grid.scale_groups is not None and grid.scale_groups < self.outputs
        self.sparse = grid.fan_in is not None and grid.fan_in < len(relaxed.weights)
        self.free_plain_scales = np.ones(self.outputs)
        self.proof: Proof | None = None

    def plain(self) -> tuple[Array, Array, Array]:
        """Excess (m,), scales (m,) and codes of the nearest codes at their own best scales."""
        full = full_range_scale(self.grid.without_gains(self.relaxed.weights), self.levels)
        costs, scales, codes = self._round(self._nearest, self._limited(PLAIN_FACTORS[:, None] * full))
        best = pick(costs, scales, codes)
        self.free_plain_scales = best[1]
        if self.shared:
            best = pick(*self._round(self._nearest, self._centres(costs, scales)))
        excess = self.model.excess(best[2] * self.grid.worth(best[1]) - self.relaxed.weights)
        return excess, best[1], best[2]

    def fitted(self, around: Array) -> tuple[Array, Array, Array, Array, Array]:
        """Excess of the best by the model; then codes, scales, loss and bias of the best by the true loss."""
        factors = COPY_FACTORS if self.relaxed.effort == "copy" else FIT_FACTORS
        costs, scales, codes = self._round(self._feedback, self._limited(factors[:, None] * around))
        if self.shared:
            costs, scales, codes = self._round(self._feedback, self._centres(costs, scales))
        searched = self.relaxed.effort != "copy" and not self.sparse
        if searched and len(self.relaxed.weights) <= BEAM // NARROWEST:
            rank = np.argsort(costs, axis=0, kind="stable")[:SCALES_TRIED]
            more = self._round(self._beam, np.take_along_axis(scales, rank, axis=0))
            costs, scales, codes = (
                np.concatenate(pair) for pair in zip((costs, scales, codes), more, strict=True)
            )
        if searched and len(self.relaxed.weights) <= EXACT:
            costs, scales, codes = self._with_exact(costs, scales, codes)
        _, used, best_codes = pick(costs, scales, codes)
        worth = self.grid.worth(used)
        excess = self.model.excess(best_codes * worth - self.relaxed.weights)
        if self.relaxed.effort == "copy":
            loss, bias = self.relaxed.judge(best_codes * worth)
            return excess, best_codes, used, loss, bias
        # Plain rounding at a scale that is in use anyway is a candidate as well.
        scales = np.concatenate((scales, used[None, :]))
        codes = np.concatenate((codes, self._nearest(self.relaxed.weights, worth)[None]))
        judged = [self.relaxed.judge(c * self.grid.worth(s)) for c, s in zip(codes, scales, strict=True)]
        losses, biases = np.stack([loss for loss, _ in judged]), np.stack([bias for _, bias in judged])
        best = np.argmin(losses, axis=0)
        loss, chosen, chosen_codes = pick(losses, scales, codes)
        return excess, chosen_codes, chosen, loss, biases[best, np.arange(self.outputs)]

    def _with_exact(self, costs: Array, scales: Array, codes: Array) -> tuple[Array, Array, Array]:
        """The roundings with, before them, the best codes there are at the most promising scales."""
        rank = np.argsort(costs, axis=0, kind="stable")[:SCALES_TRIED]
        outputs, lattice = np.arange(self.outputs), Lattice(self.model.matrix)
        nodes = int(min(NODES, LAYER_NODES // (len(rank) * self.outputs)))
        found = [
            lattice.decode(
                self.relaxed.weights,
                self.grid.worth(scales[row, outputs]),
                self.levels,
                codes[row, :, outputs].T,
                nodes=nodes,
            )  # fmt: skip
            for row in rank
        ]
        exact = np.stack([one.cost for one in found])
        best = np.argmin(exact, axis=0)
        bounds = np.stack([one.bound for one in found])
        self.proof = Proof(exact[best, outputs], bounds[best, outputs])
        return (
            np.concatenate((exact, costs)),
            np.concatenate((np.take_along_axis(scales, rank, axis=0), scales)),
            np.concatenate((np.stack([one.codes for one in found]), codes)),
        )

    def _nearest(self, weights: Array, scales: Array) -> Array:
        return nearest(weights, scales, self.levels)

    def _feedback(self, weights: Array, scales: Array) -> Array:
        sweeps = 1 if self.relaxed.effort == "copy" else 8
        if self.sparse:
            return self.model.sparse_descent(weights, scales, self.levels, 8)
        return self.model.feedback_and_descent(weights, scales, self.levels, sweeps)

    def _beam(self, weights: Array, scales: Array) -> Array:
        return self.model.beam_and_descent(weights, scales, self.levels, 8)

    def _round(self, rounder: Rounder, scales: Array) -> tuple[Array, Array, Array]:
        weights, gains = self.relaxed.weights, self.grid.gains
        codes = round_at(rounder, weights, scales, gains)
        return cost_at(self.model, weights, scales, codes, 1.0 if gains is None else gains), scales, codes

    def _limited(self, scales: Array) -> Array:
        """Scales within the limits of the grid; one row where the limits leave no choice."""
        scales = np.clip(scales, np.maximum(self.grid.scale_min, 1e-300), self.grid.scale_max)
        return scales[:1] if (scales == scales[:1]).all() else scales

    def _centres(self, costs: Array, scales: Array) -> Array:
        """The shared scales nearest to what each output likes best, (K, m)."""
        groups = self.grid.scale_groups or 1
        best = scales[np.argmin(costs, axis=0), np.arange(self.outputs)]
        if groups == 1:
            return np.full((1, self.outputs), self._one_scale(costs, scales))
        centres = np.clip(cluster_scales(best, groups), np.max(self.grid.scale_min), self.grid.scale_max)
        return nearby(np.unique(centres), best, SCALES_TRIED)

    def _one_scale(self, costs: Array, scales: Array) -> float:
        """The one scale of least total cost; an output's costs are interpolated in the scale's logarithm."""
        ladder = np.geomspace(scales.min(), scales.max(), 65)
        total = np.zeros(ladder.size)
        for j in range(self.outputs):
            order = np.argsort(scales[:, j])
            x, y = np.log(scales[order, j]), np.log(np.maximum(costs[order, j], 1e-300))
            # Beyond the tried scales the cost of a grid grows at least with the square of its distance.
            outside = np.maximum(np.maximum(x[0] - np.log(ladder), np.log(ladder) - x[-1]), 0.0)
            total += np.exp(np.minimum(np.interp(np.log(ladder), x, y) + 2.0 * outside, 600.0))
        return float(ladder[np.argmin(total)])
