"""Turn what a user gave into read-only arrays of the right shape, type and range, or say what is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.errors import NetworkError
from spikeloom.profile.dotted import nearest

INT32 = (-(2**31), 2**31 - 1)


def frozen(array: NDArray) -> NDArray:
    """The same array, read-only."""
    array.setflags(write=False)
    return array


def integers(
    value: ArrayLike, subject: str, what: str, low: float | None, high: float | None
) -> NDArray[np.int32]:
    """A read-only int32 copy; whole floats are accepted.

    Raises NetworkError for anything else, and for a value outside [low, high] (None: outside int32).
    """
    array = _numbers(value, subject, what)
    bottom, top = max(INT32[0], int(_or(low, INT32[0]))), min(INT32[1], int(_or(high, INT32[1])))
    if array.dtype.kind == "f":
        _refuse(array != np.floor(array), array, subject, f"{what} takes integers only", "round it")
    outside = (array < bottom) | (array > top)
    _refuse(
        outside, array, subject, f"{what} is out of range", "choose a value in range", f"{bottom} to {top}"
    )
    return frozen(array.astype(np.int32))


def reals(
    value: ArrayLike, subject: str, what: str, low: float | None = None, high: float | None = None
) -> NDArray[np.float64]:
    """A read-only float64 copy of finite numbers in [low, high]. Raises NetworkError for anything else."""
    array = _numbers(value, subject, what).astype(np.float64)
    bottom, top = _or(low, -np.inf), _or(high, np.inf)
    outside = (array < bottom) | (array > top)
    _refuse(
        outside,
        array,
        subject,
        f"{what} is out of range",
        "choose a value in range",
        f"{bottom:g} to {top:g}",
    )
    return frozen(array)


def spread(array: NDArray, size: int, subject: str, what: str) -> NDArray:
    """One value, or one a neuron, as a read-only array (size,)."""
    if array.shape not in ((), (1,), (size,)):
        raise NetworkError(subject, f"{what} has the wrong shape", value=array.shape, limit=f"({size},)",
                           remedy="give one number, or one for each")  # fmt: skip
    return frozen(np.broadcast_to(array, (size,)).copy())


def count(value: object, subject: str, what: str, low: int = 1) -> int:
    """An integer of at least `low`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < low:
        raise NetworkError(subject, f"{what} must be an integer of at least {low}", value=repr(value))
    if value > INT32[1]:
        raise NetworkError(subject, f"{what} is too large", value=value, limit=INT32[1])
    return int(value)


def unknown(subject: str, what: str, name: object, known: Iterable[str]) -> NetworkError:
    """The error for a name that the profile has not, with the nearest one that it has."""
    names = list(known)
    remedy = f"{nearest(str(name), names)} known: {', '.join(names) or 'none'}"
    return NetworkError(subject, f"the profile has no {what} {name}", remedy=remedy)


def _numbers(value: ArrayLike, subject: str, what: str) -> NDArray[Any]:
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        array = np.array(None)
    if array.dtype.kind not in "iufb":
        raise NetworkError(subject, f"{what} is no array of real numbers", value=type(value).__name__)
    if array.dtype.kind == "f":
        _refuse(~np.isfinite(array), array, subject, f"{what} is not finite", "give finite numbers")
    return array


def _refuse(
    bad: NDArray[np.bool_], array: NDArray, subject: str, problem: str, remedy: str, limit: str | None = None
) -> None:
    """Raise for the first bad element, saying where it is."""
    if bad.any():
        place = np.unravel_index(int(np.argmax(bad)), array.shape)
        where = f" at index {', '.join(map(str, place))}" if array.ndim else ""
        raise NetworkError(subject, problem + where, value=array[place].item(), limit=limit, remedy=remedy)


def _or(bound: float | None, other: float) -> float:
    return other if bound is None else bound
