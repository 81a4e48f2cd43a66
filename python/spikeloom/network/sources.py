"""What a profile says about all synapses of one source: one sign (`sign_pre`), one kind of event."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spikeloom.errors import NetworkError
from spikeloom.network.projection import Convolution, Population, Projection
from spikeloom.network.synapses import Matrix
from spikeloom.profile.event_mode import EventKind
from spikeloom.profile.schema import Profile


def check_sources(
    subject: str,
    source: Population,
    weights: Matrix,
    new: Projection,
    others: Sequence[Projection],
    profile: Profile,
) -> None:
    """Check a new projection together with the others of its source.

    Raises NetworkError; rows of a convolution are checked when the program is loaded.
    """
    mine = [other for other in others if other.source == new.source]
    if profile.event is not None:
        kinds = profile.event.receptors
        _check_kind(subject, source, new, mine, kinds)
        if kinds[new.receptor] == "virtual" and _holds_zero(weights):
            raise NetworkError(subject, "has a virtual event of weight 0, which the chip reads as a neuron event",
                               remedy="leave it out: give a sparse matrix")  # fmt: skip
        if any(other.target == new.target for other in mine):
            raise NetworkError(subject, "exists already, and the chip has one synapse for each pair",
                               remedy="add the weights")  # fmt: skip
    if profile.weights.formula == "sign_pre":
        _check_signs(subject, new, mine, profile)


def _check_kind(
    subject: str, source: Population, new: Projection, mine: list[Projection], kinds: tuple[EventKind, ...]
) -> None:
    kind = kinds[new.receptor]
    if kind != "neuron" and not source.is_input:
        raise NetworkError(subject, f"only input sends {kind} events", value=new.receptor,
                           remedy="use receptor 0")  # fmt: skip
    if any(other.receptor != new.receptor for other in mine):
        raise NetworkError(subject, "its source sends events of another kind already", value=kind,
                           limit=kinds[mine[0].receptor], remedy="add an input for each kind")  # fmt: skip


def _holds_zero(weights: Matrix) -> bool:
    codes = weights.codes if isinstance(weights, Convolution) else weights
    return bool((codes.data == 0).any() if isinstance(codes, csr_array) else (codes == 0).any())


def _check_signs(subject: str, new: Projection, mine: list[Projection], profile: Profile) -> None:
    """A virtual event brings its own sign."""
    signed = [
        one.weights
        for one in (*mine, new)
        if profile.event is None or profile.event.receptors[one.receptor] != "virtual"
    ]
    positive, negative = (
        [_rows_with(weights, sign) for weights in signed if not isinstance(weights, Convolution)]
        for sign in (1, -1)
    )
    both = np.any(positive, axis=0) & np.any(negative, axis=0)
    if np.any(both):
        raise NetworkError(subject, f"source {int(np.argmax(both))} has weights of both signs, and the chip has "
                           "one for each source", remedy="split it into two sources")  # fmt: skip


def _rows_with(weights: NDArray | csr_array, sign: int) -> NDArray[np.bool_]:
    """(source neurons,) whether a row holds a code of that sign."""
    if isinstance(weights, csr_array):
        row = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
        return np.bincount(row[sign * weights.data > 0], minlength=weights.shape[0]) > 0
    return np.asarray((sign * weights > 0).any(axis=1))
