"""Check the synapses of one projection against the profile: shape, codes, shared values, modes and delays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array, csr_array, issparse

from spikeloom.errors import NetworkError
from spikeloom.network.projection import Convolution
from spikeloom.network.values import INT32, count, frozen, integers, reals, unknown
from spikeloom.profile.schema import Profile, SharedValue, Weights
from spikeloom.profile.weights import mode_names, weight_levels

GATHERS = (np.minimum, np.maximum, np.bitwise_or)
Matrix: TypeAlias = NDArray | csr_array | Convolution


def checked_weights(
    weights: object, delays: object, shape: tuple[int, int], subject: str, profile: Profile
) -> tuple[Matrix, int | NDArray]:
    """(weights, delays) as read-only copies in the projection's own form.

    Delays of a sparse matrix are one number, a matrix of its shape, or one for each element of its `.data`.
    """
    if isinstance(weights, Convolution):
        return _convolution(weights, shape, subject, profile), _delays(delays, None, subject, profile)
    if issparse(weights):
        return _sparse(coo_array(weights), delays, shape, subject, profile)
    codes = _codes(weights, subject, profile)  # type: ignore[arg-type]
    _check_shape(codes.shape, shape, subject)
    return codes, _delays(delays, codes.shape, subject, profile)


def _codes(values: ArrayLike, subject: str, profile: Profile) -> NDArray:
    if profile.weights.formula == "float":
        most = profile.weights.limit
        return reals(values, subject, "weight", None if most is None else -most, most)
    return integers(values, subject, "weight", None, None)


def _check_shape(found: tuple[int, ...], shape: tuple[int, ...], subject: str) -> None:
    if found != shape:
        raise NetworkError(subject, "weights have the wrong shape", value=found, limit=shape,
                           remedy="give (source neurons, target neurons)")  # fmt: skip


def _sparse(
    entries: coo_array, delays: object, shape: tuple[int, int], subject: str, profile: Profile
) -> tuple[csr_array, int | NDArray]:
    _check_shape(entries.shape, shape, subject)
    row, column = (np.asarray(index, dtype=np.int64) for index in (entries.row, entries.col))
    order = np.lexsort((column, row))
    row, column = row[order], column[order]
    twice = (np.diff(row) == 0) & (np.diff(column) == 0)
    if twice.any():
        first = int(np.argmax(twice))
        raise NetworkError(subject, "stores a synapse twice", value=(int(row[first]), int(column[first])),
                           remedy="call weights.sum_duplicates() first")  # fmt: skip
    codes = frozen(_codes(entries.data, subject, profile)[order])
    start = frozen(np.concatenate(([0], np.cumsum(np.bincount(row, minlength=shape[0])))).astype(np.int32))
    matrix = csr_array((codes, frozen(column.astype(np.int32)), start), shape=shape)
    ticks = _picked(delays, row, column, order, shape)
    return matrix, _delays(ticks, row.shape, subject, profile, row)


def _picked(delays: object, row: NDArray, column: NDArray, order: NDArray, shape: tuple[int, int]) -> object:
    """Delays in the order of the stored entries; what has neither known shape is left for the check."""
    array = np.asarray(delays)
    if array.shape == shape:
        return array[row, column]
    return array[order] if array.shape == order.shape else delays


def _delays(
    delays: object, shape: tuple[int, ...] | None, subject: str, profile: Profile, row: NDArray | None = None
) -> int | NDArray:
    """One number, or an array of `shape`; the profile's range and scope hold."""
    time = profile.time
    low, high = (time.delay_min, time.delay_max) if time.delay_scope != "none" else (time.delay_min,) * 2
    ticks = integers(delays, subject, "delay", low, high)  # type: ignore[arg-type]
    if ticks.ndim == 0:
        return int(ticks)
    if ticks.shape != shape:
        raise NetworkError(subject, "delays have the wrong shape", value=ticks.shape,
                           limit=shape or "one number",
                           remedy="give one number, or one for each synapse of a matrix")  # fmt: skip
    if time.delay_scope == "axon" and _differ_in_a_row(ticks, row):
        raise NetworkError(subject, "has several delays in one row, but a delay belongs to an axon",
                           remedy="give one delay for each source neuron")  # fmt: skip
    return ticks


def _differ_in_a_row(ticks: NDArray, row: NDArray | None) -> bool:
    if row is None:
        return bool((ticks != ticks[:, :1]).any())
    return bool(((np.diff(ticks) != 0) & (np.diff(row) == 0)).any())


def _convolution(kernel: Convolution, shape: tuple[int, int], subject: str, profile: Profile) -> Convolution:
    codes = _codes(kernel.codes, subject, profile)
    if codes.ndim != 4 or 0 in codes.shape:
        shape_of_kernels = "a kernel has the shape (in / groups, kernel y, kernel x, out)"
        raise NetworkError(subject, shape_of_kernels, value=codes.shape)
    checked = Convolution(
        codes,
        _whole(kernel.input_shape, 3, 1, subject, "input_shape"),  # type: ignore[arg-type]
        _whole(kernel.stride, 2, 1, subject, "stride"),  # type: ignore[arg-type]
        _whole(kernel.padding, 4, 0, subject, "padding"),  # type: ignore[arg-type]
        _whole(kernel.pool, 2, 1, subject, "pool"),  # type: ignore[arg-type]
        _whole(kernel.dilation, 2, 1, subject, "dilation"),  # type: ignore[arg-type]
        count(kernel.groups, subject, "groups"),
    )
    _check_geometry(checked, shape, subject)
    return checked


def _whole(values: object, length: int, low: int, subject: str, what: str) -> tuple[int, ...]:
    if not isinstance(values, (tuple, list)) or len(values) != length:
        raise NetworkError(subject, f"{what} needs {length} integers", value=repr(values))
    return tuple(count(value, subject, what, low) for value in values)


def _check_geometry(kernel: Convolution, shape: tuple[int, int], subject: str) -> None:
    def demand(found: object, wanted: object, problem: str, remedy: str) -> None:
        if found != wanted:
            raise NetworkError(subject, problem, value=found, limit=wanted, remedy=remedy)

    height, width, channels = kernel.pooled_shape
    top, left, bottom, right = kernel.padding
    demand(kernel.codes.shape[0] * kernel.groups, channels,
           "the kernel has another number of input channels than the image",
           "make codes.shape[0] * groups equal input_shape[2]")  # fmt: skip
    demand(kernel.codes.shape[3] % kernel.groups, 0, "the groups do not divide the output channels",
           "make codes.shape[3] a multiple of groups")  # fmt: skip
    demand(int(np.prod(kernel.input_shape)), shape[0], "input_shape does not hold the source's neurons",
           "make height * width * channels equal the source's size")  # fmt: skip
    windows = (height + top + bottom - kernel.window[0], width + left + right - kernel.window[1])
    if min(height, width) < 1 or min(windows) < 0:
        raise NetworkError(subject, "the kernel is larger than the pooled and padded image",
                           value=kernel.window, limit=(height + top + bottom, width + left + right),
                           remedy="pad more, pool less or use a smaller kernel")  # fmt: skip
    demand(int(np.prod(kernel.output_shape)), shape[1],
           f"the convolution makes {kernel.output_shape} outputs, not the target's neurons",
           "make the target's size equal height * width * channels of the output")  # fmt: skip


def checked_formats(
    weights: Matrix, given: Mapping[str, object], mode: str | None, subject: str, profile: Profile
) -> tuple[NDArray, tuple[str, ...], dict[str, NDArray]]:
    """(formats, modes, shared) of a projection: distinct sets of shared values, and the mode of each."""
    shape = weights.codes.shape if isinstance(weights, Convolution) else weights.shape
    names = [value.name for value in profile.weights.shared]
    for name in given:
        if name not in names:
            raise unknown(subject, "shared weight value", name, names)
    values = [_shared(given.get(v.name, v.default), v, shape, subject) for v in profile.weights.shared]
    table = np.stack(np.broadcast_arrays(np.zeros(1, dtype=np.int32), *values))  # a row at least
    sets, index = np.unique(table.reshape(len(values) + 1, -1), axis=1, return_inverse=True)
    formats = frozen(index.reshape(table.shape[1:]).astype(np.int32))
    shared = {name: frozen(sets[k].copy()) for k, name in enumerate(names, 1)}
    return formats, _modes(weights, formats, sets.shape[1], mode, subject, profile.weights), shared


def _shared(value: Any, rule: SharedValue, shape: tuple[int, ...], subject: str) -> NDArray[np.int32]:
    array = np.atleast_1d(integers(value, subject, rule.name, rule.min, rule.max))
    if rule.scope == "axon":
        return _of_sources(array, rule, shape, subject)
    fits = array.ndim <= len(shape) and all(
        found in (1, wanted) for found, wanted in zip(array.shape[::-1], shape[::-1], strict=False)
    )
    if not fits:
        raise NetworkError(subject, f"{rule.name} has the wrong shape", value=array.shape, limit=shape,
                           remedy="give one number, or one for each target or output channel")  # fmt: skip
    if rule.scope in ("matrix", "group") and array.size and np.ptp(array):
        problem = f"{rule.name} has one value for a whole projection"
        raise NetworkError(subject, problem, remedy="give one number")
    return array


def _of_sources(
    array: NDArray[np.int32], rule: SharedValue, shape: tuple[int, ...], subject: str
) -> NDArray[np.int32]:
    """One value, or one for each source neuron (input channel), as a column that broadcasts against rows."""
    if array.shape not in ((1,), shape[:1]):
        raise NetworkError(subject, f"{rule.name} has the wrong shape", value=array.shape, limit=shape[:1],
                           remedy="give one number, or one for each source neuron or input channel")  # fmt: skip
    return array.reshape(-1, *(1,) * (len(shape) - 1))


def _modes(
    weights: Matrix, formats: NDArray, n: int, mode: str | None, subject: str, rules: Weights
) -> tuple[str, ...]:
    """The weight mode of each format: the named one, or the first that holds all of its codes."""
    names = mode_names(rules)
    if mode is not None and mode not in names:
        raise unknown(subject, "weight mode", mode, names)
    if not names:
        return ()
    low, high, bits = _extremes(weights, formats, n)
    return tuple(_mode(low[k], high[k], bits[k], mode, subject, rules) for k in range(n))


def _mode(low: int, high: int, bits: int, mode: str | None, subject: str, rules: Weights) -> str:
    names = (mode,) if mode is not None else mode_names(rules)
    if low > high:  # no synapse has this format
        return names[0]
    for name in names:
        levels = weight_levels(rules, name)
        if levels.low <= low and high <= levels.high and bits & (levels.step - 1) == 0:
            return name
    known = ", ".join(f"{name}: {weight_levels(rules, name)}" for name in names)
    step = "" if bits & 1 == 0 else ", odd ones among them"
    raise NetworkError(subject, "no weight mode holds all the weights", value=f"{low} to {high}{step}",
                       limit=known, remedy="round and clip them to the codes of a mode")  # fmt: skip


def _extremes(weights: Matrix, formats: NDArray, n: int) -> tuple[list[int], list[int], list[int]]:
    """Of each format: smallest and largest code (in wrong order where it has none), and all codes or-ed."""
    if isinstance(weights, csr_array):
        row = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
        index = np.broadcast_to(formats, weights.shape)[row, weights.indices]
        cells: tuple[NDArray, ...] = (weights.data,) * 3
    else:
        codes = weights.codes if isinstance(weights, Convolution) else weights
        index, cells = formats.ravel(), _reduced(codes, formats.shape)
    low, high = (np.full(n, start, dtype=np.int32) for start in INT32[::-1])
    bits = np.zeros(n, dtype=np.int32)
    for gather, result, values in zip(GATHERS, (low, high, bits), cells, strict=True):
        gather.at(result, index, values)
    return low.tolist(), high.tolist(), bits.tolist()


def _reduced(codes: NDArray, shape: tuple[int, ...]) -> tuple[NDArray, ...]:
    """Least, largest and or-ed codes, over the axes along which the formats do not change."""
    padded = (1,) * (codes.ndim - len(shape)) + shape
    axes = tuple(axis for axis, size in enumerate(padded) if size == 1)
    return tuple((gather.reduce(codes, axis=axes) if axes else codes).ravel() for gather in GATHERS)
