"""A trained network made smaller before it is converted: to sizes that are given, or to one budget.

Layer by layer, on what the layers already pruned really give: the nodes are chosen that let the next layer's
pre-activations be had with least error, and the next layer is solved again for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.ann.surgery import columns_by_node, keep_nodes, node_width, with_layers
from spikeloom.errors import FitError
from spikeloom.fit.layer import FEW_ROWS
from spikeloom.fit.prune import Selection, prune, size_curve
from spikeloom.fit.prune_exact import prune_exactly
from spikeloom.flows.conversion.time_limit import TimeLimit

Array = NDArray[np.float64]
ROWS = 6000  # (image, position) rows of a selection, or 8 a column where that is more
PROVABLE = 60  # nodes up to which a proof is tried


@dataclass(frozen=True, eq=False)
class PrunedLayer:
    """What was kept of a layer.

    name; kept: (k,) indices of its nodes; of: how many there were
    error: of the next layer's pre-activations on the calibration rows, over their variance
    bound: below which no choice of as many nodes can bring it; proven: they are the same
    """

    name: str
    kept: NDArray[np.intp]
    of: int
    error: float
    bound: float
    proven: bool
    warning: str = ""

    def report(self) -> dict[str, Any]:
        """The figures as plain JSON values."""
        return {"name": self.name, "nodes": int(self.kept.size), "of": self.of, "error": self.error,
                "bound": self.bound, "proven": self.proven}  # fmt: skip


def prune_network(
    ann: Ann,
    rows: ArrayLike,
    sizes: Mapping[str, int],
    *,
    seed: int = 0,
    limit: TimeLimit | None = None,
) -> tuple[Ann, tuple[PrunedLayer, ...]]:
    """The network with `sizes[name]` nodes left in each named layer, and what was kept.

    A node is an output of a dense layer or a channel of a convolution; names of layers that are not given keep
    all. rows: (N, *input_shape) calibration rows; no labels are needed. limit: when the search for a proof ends.

    Raises FitError for an unknown layer, for the last one, or a size that the layer does not have.
    """
    check_sizes(ann, sizes)
    limit = TimeLimit(None) if limit is None else limit
    wanted = ann.preactivations(rows)
    layers, given, found = ann.layers, ann.flatten(rows), []
    for index, layer in enumerate(ann.layers):
        size = sizes.get(layer.name, layer.output_shape[-1])
        before = layers[index]
        given = before.activate(before.preactivation(given))
        if size < layer.output_shape[-1]:
            kept, layers = _pruned(layers, index, given, wanted[index + 1], size, seed, limit)
            found.append(kept)
            given = given.reshape(len(given), -1, layer.output_shape[-1])[..., kept.kept]
            given = given.reshape(len(given), -1)
    return with_layers(ann, layers), tuple(found)


def size_curves(ann: Ann, rows: ArrayLike, *, seed: int = 0) -> dict[str, Array]:
    """For every layer but the last: the error of the next layer's pre-activations with 0, 1, ..., n nodes left.

    Each (n + 1,), in units of their variance, the layers before unpruned: what sizes would cost, before choosing.
    """
    wanted, given = ann.preactivations(rows), ann.forward(rows)
    return {
        layer.name: size_curve(_selection(layer.name, behind, given[k], wanted[k + 1], seed))
        for k, (layer, behind) in enumerate(zip(ann.layers, ann.layers[1:], strict=False))
    }


def check_sizes(ann: Ann, sizes: Mapping[str, int]) -> None:
    """Refuse sizes of unknown layers, of the last one, and sizes that a layer does not have."""
    nodes = {layer.name: layer.output_shape[-1] for layer in ann.layers}
    grouped = [layer.name for layer in ann.layers if layer.groups > 1 and not layer.is_max]
    if grouped and sizes:
        raise FitError(f"layer {grouped[0]!r}", "is a grouped convolution: its network cannot be pruned")
    if sizes and not ann.is_chain:
        raise FitError(f"network {ann.name!r}", "has branches or max pooling: only a chain of layers is pruned",
                       remedy="leave sizes and budget out")  # fmt: skip
    for name, size in sizes.items():
        if name not in nodes:
            raise FitError(f"layer {name!r}", "is not in the network", limit=", ".join(nodes))
        if name == ann.layers[-1].name and size != nodes[name]:
            raise FitError(f"layer {name!r}", "gives the outputs and cannot be pruned", value=size,
                           limit=nodes[name])  # fmt: skip
        whole = isinstance(size, int | np.integer) and not isinstance(size, bool)
        if not whole or not 1 <= size <= nodes[name]:
            raise FitError(f"layer {name!r}", "cannot be pruned to this size", value=size,
                           limit=f"1 to {nodes[name]}")  # fmt: skip


def _pruned(
    layers: tuple[AnnLayer, ...],
    index: int,
    given: Array,
    wanted: Array,
    size: int,
    seed: int,
    limit: TimeLimit,
) -> tuple[PrunedLayer, tuple[AnnLayer, ...]]:
    layer, behind = layers[index], layers[index + 1]
    selection = _selection(layer.name, behind, given, wanted, seed)
    if selection.nodes <= PROVABLE:
        best = prune_exactly(selection, size, ended=lambda: limit.is_over)
    else:
        best = prune(selection, size)
    kept = PrunedLayer(
        layer.name, best.kept, selection.nodes, best.error, best.bound, best.proven,
        _warning(layer, len(given) * behind.positions, best.weights.shape[0]),
    )  # fmt: skip
    return kept, keep_nodes(layers, index, best.kept, best.weights, best.bias)


def _selection(name: str, behind: AnnLayer, given: Array, wanted: Array, seed: int) -> Selection:
    """The problem of the nodes before `behind`, on a seeded draw of (image, position) rows."""
    columns = columns_by_node(behind)
    total = len(given) * behind.positions
    rows = np.arange(total)
    most = max(ROWS, 8 * columns.size)
    if behind.positions > 1 and total > most:
        rows = np.sort(np.random.default_rng(seed).choice(total, most, replace=False))
    image, position = np.divmod(rows, behind.positions)
    activity = np.empty((rows.size, columns.size))
    for one in np.unique(image):
        inside = image == one
        activity[inside] = behind.unfold(given[one : one + 1])[0, position[inside]][:, columns]
    answers = wanted.reshape(len(wanted), behind.positions, -1)[image, position]
    return Selection.of(name, activity, answers, node_width(behind))


def _warning(layer: AnnLayer, rows: int, columns: int) -> str:
    if rows >= FEW_ROWS * columns:
        return ""
    return f"{layer.name}: {rows} rows for {columns} columns: the layer behind it was solved on too few rows"
