"""From what a user gives to what a program's lines carry: checked once, encoded chunk by chunk."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.emulation.encoding import checked_counts, constant_spikes, halves, write_spikes
from spikeloom.errors import EmulationError
from spikeloom.network.projection import HostLayer
from spikeloom.program.program import ChipProgram, Port

Array = NDArray[np.float64]
Inputs = ArrayLike | Mapping[str, ArrayLike]


@dataclass(frozen=True, eq=False)
class EncodedInputs:
    """What a chip gets for some samples.

    spikes: (samples, ticks, lines) uint8 counts; biases: population -> (samples, neurons), the effective bias
    that the host computed, integers on a digital soma
    """

    spikes: NDArray[np.uint8]
    biases: Mapping[str, NDArray]


@dataclass(frozen=True, eq=False)
class CheckedInputs:
    """A user's input, split by port: (samples, channels) values, or (samples, ticks, lines) counts."""

    program: ChipProgram
    parts: Mapping[str, NDArray]
    samples: int
    ticks: int

    def encoded(
        self, first: int, stop: int, trial_seed: int = 0, ids: NDArray[np.uint32] | None = None
    ) -> EncodedInputs:
        """Samples [first, stop); `ids` are the numbers of all samples in random draws, their rows if absent."""
        numbers = np.arange(self.samples, dtype=np.uint32) if ids is None else ids
        if [port.encoding for port in self.program.inputs] == ["spikes"]:  # already what the lines carry
            only = self.program.inputs[0]
            return EncodedInputs(self.parts[only.name][first:stop], self._biases(first, stop))
        spikes = np.zeros((stop - first, self.ticks, self.program.n_inputs), dtype=np.uint8)
        for port in self.program.inputs:
            part = self.parts[port.name][first:stop]
            if port.encoding == "spikes":
                spikes[:, :, port.first : port.first + port.size] = part
            elif port.encoding == "constant":
                spikes[:, :, port.first : port.first + port.size] = constant_spikes(port.scale, self.ticks)
            elif port.encoding != "current":
                x = halves(_scaled(part, port), port.signed)
                for rows in _runs_of(numbers[first:stop]):
                    draws = (trial_seed, int(numbers[first + rows.start]), port.first)
                    write_spikes(
                        spikes[rows], port.first, x[rows], port.encoding or "rate", port.planes, draws
                    )
        return EncodedInputs(spikes, self._biases(first, stop))

    def _biases(self, first: int, stop: int) -> dict[str, NDArray]:
        """Of each host layer, what the host computes for samples [first, stop)."""
        return {
            host.target: host_bias(self.program, host, self._host_values(host, first, stop))
            for host in self.program.hosts
        }

    def clipped(self) -> Iterable[str]:
        """A line for each port whose values left the range that its scale was made for."""
        for port in self.program.inputs:
            if port.encoding in ("spikes", "current", "constant"):
                continue
            x = _scaled(self.parts[port.name], port)
            outside = np.count_nonzero(np.abs(x) > 1) if port.signed else np.count_nonzero((x < 0) | (x > 1))
            if outside:
                yield f"input {port.name}: {outside} of {x.size} values were clipped to the encoder's range"

    def _host_values(self, host: HostLayer, first: int, stop: int) -> Array:
        currents = [port.name for port in self.program.inputs if port.encoding == "current"]
        source = host.source or (currents[0] if currents else "")
        if source not in self.parts:
            raise EmulationError(
                f"host layer of {host.target}", "reads an input that the program does not have", value=source
            )
        values: Array = self.parts[source][first:stop]
        return values


def _runs_of(numbers: NDArray[np.uint32]) -> list[slice]:
    """Slices within which the numbers are consecutive, so that one call can encode each."""
    breaks = np.flatnonzero(np.diff(numbers.astype(np.int64)) != 1) + 1
    ends = [0, *breaks.tolist(), len(numbers)]
    return [slice(a, b) for a, b in zip(ends, ends[1:], strict=False) if a < b]


def checked_ids(sample_ids: ArrayLike | None, samples: int) -> NDArray[np.uint32]:
    """The number of each sample in random draws: its row, unless given; EmulationError for anything else."""
    if sample_ids is None:
        return np.arange(samples, dtype=np.uint32)
    ids = _array("sample_ids", sample_ids)
    if ids.shape != (samples,) or ids.dtype.kind not in "iu" or (ids < 0).any() or (ids >= 2**32).any():
        raise EmulationError(
            "sample_ids", "need one number for each sample", value=ids.shape, limit="0 to 2^32 - 1"
        )
    return ids.astype(np.uint32)


def encoded_inputs(
    program: ChipProgram,
    inputs: Inputs,
    *,
    ticks: int | None = None,
    trial_seed: int = 0,
    sample_ids: ArrayLike | None = None,
) -> EncodedInputs:
    """The same spikes and biases that `emulate` gives the chip, for all samples at once.

    Parameters
    ----------
    inputs : as `emulate` takes them.
    ticks : length of the window; the program's own unless given.
    """
    checked = check_inputs(program, inputs, ticks)
    return checked.encoded(0, checked.samples, trial_seed, checked_ids(sample_ids, checked.samples))


def check_inputs(program: ChipProgram, inputs: Inputs, ticks: int | None = None) -> CheckedInputs:
    """Split by port and check every value; EmulationError names the port and what it needs."""
    window = program.ticks if ticks is None else ticks
    if isinstance(window, bool) or not isinstance(window, (int, np.integer)) or window < 1:
        raise EmulationError("ticks", "must be an integer of at least 1", value=repr(ticks))
    if isinstance(inputs, Mapping):
        given = _by_name(program, inputs)
    else:
        given = _by_column(program, _array("inputs", inputs))
    parts = {port.name: _checked(port, given[port.name], int(window)) for port in _asked(program)}
    sizes = {name: len(part) for name, part in (parts or given).items()}
    if len(set(sizes.values())) > 1:
        raise EmulationError("inputs", "have different numbers of samples", value=sizes)
    samples = next(iter(sizes.values()), 0)
    silent = {port.name: np.zeros((samples, 0)) for port in program.inputs if port.encoding == "constant"}
    return CheckedInputs(program, parts | silent, samples, int(window))


def _asked(program: ChipProgram) -> tuple[Port, ...]:
    """The inputs that take something from the user."""
    return tuple(port for port in program.inputs if port.encoding != "constant")


def channels(port: Port) -> int:
    """Values that one sample of an input has."""
    if port.encoding == "constant":
        return 0
    return port.size // (port.planes * (2 if port.signed else 1))


def host_bias(program: ChipProgram, host: HostLayer, values: Array) -> NDArray:
    """(samples, neurons) effective bias of a host layer: values @ weights + bias, as the chip can store it.

    An integer bias is the nearest multiple of 2^exponent (a half goes to the even one) within the range of
    its code.
    """
    exact = values @ host.weights + host.bias
    profile = program.profile
    name = str(profile.bias.param)
    param = profile.params[name]
    if param.format == "float":
        return np.asarray(exact, dtype=np.float64)
    if param.format not in ("int", "shift", "mant_exp"):
        raise EmulationError(
            f"parameter {name}", "cannot hold a bias that the host computes", value=param.format
        )
    neurons = next(placed.neurons for placed in program.populations if placed.name == host.target)
    shift = (
        program.arrays.params[f"{name}_exp"][neurons].astype(np.int64)
        if param.format == "mant_exp"
        else param.shift
    )
    low = -np.inf if param.min is None else param.min
    high = np.inf if param.max is None else param.max
    code = np.clip(np.rint(exact / np.exp2(shift)), low, high).astype(np.int64)
    effective: NDArray = code << shift
    return effective.astype(np.float64) if profile.is_analog else effective


def _scaled(values: NDArray, port: Port) -> Array:
    x: Array = values if port.scale is None else values * port.scale
    return x


def _array(subject: str, values: ArrayLike) -> NDArray:
    try:
        array = np.asarray(values)
    except ValueError:
        raise EmulationError(subject, "is no rectangular array") from None
    if array.dtype.kind not in "biuf":
        raise EmulationError(subject, "must hold numbers", value=array.dtype)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        first = int(np.argwhere(~np.isfinite(array))[0][0]) if array.ndim else 0
        raise EmulationError(subject, f"holds NaN or infinity, first in sample {first}")
    return array


def _by_name(program: ChipProgram, inputs: Mapping[str, ArrayLike]) -> dict[str, NDArray]:
    names = [port.name for port in _asked(program)]
    if set(inputs) != set(names):
        raise EmulationError("inputs", "need one array for each input", value=sorted(inputs), limit=names)
    return {name: _array(f"input {name}", inputs[name]) for name in names}


def _by_column(program: ChipProgram, array: NDArray) -> dict[str, NDArray]:
    """One array for all ports: its last axis is cut in their order. Without ports it counts samples."""
    asked = _asked(program)
    if not asked and array.ndim > 1 and array.shape[-1] == 0:
        return {"": array}
    counted = [port for port in asked if port.encoding == "spikes"]
    if counted and len(counted) < len(asked):
        raise EmulationError(
            "inputs", "mix spike counts and values", remedy="give a mapping from input to array"
        )
    if len(asked) == 1:
        return {asked[0].name: array}
    widths = [port.size if counted else channels(port) for port in asked]
    if array.ndim != (3 if counted else 2) or array.shape[-1] != sum(widths):
        axes = "(samples, ticks, lines)" if counted else "(samples, channels)"
        raise EmulationError(
            "inputs",
            f"have the wrong shape, they must be {axes}",
            value=array.shape,
            limit=f"{sum(widths)} in the last axis",
        )
    parts = np.split(array, np.cumsum(widths)[:-1], axis=-1)
    return {port.name: part for port, part in zip(asked, parts, strict=True)}


def _checked(port: Port, array: NDArray, ticks: int) -> NDArray:
    subject = f"input {port.name}"
    if port.encoding == "spikes":
        if array.ndim != 3 or array.shape[1:] != (ticks, port.size):
            raise EmulationError(subject, "spike counts have the wrong shape", value=array.shape,
                                 limit=("samples", ticks, port.size))  # fmt: skip
        return checked_counts(array)
    if array.ndim < 2 or math.prod(array.shape[1:]) != channels(port):
        raise EmulationError(
            subject, "has the wrong shape", value=array.shape, limit=("samples", channels(port))
        )
    values = array.reshape(len(array), channels(port)).astype(np.float64, copy=False)
    return values if port.order is None else values[:, port.order]
