"""A pruned network taught the answers of the whole one, on calibration rows without labels.

Adam (Kingma and Ba 2015) on all weights and biases, for squared error and divergence of the outputs. A fifth of the
rows is held out and decides which weights are kept, those it started with included. The whole network answers any
input, so that in every second step it is also asked about mixtures of two rows (Zhang and others 2018, Beyer and
others 2022): a few thousand rows alone would soon be known by heart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.ann.adam import Adam, typical_sizes
from spikeloom.ann.gradients import gradients, run_layers
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.ann.surgery import with_layers
from spikeloom.flows.conversion.answer_loss import answer_loss
from spikeloom.flows.conversion.held_out import held_out_rows

Array = NDArray[np.float64]
Layers = tuple[AnnLayer, ...]
STEPS = 6000
BATCH = 128
RATE = (
    0.02  # of the first step, in units of a layer's typical weight; it falls to 0 along a quarter of a cosine
)
CHECK_EVERY = 50  # steps between two looks at the held-out rows


def distil(pruned: Ann, teacher: Ann, rows: ArrayLike, *, steps: int = STEPS, seed: int = 0) -> Ann:
    """The pruned network with weights that answer more like the teacher; never worse on the held-out fifth.

    rows: (N, *input_shape), no labels. Deterministic for a seed.
    """
    x, wanted = pruned.flatten(rows), teacher.preactivations(rows)[-1]
    rng = np.random.default_rng(seed)
    held = held_out_rows(len(x), seed)
    judge = x[held], wanted[held]
    layers, spread = pruned.layers, float(np.std(wanted)) or 1.0
    best, least = layers, _loss(layers, *judge, spread)
    adam, learn = Adam(layers, typical_sizes(layers, x[~held][:BATCH])), np.flatnonzero(~held)
    for step in range(steps):
        batch = rng.choice(learn, min(BATCH, learn.size), replace=False)
        given, answer = (x[batch], wanted[batch]) if step % 2 else mixed_rows(x, batch, learn, teacher, rng)
        inputs, preactivations = run_layers(layers, given)
        _, slope = answer_loss(preactivations[-1], answer, spread)
        found = gradients(layers, inputs, preactivations, slope)
        rate = RATE * float(np.cos(0.5 * np.pi * step / steps))
        layers = adam.moved(layers, found, rate)
        if (step + 1) % CHECK_EVERY == 0 or step + 1 == steps:
            loss = _loss(layers, *judge, spread)
            if loss < least:
                best, least = layers, loss
    return with_layers(pruned, best)


def mixed_rows(
    x: Array, batch: NDArray[np.intp], learn: NDArray[np.intp], teacher: Ann, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Each of these rows mixed with another one in a random ratio, and what the teacher answers."""
    share = rng.random((batch.size, 1))
    mixed = share * x[batch] + (1.0 - share) * x[rng.choice(learn, batch.size)]
    return mixed, run_layers(teacher.layers, mixed)[1][-1]


def _loss(layers: Layers, x: Array, wanted: Array, spread: float) -> float:
    return answer_loss(run_layers(layers, x)[1][-1], wanted, spread)[0]
