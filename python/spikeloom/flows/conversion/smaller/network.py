"""The network at the designer's sizes, before it is converted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import Ann
from spikeloom.errors import FitError
from spikeloom.fit.problem import LayerFit
from spikeloom.flows.conversion.smaller.budget import Budget, sizes_within
from spikeloom.flows.conversion.smaller.distillation import distil
from spikeloom.flows.conversion.smaller.pruning import PrunedLayer, prune_network
from spikeloom.flows.conversion.time_limit import TimeLimit
from spikeloom.profile.schema import Profile


@dataclass(frozen=True)
class Smaller:
    """What the designer asks for: sizes by layer or one budget, and whether all weights are taught afterwards."""

    sizes: Mapping[str, int] | None = None
    budget: Budget | None = None
    distil: bool = False

    def __post_init__(self) -> None:
        if self.sizes is not None and self.budget is not None:
            raise FitError("sizes", "and a budget exclude one another", remedy="give one of them")
        if self.distil and self.sizes is None and self.budget is None:
            raise FitError("distil", "is for a pruned network", remedy="give sizes or a budget")


def smaller_network(
    ann: Ann, profile: Profile, rows: NDArray[np.float64], wanted: Smaller, seed: int, limit: TimeLimit
) -> tuple[Ann, tuple[PrunedLayer, ...]]:
    """The network with fewer nodes and what was kept, on rows that no candidate is judged on."""
    sizes = wanted.sizes if wanted.budget is None else sizes_within(ann, wanted.budget, profile)
    if not sizes:
        return ann, ()
    smaller, pruned = prune_network(ann, rows, sizes, seed=seed, limit=limit)
    return (distil(smaller, ann, rows, seed=seed) if wanted.distil and pruned else smaller), pruned


def with_kept(fits: tuple[LayerFit, ...], ann: Ann, pruned: tuple[PrunedLayer, ...]) -> tuple[LayerFit, ...]:
    """The fits with the nodes of the trained network that their columns stand for; ann: as it was converted."""
    kept = {layer.name: np.arange(layer.output_shape[-1]) for layer in ann.layers}
    kept |= {layer.name: layer.kept for layer in pruned}
    return tuple(replace(fit, kept=kept.get(fit.name, fit.kept)) for fit in fits)
