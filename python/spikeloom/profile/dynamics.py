"""What a neuron of a profile forgets in a tick: the decays of its membrane and of its synaptic current."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.errors import ProfileError
from spikeloom.profile.operations import DecayMul, DecayShift, DecaySub, LeakSigned
from spikeloom.profile.schema import Profile

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Decay:
    """How the code of a parameter says which share of a register is kept in a tick.

    shift: the share is 1 - (offset + code) / 2^shift; None: it is 1 - 2^-code
    low, high: of the code
    """

    register: str
    param: str
    low: int
    high: int
    offset: int = 0
    shift: int | None = None

    def kept(self, code: ArrayLike) -> Array:
        """The share that is kept.

        >>> Decay("v", "decay_v", 0, 4095, 1, 12).kept([0, 4095]).tolist()
        [0.999755859375, 0.0]
        """
        codes = np.asarray(code, dtype=np.float64)
        return 1.0 - (2.0**-codes if self.shift is None else (self.offset + codes) / 2.0**self.shift)

    def nearest(self, share: ArrayLike) -> NDArray[np.int64]:
        """The code whose share is nearest to this one.

        >>> Decay("v", "decay_v", 0, 15).nearest([0.5, 0.76, 0.9999]).tolist()
        [1, 2, 13]
        """
        lost = 1.0 - np.asarray(share, dtype=np.float64)
        if self.shift is not None:
            codes = np.rint(lost * 2.0**self.shift) - self.offset
            return np.asarray(np.clip(codes, self.low, self.high), dtype=np.int64)
        codes = np.arange(self.low, self.high + 1)
        return np.asarray(self.low + np.abs(2.0**-codes - lost[..., np.newaxis]).argmin(axis=-1))


@dataclass(frozen=True)
class Dynamics:
    """The decays of a neuron, None where a register keeps all (membrane) or nothing (current) of its value.

    quiet: parameter codes at which every other leak is off
    """

    membrane: Decay | None
    current: Decay | None
    quiet: dict[str, int]


def neuron_dynamics(profile: Profile) -> Dynamics:
    """The decays of a profile's neuron.

    Raises ProfileError where its list holds an operation that is no decay, sum, bound or threshold, or more than
    one decay before the membrane.
    """
    membrane: Decay | None = None
    currents: list[Decay] = []
    quiet: dict[str, int] = {}
    for operation in profile.operation:
        if isinstance(operation, DecayMul | DecayShift):
            decay = _decay(operation, profile)
            if decay.register == profile.fire.reg:
                membrane = decay
            else:
                currents.append(decay)
        elif isinstance(operation, DecaySub | LeakSigned):
            leak = operation.param if isinstance(operation, DecaySub) else operation.lambda_
            quiet |= _off(str(leak), profile)
        elif operation.op not in KNOWN:
            raise _unknown(profile, f"operation {operation.name} is no decay, sum, bound or threshold")
    if len(currents) > 1:
        raise _unknown(profile, "several registers before the membrane decay")
    return Dynamics(membrane, currents[0] if currents else None, quiet)


KNOWN = ("sum", "clip", "clear", "hold_zero", "count_down", "fire", "multi_fire")


def _decay(operation: DecayMul | DecayShift, profile: Profile) -> Decay:
    param = profile.params.get(str(operation.param))
    if param is None or param.format != "int":
        raise _unknown(profile, f"the decay of operation {operation.name} is not a parameter")
    ends = (str(operation.param), int(param.min or 0), int(param.max or 0))
    if isinstance(operation, DecayMul):
        return Decay(operation.reg, *ends, operation.offset, operation.shift)
    return Decay(operation.reg, *ends)


def _off(name: str, profile: Profile) -> dict[str, int]:
    param = profile.params.get(name)
    if param is None or (param.min or 0) > 0 or (param.max or 0) < 0:
        raise _unknown(profile, f"its leak {name} cannot be turned off")
    return {name: 0}


def _unknown(profile: Profile, problem: str) -> ProfileError:
    return ProfileError(f"profile {profile.name}", f"has neurons that are not leaky integrators: {problem}",
                        remedy="choose another profile")  # fmt: skip
