"""Which rows calibrate and which judge: never the same, and a row is the same wherever its numbers are."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.errors import SpikeloomError

MOST_CALIBRATION = 2000  # rows that are taken from the data, where no calibration data is given
SPLIT_SEED = 0


@dataclass(frozen=True, eq=False)
class JudgedRows:
    """Rows that may be scored: (N, ...) inputs and labels (N, ...) or None; `repeated` were left out."""

    inputs: NDArray
    labels: NDArray | None
    repeated: int


def row_hashes(rows: NDArray) -> list[bytes]:
    """One hash a row, of its numbers as float64.

    >>> a, b = row_hashes(np.array([[1, 2], [3, 4]], dtype=np.uint8))
    >>> [b] == row_hashes(np.array([[3.0, 4.0]])), a == b
    (True, False)
    """
    flat = np.ascontiguousarray(np.asarray(rows).reshape(len(rows), -1), dtype=np.float64) + 0.0  # no -0.0
    return [blake2b(row.tobytes(), digest_size=16).digest() for row in flat]


def draw_calibration(inputs: NDArray, *, seed: int = SPLIT_SEED) -> NDArray[np.intp]:
    """Ascending numbers of the rows that calibrate where nothing else does: at most 2000, at most half.

    Raises SpikeloomError where there are fewer than two rows.
    """
    count = min(MOST_CALIBRATION, len(inputs) // 2)
    if count == 0:
        raise SpikeloomError("inputs", "are too few to calibrate on some and judge on others", value=len(inputs),
                             limit=2, remedy="give more rows, or calibration data")  # fmt: skip
    return np.sort(np.random.default_rng(seed).permutation(len(inputs))[:count])


def judged_rows(inputs: ArrayLike, labels: ArrayLike | None, seen: frozenset[bytes]) -> JudgedRows:
    """The rows that the conversion has not seen, with their labels.

    Raises SpikeloomError where the labels are not one a row, or nothing is left to judge.
    """
    rows = np.asarray(inputs)
    answers = None if labels is None else np.asarray(labels)
    if rows.ndim < 2 or len(rows) == 0:
        raise SpikeloomError("inputs", "need samples along their first axis, at least one", value=rows.shape)
    if answers is not None and (answers.ndim == 0 or len(answers) != len(rows)):
        count = "none" if answers.ndim == 0 else len(answers)
        raise SpikeloomError("labels", "are not one a row of the inputs", value=count, limit=len(rows))
    fresh = np.array([row not in seen for row in row_hashes(rows)])
    if not fresh.any():
        raise SpikeloomError("inputs", "hold only rows that calibrated the conversion", value=len(rows),
                             remedy="give rows that it has not seen")  # fmt: skip
    return JudgedRows(rows[fresh], None if answers is None else answers[fresh], int((~fresh).sum()))
