"""The weights of a network learn the answers of a trained one, on calibration rows without labels.

Adam (Kingma and Ba 2015) against `answer_loss`. The trained network answers any input, so that in every second step
it can also be asked about mixtures of two rows (Zhang and others 2018, Beyer and others 2022): a few thousand rows
alone would soon be known by heart. A fifth of the rows, at most JUDGES, decides which weights are kept, those of the
start included. Nothing but the rows themselves grows with their number: the layers run on a batch at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.adam import Adam, typical_sizes
from spikeloom.ann.gradients import LayerGradient, gradients, run_layers
from spikeloom.ann.graph import AnnLayer
from spikeloom.flows.conversion.answer_loss import answer_loss
from spikeloom.flows.conversion.row_draws import held_out_rows

Array = NDArray[np.float64]
Layers = tuple[AnnLayer, ...]
Numbers = NDArray[Any]  # float64, or float32 where the rows are
Trace = tuple[list[Numbers], list[Numbers]]
BATCH = 128
JUDGES = 4000
CHECK_EVERY = 100  # steps between two looks at the rows that judge


@dataclass(frozen=True, eq=False)
class Lesson:
    """What is learned, and how.

    teacher: layers of the trained network; none: it is asked about no mixtures
    x: (N, channels) rows as the learner takes them; float32 takes half the time of float64
    wanted: (N, outputs) the teacher's answers
    run: layers and rows to what each layer sees, and the pre-activations its derivative is taken at
    rate: of the first step, in units of a layer's typical weight; it falls to 0 along a quarter of a cosine
    unit: of the learner's last pre-activations, in the teacher's answers
    moving: how many layers, from the first, learn; None: all of them
    """

    teacher: Layers
    x: Numbers
    wanted: Array
    seed: int
    steps: int
    rate: float
    run: Callable[[Layers, Numbers], Trace] = run_layers
    unit: float = 1.0
    moving: int | None = None

    @cached_property
    def spread(self) -> float:
        """Standard deviation of all answers."""
        return float(np.std(self.wanted)) or 1.0

    def loss(self, layers: Layers, rows: NDArray[np.intp]) -> float:
        """Of these layers on these rows."""
        outputs = answers(layers, self.x[rows], self.run) / self.unit
        return answer_loss(outputs, self.wanted[rows], self.spread)[0]


def answers(layers: Layers, x: Numbers, run: Callable[[Layers, Numbers], Trace] = run_layers) -> Array:
    """(N, outputs) last pre-activations of the layers for rows x (N, channels), a batch at a time."""
    return np.asarray(_last(layers, x, run), dtype=np.float64)


def activity(layers: Layers, x: Numbers) -> Numbers:
    """(N, n_outputs) what the layers give for rows x (N, channels), in the type of x; x itself without layers."""
    given: Numbers = layers[-1].activate(_last(layers, x, run_layers)) if layers else x
    return given


def _last(layers: Layers, x: Numbers, run: Callable[[Layers, Numbers], Trace]) -> Numbers:
    return np.concatenate([run(layers, x[k : k + BATCH])[1][-1] for k in range(0, len(x), BATCH)])


def learned(layers: Layers, lesson: Lesson) -> Layers:
    """The layers with the weights that lose least on the rows that judge; the same for a seed."""
    rng = np.random.default_rng(lesson.seed)
    judges = np.flatnonzero(held_out_rows(len(lesson.x), lesson.seed))[:JUDGES]
    learn = np.setdiff1d(np.arange(len(lesson.x)), judges)
    moving = layers[: lesson.moving]
    seen, _ = lesson.run(layers, lesson.x[learn[:BATCH]])
    adam = Adam(moving, typical_sizes(moving, seen[: len(moving)]))
    best, least = layers, lesson.loss(layers, judges)
    for step in range(lesson.steps):
        rate = lesson.rate * float(np.cos(0.5 * np.pi * step / lesson.steps))
        moving = adam.moved(moving, _slopes(layers, lesson, *_asked(lesson, learn, step, rng)), rate)
        layers = (*moving, *layers[len(moving) :])
        if (step + 1) % CHECK_EVERY == 0 or step + 1 == lesson.steps:
            loss = lesson.loss(layers, judges)
            if loss < least:
                best, least = layers, loss
    return best


def _asked(
    lesson: Lesson, learn: NDArray[np.intp], step: int, rng: np.random.Generator
) -> tuple[Numbers, Array]:
    """Rows and the teacher's answers: by turns some of those at hand, and mixtures of them with others."""
    batch = rng.choice(learn, min(BATCH, learn.size), replace=False)
    if step % 2 or not lesson.teacher:
        return lesson.x[batch], lesson.wanted[batch]
    share = rng.random((batch.size, 1)).astype(lesson.x.dtype)
    mixed = share * lesson.x[batch] + (1.0 - share) * lesson.x[rng.choice(learn, batch.size)]
    return mixed, run_layers(lesson.teacher, mixed)[1][-1]


def _slopes(layers: Layers, lesson: Lesson, x: Numbers, answer: Array) -> list[LayerGradient]:
    seen, preactivations = lesson.run(layers, x)
    _, slope = answer_loss(preactivations[-1] / lesson.unit, answer, lesson.spread)
    return gradients(
        layers, seen, preactivations, (slope / lesson.unit).astype(x.dtype), moving=lesson.moving
    )
