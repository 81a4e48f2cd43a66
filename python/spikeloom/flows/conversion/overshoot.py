"""What becomes of the part of a potential that is above the threshold when a spike resets a neuron to zero.

It is lost, or kept: by the neuron itself where the chip's current can gather its input (see `network.carried`), else
by a keeper, a second neuron beside each (see `network.held_back`). Where neurons subtract their threshold nothing is
lost, and there is nothing to choose.
"""

from __future__ import annotations

from typing import Literal

from spikeloom.ann.graph import Ann
from spikeloom.errors import FitError
from spikeloom.flows.conversion.pools.max_pool import Pool
from spikeloom.network.carried import can_carry
from spikeloom.network.held_back import can_hold_back
from spikeloom.profile.schema import Profile

Overshoot = Literal["lose", "keep"]
OVERSHOOTS = ("lose", "keep")
Way = Literal["", "itself", "keeper"]  # who keeps it


def way_to_keep(overshoot: Overshoot, ann: Ann, profile: Profile, pool: Pool) -> Way:
    """Who keeps a neuron's overshoot on this chip, "" where nothing is to be kept.

    Raises FitError where neurons lose it, and the chip has no way to keep it; or where neurons that would keep it by
    themselves should be held back by a pool, which counts on their reset.
    """
    if overshoot == "lose" or getattr(profile.fire, "reset", "subtract") in ("subtract", "none"):
        return ""
    if can_carry(profile):
        if pool != "tree" and any(layer.is_max for layer in ann.layers):
            raise FitError("overshoot", "cannot be kept by neurons that a pool holds back", value=pool,
                           limit="tree", remedy='use pool="tree", or a race, which has keepers, alone')  # fmt: skip
        return "itself"
    if can_hold_back(profile):
        return "keeper"
    raise FitError("overshoot", "cannot be kept by this chip's neurons", value=profile.name,
                   limit="a reset to zero with exact delays", remedy='use overshoot="lose"')  # fmt: skip
