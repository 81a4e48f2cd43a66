"""Which weights a layer may have: the codes, their scales, and what one chip makes of each."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import FitError
from spikeloom.fit.type_table import TypeTable

Array = NDArray[np.float64]


@dataclass(frozen=True)
class WeightGrid:
    """The codes a weight may take and how their scale is had.

    levels: (low, high, step) of the integer codes, e.g. (-256, 254, 2), (-1, 1, 1) for three values or (-1, 1, 2)
        for one bit; None: weights are continuous
    scale_groups: how many different scales (code -> threshold units) the outputs may use; None: one each
    fan_in: most weights other than 0 that an output may have
    scale_min, scale_max: limits of a scale, threshold units per code step of 1 (equal: the scale is given); the
        lower one may be (m,), one for each output
    type_table: where a target keeps one weight for each type of axon; `levels` are then those of a weight
    gains: (n, m) > 0, what one chip makes of each synapse, as measured: code k is worth k * scale * gain
    one_sign: all weights of a presynaptic line have one sign, which the fit chooses
    """

    levels: tuple[int, int, int] | None = None
    scale_groups: int | None = None
    scale_min: float | Array = 0.0
    scale_max: float = float("inf")
    fan_in: int | None = None
    type_table: TypeTable | None = None
    gains: Array | None = None
    one_sign: bool = False

    def __post_init__(self) -> None:
        if self.gains is not None:
            self._check_gains(self.gains)
        if self.levels is not None:
            low, high, step = self.levels
            if step < 1 or low > 0 or high < 0 or low >= high or (high - low) % step:
                raise FitError(
                    "weight grid",
                    "levels must be (low <= 0, high >= 0, step), a whole number of steps apart",
                    value=self.levels,
                )
        if self.scale_groups is not None and self.scale_groups < 1:
            raise FitError("weight grid", "needs at least one scale", value=self.scale_groups, limit=1)
        if self.fan_in is not None and self.fan_in < 1:
            raise FitError("weight grid", "needs a fan-in of at least 1", value=self.fan_in, limit=1)
        if self.fan_in is not None and self.levels is not None and self.levels[0] % self.levels[2]:
            raise FitError(
                "weight grid", "has a fan-in and no code 0 for what is left out", value=self.levels
            )
        self._check_signs()
        lowest, highest = float(np.min(self.scale_min)), float(np.max(self.scale_min))
        if not 0.0 <= lowest <= highest <= self.scale_max or self.scale_max == 0.0:
            raise FitError("weight grid", "has no scale between its limits", value=(highest, self.scale_max))

    def worth(self, scales: Array) -> Array:
        """What code 1 is worth at scales (m,): these, or (n, m) with the gains in them."""
        return scales if self.gains is None else scales * self.gains

    def without_gains(self, weights: Array) -> Array:
        """Weights (n, m) that the chip's gains turn into the given ones."""
        return weights if self.gains is None else weights / self.gains

    def _check_gains(self, gains: Array) -> None:
        if self.type_table is not None or self.one_sign:
            raise FitError("weight grid", "has gains of single synapses beside one sign a line or types of axons",
                           remedy="leave one of the two out")  # fmt: skip
        if not (np.isfinite(gains).all() and (gains > 0).all()):
            raise FitError("weight grid", "needs gains above 0", value=float(np.min(gains)),
                           remedy="give a dead synapse a gain close to 0")  # fmt: skip

    @property
    def positive(self) -> WeightGrid:
        """The grid of a line whose sign is known, and is positive."""
        if self.levels is None:
            return replace(self, one_sign=False)
        low, high, step = self.levels
        return replace(self, one_sign=False, levels=(0, min(high, -low), step))

    def _check_signs(self) -> None:
        """A line of one sign has codes on either side of 0, and 0."""
        if not self.one_sign:
            return
        if self.fan_in is not None or self.type_table is not None:
            raise FitError("weight grid", "has one sign a line beside a fan-in or types of axons",
                           remedy="leave one of the two out")  # fmt: skip
        if self.levels is not None and (
            self.levels[0] % self.levels[2] or not self.levels[0] < 0 < self.levels[1]
        ):
            raise FitError("weight grid", "has one sign a line, and no codes of both signs with 0 between them",
                           value=self.levels)  # fmt: skip
