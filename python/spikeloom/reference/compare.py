"""What two executors of one program did, compared value by value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import EmulationError
from spikeloom.program.program import ChipProgram
from spikeloom.reference.distributions import NoiseTest


@dataclass(frozen=True)
class Trace:
    """Everything one sample did, tick by tick, neurons in their global numbers.

    Registers are probed at the end of the tick, after the accumulators were cleared. The elements of a vector
    register appear as "i[0]", "i[1]".
    """

    spikes: NDArray  # (ticks, neurons) int32: spikes of each neuron in each tick
    registers: Mapping[str, NDArray]  # element -> (ticks, neurons) int64, float64 on an analog soma
    rules: Mapping[str, int] = field(
        default_factory=dict
    )  # "u.wrap", "delivery.merge" ... -> how often it acted
    near: NDArray | None = None  # (ticks, neurons) bool: too close to the threshold to tell, see `compare`


@dataclass(frozen=True)
class Divergence:
    """The first value in which two executors differ.

    neuron: the global number, on `core`; None where the value is a core's. register: name of a register element,
    "spikes", or a signal of a clock; clock: since the run began, None where only ticks were compared.
    """

    sample: int
    tick: int
    core: int
    neuron: int | None
    register: str
    expected: int | float
    got: int | float
    clock: int | None = None

    def __str__(self) -> str:
        known = {
            "sample": self.sample,
            "tick": self.tick,
            "clock": self.clock,
            "core": self.core,
            "neuron": self.neuron,
        }
        place = ", ".join(f"{name} {number}" for name, number in known.items() if number is not None)
        return f"{place}: {self.register} should be {self.expected}, is {self.got}"


@dataclass(frozen=True)
class CrossCheck:
    """Whether two executors agreed, and how much was compared.

    `compared` counts "samples", "ticks", "spikes" (those the expected side made), "spike_counts" (neurons
    times ticks) and "register_values", with a circuit also "clocks" and "signal_values". `left_out` names
    effects that acted on neither side, because the reference cannot draw the same noise; `noise` holds the
    verdicts on runs with noise, where such were asked for, and then `equal` is also whether all of them are
    `ok`. `near_threshold` counts states closer to their threshold than 1e-12 of it, where a reference with
    another exponential may fire in another step. `notes` say what else to know of the run in clocks.
    """

    equal: bool
    compared: Mapping[str, int]
    first_divergence: Divergence | None
    left_out: tuple[str, ...] = ()
    noise: tuple[NoiseTest, ...] = ()
    near_threshold: int = 0
    notes: tuple[str, ...] = ()


def compare(
    expected: Trace, got: Trace, program: ChipProgram, sample: int = 0, *, tolerance: float = 0.0
) -> CrossCheck:
    """Compare every register and every spike count of two traces at every tick.

    Registers may differ by `tolerance` times the largest magnitude that the register has in `expected`; spikes
    may not differ. With a tolerance, a spike that differs in a state closer to its threshold than 1e-12 of it
    is none to judge by: the comparison ends with the tick before.

    The first divergence is the one of the earliest tick; within a tick registers come in the order in which
    the profile declares them, then "spikes"; within a register the lowest neuron comes first.

    Raises
    ------
    EmulationError
        Nothing to compare, or the traces differ in their shape or their registers.
    """
    _check_comparable(expected, got, program)
    near = (
        expected.near
        if expected.near is not None and tolerance
        else np.zeros_like(expected.spikes, dtype=bool)
    )
    undecided = np.flatnonzero((near & (expected.spikes != got.spikes)).any(axis=1))
    if undecided.size:
        expected, got = (_first_ticks(trace, int(undecided[0])) for trace in (expected, got))
    names = [*program.profile.element_names(), "spikes"]
    differing = {
        name: _differing(_column(expected, name), _column(got, name), tolerance if name != "spikes" else 0.0)
        for name in names
    }
    found = [
        (int(np.flatnonzero(where.any(axis=1))[0]), k)
        for k, where in enumerate(differing.values())
        if where.any()
    ]
    divergence = None
    if found:
        tick, k = min(found)
        neuron = int(np.flatnonzero(differing[names[k]][tick])[0])
        divergence = _divergence(expected, got, program, sample, tick, neuron, names[k])
    return CrossCheck(divergence is None, _compared(expected), divergence, near_threshold=int(near.sum()))


def combine(checks: Iterable[CrossCheck]) -> CrossCheck:
    """Several samples' checks as one: equal where all are, with the first divergence found."""
    checks = list(checks)
    if not checks:
        raise EmulationError("comparison", "is empty", remedy="give at least one sample")
    keys = list(dict.fromkeys(key for check in checks for key in check.compared))
    compared = {key: sum(check.compared.get(key, 0) for check in checks) for key in keys}
    first = next((check.first_divergence for check in checks if not check.equal), None)
    near = sum(check.near_threshold for check in checks)
    return CrossCheck(first is None, compared, first, near_threshold=near)


def _first_ticks(trace: Trace, ticks: int) -> Trace:
    """The beginning of a trace."""
    registers = {name: values[:ticks] for name, values in trace.registers.items()}
    return Trace(trace.spikes[:ticks], registers, trace.rules)


def joined(*checks: CrossCheck) -> CrossCheck:
    """Several comparisons of the same sample as one; of divergences in one tick, that of the first check."""
    compared = {key: count for check in checks for key, count in check.compared.items()}
    found = [check.first_divergence for check in checks if check.first_divergence is not None]
    return CrossCheck(not found, compared, min(found, key=lambda one: one.tick, default=None))


def _check_comparable(expected: Trace, got: Trace, program: ChipProgram) -> None:
    """Refuse to compare nothing, or unlike things."""
    names = set(program.profile.element_names())
    for trace in (expected, got):
        missing = names - set(trace.registers)
        if missing:
            raise EmulationError("comparison", "lacks a register", value=", ".join(sorted(missing)))
        if {array.shape for array in trace.registers.values()} != {trace.spikes.shape}:
            raise EmulationError("comparison", "has registers and spikes of different shapes")
    if expected.spikes.shape != got.spikes.shape or expected.spikes.shape[1] != program.n_neurons:
        limit = ("ticks", program.n_neurons)
        raise EmulationError(
            "comparison", "is of unlike runs", value=(expected.spikes.shape, got.spikes.shape), limit=limit
        )
    if expected.spikes.size == 0:
        raise EmulationError("comparison", "is empty", remedy="run at least one tick of one neuron")


def _column(trace: Trace, name: str) -> NDArray:
    return trace.spikes if name == "spikes" else trace.registers[name]


def _differing(expected: NDArray, got: NDArray, tolerance: float) -> NDArray:
    """Where two arrays differ; a value that is not a number differs from everything."""
    if tolerance == 0.0:
        return np.asarray(expected != got)
    allowed = tolerance * np.abs(expected).max(initial=0.0)
    return np.asarray(~(np.abs(expected - got) <= allowed))


def _divergence(
    expected: Trace, got: Trace, program: ChipProgram, sample: int, tick: int, neuron: int, name: str
) -> Divergence:
    core = int(np.searchsorted(program.arrays.core_neuron_start, neuron, side="right")) - 1
    values = [_column(trace, name)[tick, neuron].item() for trace in (expected, got)]
    return Divergence(sample, tick, core, neuron, name, *values)


def _compared(trace: Trace) -> dict[str, int]:
    return {
        "samples": 1,
        "ticks": trace.spikes.shape[0],
        "spikes": int(trace.spikes.sum()),
        "spike_counts": trace.spikes.size,
        "register_values": sum(array.size for array in trace.registers.values()),
    }
