"""What makes a real chip differ from its drawing; each docstring is the specification.

An imperfection has a name, by which a run may leave it out, and a number: its place in the profile's list, from
0. Frozen ones are drawn once for a chip: z is the normal number (machine.md, section 5) of the key
(chip_seed, stream of the kind) and the counter (index >> 2, number, 0, core). The index counts neurons,
synapses or rows within their core. Synapses count by axon, then as stored. What is left out draws nothing and
moves no other draw. Temporal ones are drawn anew in every step of every trial.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from spikeloom.profile.tables import Table

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Imperfection(Table):
    name: str
    """Unique in the list; a run selects effects by it."""
    unit: str = ""
    """Unit of a spread that is given as `std`."""


class Mismatch(_Imperfection):
    """Frozen spread of a parameter or of the weights. Stream 16.

    cv: the value times a factor f, std: the value plus a difference. normal: f = 1 + cv z, or std z is added;
    normal_cut0: the same, and 0 where that would turn the value's sign; lognormal (cv only):
    f = exp(s z - s^2 / 2), s^2 = ln(1 + cv^2). The index of z: the neuron, the synapse, the row (2 axon, plus
    1 where the weight is negative: a signed weight takes two rows), or 0 for a whole core.
    """

    kind: Literal["mismatch"]
    of: str
    """A parameter, or "weight"."""
    scope: Literal["neuron", "synapse", "row", "core"]
    """What has a draw of its own."""
    distribution: Literal["normal", "normal_cut0", "lognormal"]
    """Of the draws."""
    cv: NotNegative | None = None
    """Relative standard deviation."""
    std: NotNegative | None = None
    """Absolute standard deviation."""


class Dead(_Imperfection):
    """Neurons that make no spike; their state goes on. Word of index below fraction 2^32. Stream 17."""

    kind: Literal["dead"]
    fraction: Share
    """Of the neurons."""


class Stuck(_Imperfection):
    """Synapses that have one weight, whatever was written. Word of index below fraction 2^32. Stream 18."""

    kind: Literal["stuck"]
    fraction: Share
    """Of the synapses."""
    at: float = 0.0
    """Their effective weight."""


class ProgrammingError(_Imperfection):
    """A weight is the difference of two conductances, max(w, 0) and max(-w, 0), each written with an error.

    x = g / g_max, g' = max(0, g + (c0 + c1 x + c2 x^2) z); index 2 synapse, plus 1 for the second. Stream 19.
    """

    kind: Literal["programming_error"]
    g_max: Positive
    """Largest conductance, in the unit of the weights."""
    polynomial: tuple[float, ...]
    """c0, c1, ... of the standard deviation, in the unit of the weights."""


class Drift(_Imperfection):
    """Each conductance of a weight decays with its age: g' = g ((t0 + age) / t0)^-nu. Stream 20.

    x = g / g_max; nu = mean + spread z; mean = clip(mean_log ln x + mean_at_1, mean_min, mean_max), spread
    likewise; index as for `programming_error`. g = 0 stays; z^p is exp(p ln z).
    """

    kind: Literal["drift"]
    g_max: Positive
    """Largest conductance, in the unit of the weights."""
    t0_s: Positive
    """Time between writing and the first read: age 0."""
    mean_log: float
    """Slope of the mean exponent over ln x."""
    mean_at_1: float
    """Mean exponent at g_max."""
    mean_min: float
    """Smallest mean exponent."""
    mean_max: float
    """Largest mean exponent."""
    spread_log: float
    """Slope of the exponent's standard deviation over ln x."""
    spread_at_1: float
    """Standard deviation of the exponent at g_max."""
    spread_min: NotNegative
    """Smallest standard deviation of the exponent."""
    spread_max: NotNegative
    """Largest standard deviation of the exponent."""


class ReadNoise(_Imperfection):
    """Each step reads a synapse once: its weight plus s z, for all spikes of the step. Temporal, stream 3.

    For each conductance x = g / g_max, q = min(q_max, q_at_1 x^-power), s_g = q g sqrt(ln((t + t_read) /
    (2 t_read))), t = t0 + age; s is the root of the sum of both squares. g after all frozen effects.
    """

    kind: Literal["read_noise"]
    g_max: Positive
    """Largest conductance, in the unit of the weights."""
    q_at_1: NotNegative
    """Relative noise at g_max."""
    power: NotNegative
    """How fast it grows for smaller conductances."""
    q_max: NotNegative
    """Its largest value."""
    t_read_s: Positive
    """Length of a read."""
    t0_s: Positive
    """Time between writing and the first read: age 0."""


class Jitter(_Imperfection):
    """A neuron's spike arrives fl(std_s / dt_s z + 1/2) steps later, at least in the next step. Temporal.

    Stream 4; index the neuron. More than fl(max_s / dt_s + 1/2) steps later do not occur.
    """

    kind: Literal["jitter"]
    std_s: NotNegative
    """Standard deviation."""
    max_s: NotNegative
    """Largest delay that it adds."""


class Noise(_Imperfection):
    """Temporal noise whose standard deviation is a parameter; without it that parameter is 0."""

    kind: Literal["noise"]
    of: str
    """The parameter."""


class OperationEffect(_Imperfection):
    """An imperfection that stands in the operation list: noise of the membrane, a converter, a rail.

    Without it, its operations are left out.
    """

    kind: Literal["operation"]
    operations: tuple[str, ...]
    """Names in the operation list."""


IMPERFECTIONS = (Mismatch, Dead, Stuck, ProgrammingError, Drift, ReadNoise, Jitter, Noise, OperationEffect)
STREAMS = {"mismatch": 16, "dead": 17, "stuck": 18, "programming_error": 19, "drift": 20}

Imperfection = Annotated[
    Mismatch | Dead | Stuck | ProgrammingError | Drift | ReadNoise | Jitter | Noise | OperationEffect,
    Field(discriminator="kind"),
]


def is_idle(entry: _Imperfection) -> bool:
    """Whether an entry does nothing as it stands: its share or its spread is 0, until a profile sets another."""
    sizes = [getattr(entry, name, None) for name in ("cv", "std", "fraction", "std_s")]
    given = [size for size in sizes if size is not None]
    return bool(given) and not any(given)
