"""A pruned network taught the answers of the whole one, on calibration rows without labels: see `learning`."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from spikeloom.ann.graph import Ann
from spikeloom.ann.surgery import with_layers
from spikeloom.flows.conversion.learning import Lesson, answers, learned

STEPS = 6000
RATE = 0.02  # of the first step, in units of a layer's typical weight


def distil(pruned: Ann, teacher: Ann, rows: ArrayLike, *, steps: int = STEPS, seed: int = 0) -> Ann:
    """The pruned network with weights that answer more like the teacher; never worse on the held-out fifth.

    rows: (N, *input_shape), no labels; layers run on a batch of them at a time, in float32. Deterministic for a seed.
    """
    x = pruned.flatten(rows).astype(np.float32)
    weights = sum(layer.matrix.size for layer in pruned.layers)
    asked = teacher.layers if len(x) < weights else ()  # so many rows are not known by heart
    lesson = Lesson(asked, x, answers(teacher.layers, x), seed, steps, RATE)
    return with_layers(pruned, learned(pruned.layers, lesson))
