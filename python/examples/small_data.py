"""The small data sets of the networks with branches: wave forms drawn at random, and scikit-learn's digits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FORMS = ("sine", "square", "saw", "spikes")
LENGTH = 64


def draw(count: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(count, 1, LENGTH) series between about -1.5 and 1.5, and the number of each one's form."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(FORMS), count)
    period, start, strength = rng.uniform([10, 0, 0.5], [32, 1, 1.0], (count, 3)).T[:, :, None]
    phase = (np.arange(LENGTH) / period + start) % 1.0
    forms = np.stack([np.sin(2 * np.pi * phase), np.where(phase < 0.5, 1.0, -1.0), 2 * phase - 1,
                      2.0 * np.exp(-(((phase - 0.5) / 0.1) ** 2)) - 0.4])  # fmt: skip
    series = strength * forms[labels, np.arange(count)] + rng.normal(0, 0.25, (count, LENGTH))
    return series[:, None].astype(np.float32), labels.astype(np.int64)


def digits() -> tuple[
    tuple[NDArray[np.float32], NDArray[np.int64]], tuple[NDArray[np.float32], NDArray[np.int64]]
]:
    """Images (n, 1, 8, 8) in 0..1 with their labels: 1200 to learn from, 597 others."""
    from sklearn.datasets import load_digits

    x, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    images = (x[order] / 16).reshape(-1, 1, 8, 8).astype(np.float32)
    return (images[:1200], labels[order][:1200]), (images[1200:], labels[order][1200:])
