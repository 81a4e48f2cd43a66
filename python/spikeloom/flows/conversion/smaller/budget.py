"""One budget for a whole network, spread over its layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from spikeloom.ann.graph import Ann
from spikeloom.ann.surgery import columns_by_node, keep_nodes, node_width, with_layers
from spikeloom.errors import FitError, PlacementError
from spikeloom.flows.conversion.dry_network import dry_network
from spikeloom.placement.place import place
from spikeloom.profile.schema import Profile

STEPS = 40  # halvings of the share that is kept


@dataclass(frozen=True)
class Budget:
    """What the network may take on the chip: at most so many neurons and synapses; None is no limit.

    neurons: of all layers, the outputs included; a convolution has channels times positions
    synapses: connections of all layers; a kernel's are counted at every position
    cores: of the chip, as `explain` counts them
    """

    neurons: int | None = None
    synapses: int | None = None
    cores: int | None = None

    def __post_init__(self) -> None:
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        if all(value is None for value in given.values()):
            raise FitError("budget", "limits nothing", remedy="give neurons, synapses or cores")
        for name, value in given.items():
            whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
            if value is not None and not (whole and value > 0):
                raise FitError(f"budget of {name}", "must be a whole number above 0", value=value)


def sizes_within(ann: Ann, budget: Budget, profile: Profile) -> dict[str, int]:
    """The sizes of all layers but the last, the same share of each, as large as the budget allows.

    The same share, since an error of one layer's pre-activations does not say what it does to the outputs:
    sharing out by the layers' own curves was measured to be no better. Raises FitError where even one node a
    layer is too much.
    """
    cores = _core_counter(ann, profile)
    low, high = 0.0, 1.0
    if _fits(ann, _sizes(ann, high), budget, cores):
        return _sizes(ann, high)
    if not _fits(ann, _sizes(ann, low), budget, cores):
        raise FitError(f"network {ann.name!r}", "is over its budget with one node a layer", limit=budget)
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _fits(ann, _sizes(ann, middle), budget, cores) else (low, middle)
    return _sizes(ann, low)


def _sizes(ann: Ann, share: float) -> dict[str, int]:
    return {layer.name: max(1, int(share * layer.output_shape[-1])) for layer in ann.layers[:-1]}


def _fits(ann: Ann, sizes: dict[str, int], budget: Budget, cores: Callable[[dict[str, int]], float]) -> bool:
    neurons = synapses = 0
    share = 1.0  # of the nodes before, that is of the rows of a layer's matrix
    for layer in ann.layers:
        nodes = layer.output_shape[-1]
        size = sizes.get(layer.name, nodes)
        neurons += layer.positions * size
        synapses += round(layer.positions * len(layer.matrix) * share) * size
        share = size / nodes
    over = ((budget.neurons is not None and neurons > budget.neurons)
            or (budget.synapses is not None and synapses > budget.synapses))  # fmt: skip
    return not over and (budget.cores is None or cores(sizes) <= budget.cores)


def _core_counter(ann: Ann, profile: Profile) -> Callable[[dict[str, int]], float]:
    """Cores that the network takes at these sizes, infinite where it does not fit the chip; each is counted once."""
    known: dict[tuple[int, ...], float] = {}

    def count(sizes: dict[str, int]) -> float:
        key = tuple(sizes.values())
        if key not in known:
            try:
                known[key] = place(dry_network(_at_sizes(ann, sizes), profile)).n_cores
            except PlacementError:
                known[key] = np.inf
        return known[key]

    return count


def _at_sizes(ann: Ann, sizes: dict[str, int]) -> Ann:
    """The network's first nodes of each layer: which ones does not matter to the cores."""
    layers = ann.layers
    for index, layer in enumerate(ann.layers[:-1]):
        behind, kept = layers[index + 1], np.arange(sizes[layer.name])
        rows = columns_by_node(behind)[: kept.size * node_width(behind)]
        layers = keep_nodes(layers, index, kept, behind.matrix[rows], behind.bias)
    return with_layers(ann, layers)
