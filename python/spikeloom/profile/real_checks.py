"""Soundness of what only an analog soma has: operations of real numbers, steps, time constants."""

from __future__ import annotations

from collections.abc import Iterator

from spikeloom.profile.linear_operations import Linear, LinearStep
from spikeloom.profile.neuron_steps import AdexStep, DpiStep
from spikeloom.profile.operation_base import Operand, _Operation
from spikeloom.profile.operations import Fire
from spikeloom.profile.real_operations import Adc, Dac, ExpEuler
from spikeloom.profile.schema import Profile

MOST_STATES = 8  # of one linear_exact
MOST_STEPS = 65535  # of one tick


def real_problems(profile: Profile, operation: _Operation) -> Iterator[tuple[str, str]]:
    """(field, problem) of everything that an operation of real numbers cannot mean."""
    if not profile.is_analog:
        yield "op", "is an operation of real numbers, and the soma is digital"
    if isinstance(operation, Linear):
        yield from _linear_problems(profile, operation)
    if isinstance(operation, LinearStep):
        yield from _linear_step_problems(profile, operation)
    if isinstance(operation, ExpEuler):
        yield from (("tau", problem) for problem in _time_constant(profile, operation.tau))
    if isinstance(operation, Linear | ExpEuler | DpiStep | AdexStep) and profile.time.dt_s is None:
        yield "op", "needs time.dt_s"
    if isinstance(operation, AdexStep):
        for field in ("tau_m", "tau_exc", "tau_inh", "tau_w"):
            yield from ((field, problem) for problem in _time_constant(profile, getattr(operation, field)))
    if isinstance(operation, DpiStep) and operation.integrator == "exponential":
        for field in ("late", "threshold"):
            if getattr(operation, field) is None:
                yield field, "is what the integrator exponential needs beside"
    if isinstance(operation, Adc | Dac):
        if operation.inl and len(operation.inl) != 2**operation.bits:
            yield "inl", f"needs one number for each of {2**operation.bits} codes, got {len(operation.inl)}"
        if isinstance(operation.lo, int) and isinstance(operation.hi, int) and operation.lo >= operation.hi:
            yield "lo", f"needs lo below hi, got {operation.lo} and {operation.hi}"


def _linear_problems(profile: Profile, operation: Linear) -> Iterator[tuple[str, str]]:
    states = operation.states
    if not 1 <= len(states) <= MOST_STATES or len(set(states)) < len(states):
        yield "states", f"needs 1 to {MOST_STATES} registers, each once"
    if len(operation.taus) != len(states):
        yield "taus", f"needs one time constant a state, got {len(operation.taus)} for {len(states)}"
    for state in operation.gains:
        if state not in states:
            yield "gains", f"{state} is no state of the operation"
    for tau in operation.taus:
        yield from (("taus", problem) for problem in _time_constant(profile, tau))
    for row in operation.gains.values():
        for gain in row.values():
            if not isinstance(gain, int) and gain not in profile.params:
                yield "gains", f"{gain} must be a parameter or an integer: the matrix is computed once"


def _linear_step_problems(profile: Profile, operation: LinearStep) -> Iterator[tuple[str, str]]:
    """What a neuron that starts again within its step needs: a membrane that moves no other state, and its `fire`."""
    membrane = operation.states[0] if operation.states else ""
    if set(operation.gains) - {membrane} or membrane in operation.gains.get(membrane, {}):
        yield "gains", f"only {membrane}, the first state, may have sources, and not itself; the others decay"
    fire = next((entry for entry in profile.operation if isinstance(entry, Fire)), None)
    if fire is None or fire.reg != membrane:
        yield "states", f"the first one, {membrane}, must be the register that the operation fire compares"
        return
    wanted = {"cmp": "gt", "thr": operation.threshold, "reset": "value", "value": operation.value}
    for field, value in wanted.items():
        if getattr(fire, field) != value:
            yield (
                "op",
                f"needs {field} = {value!r} in the operation {fire.name}, got {getattr(fire, field)!r}",
            )
    if fire.start.get(operation.fired) != 1 or operation.refractory not in (0, *fire.start):
        yield "fired", f"operation {fire.name} must start {operation.fired} at 1, and the refractory counter"


def _time_constant(profile: Profile, tau: Operand) -> Iterator[str]:
    """A time constant is a parameter that no network can make 0 or negative."""
    if not isinstance(tau, str) or tau not in profile.params:
        yield f"{tau} must be a parameter, in seconds"
        return
    param = profile.params[tau]
    if param.format != "float" or param.min is None or param.min <= 0:
        yield f"params.{tau} is a time constant: it needs the format float and a min above 0"


def continuous_findings(profile: Profile) -> Iterator[str]:
    """Does the step divide the tick, and does only a continuous chip have one?"""
    time = profile.time
    if time.mode != "continuous":
        for key in ("dt_s", "input_phase"):
            if key in time.model_fields_set and getattr(time, key) not in (None, "first"):
                yield f"time.{key}: only the mode continuous has steps"
        return
    if not profile.is_analog:
        yield "time.mode: continuous needs an analog soma"
    if time.dt_s is None or time.tick_s is None:
        yield "time: the mode continuous needs tick_s and dt_s"
        return
    steps = time.tick_s / time.dt_s
    if abs(steps - round(steps)) > 1e-9 * steps or not 1 <= round(steps) <= MOST_STEPS:
        yield f"time.dt_s: a tick must be a whole number of steps from 1 to {MOST_STEPS}, got {steps:g}"
