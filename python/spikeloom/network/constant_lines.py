"""A bias by axons: input lines that always send, for chips whose neurons have no bias of their own.

A line of rate r through the code k adds r k in every tick. The lines have falling rates, so that a bias is made of a
coarse part and finer ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.network.network import SpikingNetwork
from spikeloom.network.projection import Population
from spikeloom.profile.schema import Profile
from spikeloom.profile.weights import mode_names, weight_levels

Array = NDArray[np.float64]
LINES = "constant"  # name of the input
RATES = (8.0, 2.0, 0.5, 0.125)  # spikes a tick


@dataclass(frozen=True, eq=False)
class ConstantLines:
    """codes: (lines, n) of the synapses of each line; rates: of the lines; shared: values of their weights."""

    codes: NDArray
    rates: tuple[float, ...]
    shared: Mapping[str, Any] = field(default_factory=dict)

    def connect(self, network: SpikingNetwork, target: Population, copies: int = 1, late: int = 0) -> None:
        """Add the synapses; all layers of a network share the lines. late: delay of the synapses."""
        lines = _constant_input(network, self.rates)
        network.connect(lines, target, np.tile(self.codes, copies), delays=late, **self.shared)


def bias_lines(bias: Array, profile: Profile) -> ConstantLines:
    """The lines that come nearest to these biases (m,), in LSB a tick."""
    codes = line_codes(bias, profile)
    return ConstantLines(codes, RATES * (len(codes) // len(RATES)))


def line_codes(bias: Array, profile: Profile) -> NDArray[np.int32]:
    """(lines, m) codes that come nearest to these biases (m,), in LSB a tick; what is out of reach is cut off.

    Where a source has one sign, its lines are doubled: those that add stand before those that take away.
    """
    levels = weight_levels(profile.weights, mode_names(profile.weights)[0])
    left, rows = np.array(bias, dtype=np.float64), []
    for rate in RATES:
        codes = np.clip(np.rint(left / (rate * levels.step)) * levels.step, levels.low, levels.high)
        left -= rate * codes
        rows.append(codes)
    codes = np.stack(rows).astype(np.int32)
    if profile.weights.formula == "sign_pre":
        codes = np.concatenate((np.maximum(codes, 0), np.minimum(codes, 0)))
    return codes


def largest_line_bias(profile: Profile) -> float:
    """Largest bias of either sign that the lines bring together, in LSB a tick; infinite where it needs no lines."""
    if profile.bias.kind != "axon":
        return float("inf")
    levels = weight_levels(profile.weights, mode_names(profile.weights)[0])
    return sum(RATES) * float(min(levels.high, -levels.low))


def _constant_input(network: SpikingNetwork, rates: tuple[float, ...]) -> Population:
    """The lines, which all layers of a network share."""
    if LINES in network.populations:
        return network.populations[LINES]
    return network.input(LINES, len(rates), encoding="constant", scale=np.array(rates))
