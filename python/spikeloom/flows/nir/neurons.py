"""The neurons of a NIR graph in a profile's registers: what they forget, where they fire, what drives them.

NIR gives differential equations. One tick of dt is one step of Euler's rule, with a spike as a current of height 1
that lasts a tick:

    I' = (1 - dt / tau_syn) I + (dt / tau_syn) w_in (W S + b)        IF, LIF: I' = W S + b
    v' = (1 - dt / tau_mem) v + (dt / tau_mem) (v_leak + R I')       IF: v' = v + dt R I'

A spike through the weight W so adds `gain * W` to the membrane, and b adds `steady * b` in every tick.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.flows.nir.graph import FlatGraph
from spikeloom.flows.nir.linear import numbering
from spikeloom.network.fidelity import Fidelity
from spikeloom.profile.dynamics import Decay, neuron_dynamics
from spikeloom.profile.schema import Profile

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Neurons:
    """One neuron node: arrays (size,) in the numbering of the population.

    kept_current, kept_membrane: the shares that a tick keeps
    gain: what a spike of weight 1 adds to the membrane; steady: what a constant 1 adds in every tick
    constant: what v_leak adds in every tick; threshold: above which v fires. Both count from v_reset.
    """

    name: str
    kept_current: Array
    kept_membrane: Array
    gain: Array
    steady: Array
    constant: Array
    threshold: Array
    resets_by: str
    metadata: dict[str, Any]

    @property
    def size(self) -> int:
        """Neurons."""
        return self.threshold.size


def neurons_of(graph: FlatGraph, name: str, dt: float | None) -> Neurons:
    """One neuron node at a tick of dt seconds.

    Raises NetworkError where the node needs a dt that nobody gave, or holds numbers that make no neuron.
    """
    node, kind = graph.nodes[name], graph.kind(name)
    if kind != "IF" and kind != "Threshold" and dt is None:
        raise graph.refusal(
            name, "has time constants, but the length of a tick is unknown", "give dt=..., in seconds"
        )
    step = 1.0 if dt is None else dt
    shape = (node.threshold if kind == "Threshold" else node.v_threshold).shape
    order = numbering(shape or (1,))

    def read(parameter: str) -> Array:
        values = np.broadcast_to(np.asarray(getattr(node, parameter), dtype=np.float64), shape)
        return values.ravel()[order]

    zero = np.zeros(order.size)
    if kind == "Threshold":
        return Neurons(name, zero, zero, zero + 1, zero + 1, zero, read("threshold"), "zero", node.metadata)
    reset, resistance = read("v_reset"), read("r")
    if kind == "IF":
        lost, gain, leak = zero, step * resistance, reset
    else:
        lost = step / _positive(graph, name, "tau" if kind == "LIF" else "tau_mem", read)
        gain, leak = lost * resistance, read("v_leak")
    kept_current, steady = zero, gain
    if kind == "CubaLIF":
        share = step / _positive(graph, name, "tau_syn", read)
        kept_current, steady = 1.0 - share, gain * read("w_in")
        gain = share * steady
    if min(lost.min(), (1 - lost).min(), kept_current.min()) < 0:
        raise graph.refusal(name, "has a time constant shorter than a tick", "give a smaller dt", value=step)
    resets_by = _text(node.metadata.get("reset", "zero"))
    return Neurons(name, kept_current, 1.0 - lost, gain, steady, lost * (leak - reset), read("v_threshold") - reset,
                   resets_by, node.metadata)  # fmt: skip


def _positive(graph: FlatGraph, name: str, parameter: str, read: Any) -> Array:
    values: Array = read(parameter)
    if values.min() <= 0:
        raise graph.refusal(name, f"{parameter} is not positive", value=float(values.min()))
    return values


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def decay_codes(
    neurons: Neurons, profile: Profile, graph: FlatGraph
) -> tuple[dict[str, NDArray], list[Fidelity]]:
    """Codes of the profile's decays, and how near they come.

    Raises NetworkError where the chip has no such decay, ProfileError where its neuron is of another kind.
    """
    dynamics = neuron_dynamics(profile)
    codes: dict[str, NDArray] = {name: np.full(neurons.size, code) for name, code in dynamics.quiet.items()}
    rows = []
    wanted = (
        ("current", dynamics.current, neurons.kept_current, 0.0),
        ("membrane", dynamics.membrane, neurons.kept_membrane, 1.0),
    )
    for what, decay, shares, only in wanted:
        if decay is not None:
            codes[decay.param] = decay.nearest(shares)
            rows.append(_row(neurons, f"share of the {what} kept", shares, codes[decay.param], decay))
        elif not (shares == only).all():
            problem = f"the chip's {what} keeps {'all' if only else 'nothing'} of its value in a tick"
            remedy = "choose a profile that leaks" if only else "choose a profile with synaptic currents"
            raise graph.refusal(neurons.name, problem, remedy, value=float(shares.flat[0]), limit=only)
    return codes, rows


def _row(neurons: Neurons, parameter: str, shares: Array, codes: NDArray, decay: Decay) -> Fidelity:
    return Fidelity(f"population {neurons.name}", parameter, shares, codes, decay.kept(codes))
