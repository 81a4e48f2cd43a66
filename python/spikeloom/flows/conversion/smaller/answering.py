"""Single layers of a smaller network that learn the trained one's answers, all others as they are: see `learning`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.ann.graph import Ann
from spikeloom.flows.conversion.learning import Layers, Lesson, Numbers, activity, answers, learned
from spikeloom.flows.conversion.row_draws import drawn_rows

NUMBERS = 1 << 25  # of activity that a layer learns from at most, in float32: 128 MB
STEPS = 600
RATE = 0.01  # of the first step, in units of a layer's typical weight


@dataclass(frozen=True, eq=False)
class Answering:
    """What the layers learn from: the answers of the trained network ann to x (N, n_inputs) in float32."""

    ann: Ann
    x: Numbers
    seed: int

    @classmethod
    def of(cls, ann: Ann, rows: ArrayLike, seed: int) -> Answering:
        """From rows (N, *input_shape), without labels."""
        return cls(ann, ann.flatten(rows).astype(np.float32), seed)

    @cached_property
    def wanted(self) -> NDArray[np.float64]:
        """(N, outputs) answers."""
        return answers(self.ann.layers, self.x)

    def learned(self, layers: Layers, index: int) -> Layers:
        """The layers, of which the one at index has learned; never worse on the rows that judge."""
        first = layers[index]
        drawn = drawn_rows(len(self.x), max(1, NUMBERS // first.n_inputs), self.seed)
        given, wanted = activity(layers[:index], self.x[drawn]), self.wanted[drawn]
        asked = self.ann.layers if index == 0 and wanted.size < first.matrix.size else ()
        lesson = Lesson(asked, given, wanted, self.seed, STEPS, RATE, moving=1)
        return (*layers[:index], *learned(layers[index:], lesson))
