"""What the losses of the distance to a wanted current share: silent and saturated targets leave one side free."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from spikeloom.fit.matching import Array, Index

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class OneSided:
    """Wanted currents (N, m). Where the target is silent only I above it costs, where saturated only I below it."""

    wanted: Array
    silent: Mask
    saturated: Mask

    @property
    def stiffness(self) -> float:
        """Errors are counted in currents."""
        return 1.0

    def part(self, rows: Index, outputs: Index = slice(None)) -> Self:
        """The same loss on some rows and outputs."""
        wanted, silent = self.wanted[rows][:, outputs], self.silent[rows][:, outputs]
        return replace(self, wanted=wanted, silent=silent, saturated=self.saturated[rows][:, outputs])

    def counted(self, error: Array) -> Array:
        """Errors, or multipliers; 0 where their sign is of the side that is free."""
        free = (self.silent & (error < 0.0)) | (self.saturated & (error > 0.0))
        return np.where(free, 0.0, error)
