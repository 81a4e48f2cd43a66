"""Check the inputs and the neurons of a network against the profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.errors import NetworkError
from spikeloom.network.projection import Encoding, Population
from spikeloom.network.values import INT32, count, integers, reals, spread, unknown
from spikeloom.profile.schema import Param, Profile, Register

ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
MOST_SPIKES = 255  # of a line in a tick


def checked_input(
    subject: str,
    name: str,
    size: int,
    encoding: Encoding,
    scale: ArrayLike | None,
    signed: bool,
    planes: int,
    order: ArrayLike | None,
) -> Population:
    """An input whose size, encoding, scale, sign and planes agree."""
    if encoding not in ENCODINGS:
        remedy = f"choose one of {', '.join(ENCODINGS)}"
        raise NetworkError(subject, f"there is no encoding {encoding}", remedy=remedy)
    if encoding == "spikes" and (signed or scale is not None):
        problem = "takes spike counts, which have no scale and no sign"
        raise NetworkError(subject, problem, remedy='choose an encoding of values, such as "rate"')
    if encoding == "constant" and (signed or order is not None or scale is None):
        raise NetworkError(subject, "takes no values: it has neither sign nor order, and needs a scale, its rates",
                           remedy="give the spikes a tick of each line as scale")  # fmt: skip
    lines = count(planes, subject, "planes") * (2 if signed else 1)
    if planes > 1 and encoding != "bits":
        raise NetworkError(subject, "only the encoding bits has planes", value=planes, limit=1)
    if size % lines:
        problem = f"a channel has {lines} lines, which do not divide the size"
        raise NetworkError(subject, problem, value=size, remedy=f"make the size a multiple of {lines}")
    scales = None
    if encoding != "spikes":
        given = reals(1.0 if scale is None else scale, subject, "scale")
        scales = spread(given, size // lines, subject, "scale")
    if encoding == "constant" and scales is not None and not ((scales > 0) & (scales <= MOST_SPIKES)).all():
        raise NetworkError(subject, "has a rate out of range", value=float(np.min(scales)),
                           limit=f"above 0, at most {MOST_SPIKES}")  # fmt: skip
    numbers = None if order is None else _permutation(subject, order, size // lines)
    return Population(name, int(size), encoding, scales, bool(signed), int(planes), numbers)


def _permutation(subject: str, order: ArrayLike, channels: int) -> NDArray:
    """(channels,) int32, every number once."""
    numbers = integers(order, subject, "order", 0, channels - 1)
    if not np.array_equal(np.sort(numbers), np.arange(channels)):
        raise NetworkError(subject, "order must name every channel once", limit=channels)
    return numbers


def parameter_ranges(profile: Profile) -> dict[str, Param]:
    """Every parameter a network may give: the profile's, and `NAME_exp` beside a `mant_exp` one."""
    ranges: dict[str, Param] = {}
    for name, param in profile.params.items():
        ranges[name] = param
        if param.format == "mant_exp":
            ranges[f"{name}_exp"] = Param(min=0, max=param.exp_max, default=0, scope=param.scope)
    return ranges


def free_registers(profile: Profile) -> dict[str, Register]:
    """The register elements that a network may start, "v" or "i[0]"."""
    elements = {element: element.partition("[")[0] for element in profile.element_names()}
    free = {name for name, state in profile.state.items() if state.init == "free"}
    return {element: profile.regs[name] for element, name in elements.items() if name in free}


def checked_params(
    subject: str, given: Mapping[str, ArrayLike], size: int, profile: Profile
) -> Mapping[str, NDArray]:
    """Every parameter of the profile, (size,) codes each; what is not given has its default."""
    known = parameter_ranges(profile)
    for name in given:
        if name not in known:
            raise unknown(subject, "parameter", name, known)
    codes = {name: _param(subject, name, param, given, size) for name, param in known.items()}
    _check_alias(subject, codes, profile)
    return codes


def _param(subject: str, name: str, param: Param, given: Mapping[str, ArrayLike], size: int) -> NDArray:
    value = given.get(name, param.default)
    if value is None:
        limit = None if param.min is None or param.max is None else f"{param.min:g} to {param.max:g}"
        raise NetworkError(subject, f"needs the parameter {name}", limit=limit, remedy=f"give {name}=...")
    check = reals if param.is_real else integers
    codes = spread(check(value, subject, name, param.min, param.max), size, subject, name)
    if param.scope == "population" and np.ptp(codes):
        raise NetworkError(subject, f"{name} has one value for a whole population",
                           remedy="give one number, or make several populations")  # fmt: skip
    return codes


def _check_alias(subject: str, codes: Mapping[str, NDArray], profile: Profile) -> None:
    """A neuron gives its spikes to one of its own population, which stands on the same core."""
    if profile.alias is None:
        return
    name = profile.alias.offset
    size = codes[name].size
    target = np.arange(size) + codes[name]
    outside = (target < 0) | (target >= size)
    if outside.any():
        neuron = int(np.argmax(outside))
        raise NetworkError(
            subject, f"{name} of neuron {neuron} gives its spikes to a neuron that the population does not have",
            value=int(target[neuron]), limit=f"0 to {size - 1}", remedy="give the distance to a neuron of it",
        )  # fmt: skip


def checked_init(
    subject: str, given: Mapping[str, ArrayLike], size: int, profile: Profile
) -> Mapping[str, NDArray]:
    """The start of every free register element, (size,) each; what is not given starts at 0."""
    free = free_registers(profile)
    for name in given:
        if name not in free:
            raise unknown(subject, "free register", name, free)
    values = {name: _start(subject, name, given.get(name, 0), free[name]) for name in free}
    return {name: spread(value, size, subject, name) for name, value in values.items()}


def _start(subject: str, name: str, value: ArrayLike, register: Register) -> NDArray:
    if register.bits is None:
        return reals(value, subject, name)
    half = 1 << (register.bits - 1)
    low, high = (-half, half - 1) if register.signed else (0, min(2 * half - 1, INT32[1]))
    return integers(value, subject, name, low, high)
