"""Every import is run beside its own framework on random input before it is handed out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.activation import activate
from spikeloom.ann.graph import Ann, FloatArray
from spikeloom.errors import AnnError

# The network as read is evaluated in float64, frameworks compute in the float32 of the file. Rounding to
# float32 is 6e-8 of each term; sums of a few thousand terms through a dozen layers stay below 1e-5 of the
# largest output. A wrong axis order, padding or scale does not.
RELATIVE_TOLERANCE = 1e-4

# Rows of random input, and the magnitudes they come in: small ones show the biases, large ones the weights
# behind a scaling such as x / 255.
_ROWS = 3
_MAGNITUDES = (1.0, 16.0, 256.0)
_SEED = 20240229

Framework = Callable[[NDArray[Any]], NDArray[Any]]
Seen = Callable[[FloatArray], FloatArray]


def verify(
    ann: Ann,
    framework: str,
    run: Framework,
    *,
    dtype: np.dtype[Any],
    batch: int | None = None,
    seen: Seen | None = None,
    order: NDArray[np.int64] | None = None,
) -> None:
    """Compare the network, before its tail, with its framework on random input of several magnitudes.

    Args:
        framework: what the message calls the other side.
        run: takes (N, *input_shape) and gives (N, numbers), flattened in the framework's order.
        dtype: of the framework's input.
        batch: the only batch size that it takes, or None.
        seen: what the framework makes of the network's (N, n_outputs), where it shows only that; the sigmoid,
            where that is the network's tail and this is left out.
        order: place of each of the framework's flattened outputs in the network's, or None for the same order.

    Raises:
        AnnError: if the two differ.
    """
    if seen is None and ann.tail == "sigmoid":
        seen = _sigmoid
    rng, subject = np.random.default_rng(_SEED), f"network {ann.name!r}"
    for magnitude in _MAGNITUDES:
        x = (magnitude * rng.standard_normal((batch or _ROWS, *ann.input_shape))).astype(dtype)
        expected = run(x).astype(np.float64)
        with np.errstate(all="ignore"):  # what overflows here is refused by the comparison
            got = ann.predict(x) if order is None else ann.predict(x)[:, order]
            _compare(subject, framework, expected, got if seen is None else seen(got))


def _compare(subject: str, framework: str, expected: FloatArray, got: FloatArray) -> None:
    if expected.shape != got.shape:
        problem = f"{framework} gives another shape"
        raise AnnError(subject, problem, value=got.shape, limit=expected.shape, remedy="export it again")
    error, limit = np.abs(got - expected).max(), RELATIVE_TOLERANCE * np.abs(expected).max()
    if not (np.isfinite(limit) and error <= limit):
        problem, remedy = f"as read, it differs from {framework}", "report it, or export it again"
        raise AnnError(subject, problem, value=f"{error:.3g}", limit=f"{limit:.3g}", remedy=remedy)


def _sigmoid(z: FloatArray) -> FloatArray:
    return activate(z, "sigmoid")


def softmax(z: FloatArray) -> FloatArray:
    """(N, n) scores -> probabilities: what a framework shows of a network whose tail is the softmax."""
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
