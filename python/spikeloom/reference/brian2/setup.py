"""Brian2 made ready: its preferences for the length of a run, and the functions that the code calls."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import EmulationError
from spikeloom.profile.schema import Delivery, Profile, Time
from spikeloom.reference.brian2.synapses import power_of_two


def check_brian2_carries(profile: Profile) -> None:
    """Raises EmulationError for a profile in event mode."""
    if profile.event is not None:
        raise EmulationError(f"profile {profile.name}", "Brian2 does not carry event mode: a tick of its clock has "
                             "no FIFO and no order of events", remedy='use reference="twin"')  # fmt: skip


@contextmanager
def plain_numpy() -> Iterator[None]:
    """Plain numpy code in the order written, without a compiler; the preferences are put back."""
    _import_quietly()
    from brian2 import prefs

    wanted = {
        "codegen.target": "numpy",
        "codegen.string_expression_target": "numpy",
        "codegen.loop_invariant_optimisations": False,
    }
    before = {name: prefs[name] for name in wanted}
    # It says that additions with a rule depend on their order. They do, and the order is the contract's.
    generators = logging.getLogger("brian2.codegen.generators")
    level = generators.level
    generators.setLevel(logging.ERROR)
    try:
        for name, value in wanted.items():
            prefs[name] = value
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # between Brian2 and what it is built on
            yield
    finally:
        generators.setLevel(level)
        for name, value in before.items():
            prefs[name] = value


def _import_quietly() -> None:
    """Import Brian2 without the hooks that it puts into the process, and without warnings on the way."""
    if "brian2" in sys.modules:
        return
    hook = sys.excepthook
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        show = warnings.showwarning
        import brian2  # noqa: F401

        if warnings.showwarning is not show:
            logging.captureWarnings(False)
    sys.excepthook = hook


def functions() -> dict[str, Any]:
    """What the code calls beside Brian2's own functions."""
    from brian2 import Function

    def whole(value: NDArray) -> NDArray:
        return np.asarray(np.floor(value))

    def power(exponent: NDArray) -> NDArray:
        return power_of_two(exponent)

    def minimum(a: NDArray, b: NDArray) -> NDArray:
        return np.asarray(np.minimum(a, b))

    def maximum(a: NDArray, b: NDArray) -> NDArray:
        return np.asarray(np.maximum(a, b))

    found = {}
    for function, arguments in ((whole, 1), (power, 1), (minimum, 2), (maximum, 2)):
        made = Function(function, arg_units=[1] * arguments, return_unit=1)
        # Plain numbers go in: a check of units would print every array that it is given.
        made.implementations.add_numpy_implementation(function, discard_units=True)
        found[function.__name__] = made
    return found


def merged_limit(delivery: Delivery, axons: int, from_input: NDArray) -> NDArray:
    """(axons,): the number at which the profile caps the spikes of each."""
    if delivery.merge == "or":
        return np.ones(axons)
    most = [delivery.spikes_max.recurrent or np.inf, delivery.spikes_max.input or np.inf]
    return np.array(most)[np.isin(np.arange(axons), from_input).astype(np.int64)]


def in_steps(time: Time, spikes: NDArray) -> NDArray:
    """(samples, steps, lines): the counts of a tick in its first step, or each line in its own."""
    samples, ticks, lines = spikes.shape
    steps = time.steps_per_tick
    spread = np.zeros((samples, ticks, steps, lines), dtype=spikes.dtype)
    line = np.arange(lines)
    phase = line * steps // max(lines, 1) if time.input_phase == "even" else np.zeros(lines, dtype=int)
    spread[:, :, phase, line] = spikes
    return spread.reshape(samples, ticks * steps, lines)
