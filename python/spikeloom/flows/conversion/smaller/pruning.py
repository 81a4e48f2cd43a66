"""A trained network made smaller before it is converted: to sizes that are given, or to one budget.

Layer by layer, on what the layers already pruned really give: the nodes are chosen that let the next layer's
pre-activations be had with least squared error, and the next layer is solved again for them. What follows is another
problem, without a bound: the layer of the kept nodes alone, then that next layer alone, learn to bring the network's
answers, all other layers as they are, closer to the trained network's. Kept nodes so take over what those that are
gone said, and a pre-activation that nothing behind it hears of need not be right. Where several layers are pruned,
each of them and of those behind them learns once more in the end, one by one, beside what the others are by then.
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
from spikeloom.flows.conversion.learning import Layers, activity, answers
from spikeloom.flows.conversion.row_draws import drawn_rows
from spikeloom.flows.conversion.smaller.answering import Answering
from spikeloom.flows.conversion.time_limit import TimeLimit

Array = NDArray[np.float64]
ROWS = 20_000  # (image, position) rows of a selection, or 8 a column where that is more
PROVABLE = 60  # nodes up to which a proof is tried
CHUNK = 256  # images that run through the layers at a time


@dataclass(frozen=True, eq=False)
class PrunedLayer:
    """What was kept of a layer.

    name; kept: (k,) indices of its nodes; of: how many there were
    error: squared, of the next layer's pre-activations solved for the kept nodes, on the calibration rows, over
        their variance; before that layer learns the answers
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
    layers, x, found, touched = ann.layers, ann.flatten(rows), [], set()
    answering = Answering.of(ann, rows, seed)
    for index, layer in enumerate(ann.layers[:-1]):
        size = sizes.get(layer.name, layer.output_shape[-1])
        if size < layer.output_shape[-1]:
            kept, layers = _pruned(ann, layers, index, x, size, seed, limit)
            found.append(kept)
            layers = answering.learned(answering.learned(layers, index), index + 1)
            touched |= {index, index + 1}
    for index in sorted(touched) if len(found) > 1 else ():
        layers = answering.learned(layers, index)
    return with_layers(ann, layers), tuple(found)


def size_curves(ann: Ann, rows: ArrayLike, *, seed: int = 0) -> dict[str, Array]:
    """For every layer but the last: the error of the next layer's pre-activations with 0, 1, ..., n nodes left.

    Each (n + 1,), in units of their variance, the layers before unpruned: what sizes would cost, before choosing.
    """
    x = ann.flatten(rows)
    return {
        layer.name: size_curve(_selection(ann, ann.layers, index, x, seed))
        for index, layer in enumerate(ann.layers[:-1])
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
    ann: Ann, layers: Layers, index: int, x: Array, size: int, seed: int, limit: TimeLimit
) -> tuple[PrunedLayer, Layers]:
    layer, behind = layers[index], layers[index + 1]
    selection = _selection(ann, layers, index, x, seed)
    if selection.nodes <= PROVABLE:
        best = prune_exactly(selection, size, ended=lambda: limit.is_over)
    else:
        best = prune(selection, size)
    kept = PrunedLayer(
        layer.name, best.kept, selection.nodes, best.error, best.bound, best.proven,
        _warning(layer, len(x) * behind.positions, best.weights.shape[0]),
    )  # fmt: skip
    return kept, keep_nodes(layers, index, best.kept, best.weights, best.bias)


def _selection(ann: Ann, layers: Layers, index: int, x: Array, seed: int) -> Selection:
    """The problem of the nodes of layer `index`, on a seeded draw of (image, position) rows.

    layers: pruned up to there; what is wanted behind them is what the trained network has
    """
    behind = layers[index + 1]
    columns, positions = columns_by_node(behind), behind.positions
    rows = drawn_rows(len(x) * positions, max(ROWS, 8 * columns.size), seed)
    images, places = np.unique(rows // positions, return_inverse=True)
    seen, wanted = [], []
    for start in range(0, images.size, CHUNK):
        inside = (places >= start) & (places < start + CHUNK)
        given = x[images[start : start + CHUNK]]
        at = places[inside] - start, rows[inside] % positions
        seen.append(behind.unfold(activity(layers[: index + 1], given))[at][:, columns])
        trained = answers(ann.layers[: index + 2], given)
        wanted.append(trained.reshape(len(given), positions, -1)[at])
    return Selection.of(layers[index].name, np.concatenate(seen), np.concatenate(wanted), node_width(behind))


def _warning(layer: AnnLayer, rows: int, columns: int) -> str:
    if rows >= FEW_ROWS * columns:
        return ""
    return f"{layer.name}: {rows} rows for {columns} columns: the layer behind it was solved on too few rows"
