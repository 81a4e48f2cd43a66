"""What a score is and how sure one can be of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import SpikeloomError

Array = NDArray[np.float64]
Score = Callable[[Array, Any], float]
CONFIDENCE = 0.95
Z = 1.959963984540054  # the normal quantile of (1 + CONFIDENCE) / 2
RESAMPLES = 400
WILSON, BOOTSTRAP = "95 % by Wilson", f"95 % by bootstrap of {RESAMPLES} draws"


@dataclass(frozen=True)
class Scored:
    """A score with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Scorer:
    """Scores outputs (N, m) against what is right.

    name: "accuracy", "agreement", "R2", or that of the user's function
    right: (outputs) -> (N,) bool, where the score is a share of right answers; else None
    function: (outputs, labels) -> score, higher is better, where it is not
    interval: how the interval is had
    """

    name: str
    labels: Any
    right: Callable[[Array], NDArray[np.bool_]] | None
    function: Score | None
    interval: str

    @property
    def is_share(self) -> bool:
        """True where the score is a share of rows."""
        return self.right is not None

    def score(self, outputs: Array) -> Scored:
        """The score of these outputs, one row a sample."""
        if self.right is not None:
            right = self.right(outputs)
            return Scored(float(right.mean()), *wilson(int(right.sum()), right.size))
        return self._bootstrapped(outputs)

    def value(self, outputs: Array) -> float:
        """The score alone, without its interval."""
        return (
            float(self.right(outputs).mean()) if self.right is not None else self._call(outputs, self.labels)
        )

    def _bootstrapped(self, outputs: Array) -> Scored:
        assert self.function is not None
        rng = np.random.default_rng(0)
        draws = []
        for _ in range(RESAMPLES):
            rows = rng.integers(len(outputs), size=len(outputs))
            draws.append(self._call(outputs[rows], None if self.labels is None else self.labels[rows]))
        tail = (1 - CONFIDENCE) / 2
        low, high = np.quantile(draws, [tail, 1 - tail])
        return Scored(self._call(outputs, self.labels), float(low), float(high))

    def _call(self, outputs: Array, labels: Any) -> float:
        assert self.function is not None
        value = float(self.function(outputs, labels))
        if not np.isfinite(value):
            raise SpikeloomError(f"score {self.name}", "is not finite", value=value)
        return value


def wilson(right: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share.

    >>> [round(bound, 4) for bound in wilson(90, 100)]
    [0.8256, 0.9448]
    """
    share, n = right / of, float(of)
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z * sqrt(share * (1 - share) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def answers(outputs: Array) -> NDArray[np.intp]:
    """The class of each row: the largest output, or the sign of the only one."""
    if outputs.shape[1] == 1:
        return (outputs[:, 0] > 0).astype(np.intp)
    chosen: NDArray[np.intp] = outputs.argmax(axis=1)
    return chosen


def make_scorer(labels: NDArray | None, wanted: Array, score: Score | None) -> Scorer:
    """The score that fits what is given: the user's, accuracy for classes, R2 for numbers, else agreement.

    labels: (N,) integer classes, or real numbers of the outputs' shape. wanted: (N, m) the ANN's outputs.
    Raises SpikeloomError where the labels are neither.
    """
    if score is not None:
        return Scorer(getattr(score, "__name__", "score"), labels, None, score, BOOTSTRAP)
    if labels is None:
        expected = answers(wanted)
        return Scorer("agreement", expected, lambda outputs: answers(outputs) == expected, None, WILSON)
    if labels.dtype.kind in "iub" and labels.ndim == 1 or labels.shape == (len(wanted), 1) != wanted.shape:
        classes = _checked_classes(labels.reshape(-1), wanted.shape[1])
        return Scorer("accuracy", classes, lambda outputs: answers(outputs) == classes, None, WILSON)
    numbers = labels.reshape(len(labels), -1)
    if labels.dtype.kind != "f" or numbers.shape != wanted.shape:
        raise SpikeloomError("labels", "are neither one class a row nor one number an output", value=labels.shape,
                             limit=wanted.shape, remedy="give integers (N,) or numbers like the outputs")  # fmt: skip
    return Scorer("R2", numbers, None, explained, BOOTSTRAP)


def explained(outputs: Array, labels: Array) -> float:
    """R2: 1 - squared error over the variance of the labels, over all outputs together."""
    spread = float(((labels - labels.mean(axis=0)) ** 2).sum())
    return 1.0 - float(((outputs - labels) ** 2).sum()) / max(spread, 1e-300)


def _checked_classes(labels: NDArray, outputs: int) -> NDArray:
    classes = max(outputs, 2)
    if labels.dtype.kind == "f" and not np.array_equal(labels, np.rint(labels)):
        raise SpikeloomError("labels", "are not whole numbers", remedy="give the class of each row")
    whole: NDArray = labels.astype(np.int64)
    if whole.min() < 0 or whole.max() >= classes:
        raise SpikeloomError("labels", "name a class that has no output", value=(whole.min(), whole.max()),
                             limit=f"0 to {classes - 1}")  # fmt: skip
    return whole
