"""A NIR file as a flat graph: neurons, and the ways of linear nodes that lead from one to another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from spikeloom.errors import NetworkError

NEURONS = ("IF", "LIF", "CubaLIF", "Threshold")
LINEAR = ("Affine", "Linear", "Scale", "Conv1d", "Conv2d", "SumPool2d", "AvgPool2d", "Flatten", "Delay")
THROUGH = "Through"  # the ends of a graph inside a graph


@dataclass(frozen=True)
class Way:
    """From a neuron or input over linear nodes to a neuron or output; nodes by name, in order."""

    source: str
    nodes: tuple[str, ...]
    target: str


@dataclass(frozen=True)
class FlatGraph:
    """Nodes by name, those of inner graphs as "graph.node", and the edges between them."""

    name: str
    nodes: dict[str, Any]
    edges: tuple[tuple[str, str], ...]
    metadata: dict[str, Any] = field(default_factory=dict)

    def kind(self, name: str) -> str:
        """The class of a node."""
        return type(self.nodes[name]).__name__ if self.nodes[name] is not None else THROUGH

    def of_kind(self, *kinds: str) -> list[str]:
        """Names of the nodes of these classes."""
        return [name for name in self.nodes if self.kind(name) in kinds]

    def where(self, name: str) -> str:
        """How a message calls a node."""
        return f"node {name!r} ({self.kind(name)}) of {self.name}"

    def refusal(self, name: str, problem: str, remedy: str = "", **found: object) -> NetworkError:
        return NetworkError(self.where(name), problem, remedy=remedy or "change the graph", **found)

    def ways_to(self, target: str) -> Iterator[Way]:
        """Every way that ends at a neuron or output, back to the neurons and inputs where they begin."""
        yield from self._back(target, (), target)

    def _back(self, target: str, nodes: tuple[str, ...], reached: str) -> Iterator[Way]:
        for source in [a for a, b in self.edges if b == reached]:
            kind = self.kind(source)
            if kind in NEURONS or kind == "Input":
                yield Way(source, nodes, target)
            elif source in nodes:
                raise self.refusal(source, "lies on a circle without a neuron")
            elif kind == THROUGH:
                yield from self._back(target, nodes, source)
            else:
                yield from self._back(target, (source, *nodes), source)


def read_graph(path: str | Path) -> FlatGraph:
    """The graph of a NIR file.

    Raises NetworkError where it cannot be read, or holds a kind of node that is not supported.
    """
    subject = f"file {path}"
    try:
        import nir
    except ModuleNotFoundError:
        raise NetworkError("package nir", "is not installed", remedy='pip install "spikeloom[nir]"') from None
    if not Path(path).is_file():
        raise NetworkError(subject, "does not exist")
    try:
        graph = nir.read(str(path), type_check=False)  # sizes are checked here, by name
    except Exception as error:  # h5py and nir raise whatever a damaged file leads them to
        lines = str(error).splitlines() or [type(error).__name__]
        raise NetworkError(subject, f"is not a NIR graph, or damaged ({lines[0][:150]})") from error
    return flat_graph(Path(path).stem, graph)


def flat_graph(name: str, graph: Any) -> FlatGraph:
    """A NIR graph without graphs inside it.

    Raises NetworkError for a kind of node that is not supported.
    """
    nodes: dict[str, Any] = {}
    edges: list[tuple[str, str]] = []
    _inline(graph, "", nodes, edges)
    flat = FlatGraph(f"graph {name!r}", nodes, tuple(dict.fromkeys(edges)), dict(graph.metadata or {}))
    known = (*NEURONS, *LINEAR, "Input", "Output", THROUGH)
    for node in nodes:
        if flat.kind(node) not in known:
            raise flat.refusal(
                node, "this kind of node is not supported", f"use only {', '.join(known[:-1])}"
            )
    for end in {end for edge in edges for end in edge} - set(nodes):
        raise NetworkError(flat.name, "an edge leads to a node that it does not have", value=end)
    return flat


def _inline(graph: Any, prefix: str, nodes: dict[str, Any], edges: list[tuple[str, str]]) -> None:
    inner = {name for name, node in graph.nodes.items() if type(node).__name__ == "NIRGraph"}
    for name, node in graph.nodes.items():
        if name in inner:
            _inline(node, f"{prefix}{name}.", nodes, edges)
        else:
            is_end = prefix and type(node).__name__ in ("Input", "Output")
            nodes[prefix + name] = None if is_end else node
    edges += [
        (_end(graph, prefix, a, inner, "Output"), _end(graph, prefix, b, inner, "Input"))
        for a, b in graph.edges
    ]


def _end(graph: Any, prefix: str, name: str, inner: set[str], kind: str) -> str:
    """The node that an edge meets: of an inner graph, its input or output."""
    if name not in inner:
        return prefix + name
    ends = [key for key, node in graph.nodes[name].nodes.items() if type(node).__name__ == kind]
    if len(ends) != 1:
        raise NetworkError(f"graph {prefix + name!r}", f"does not have one {kind}", value=len(ends), limit=1)
    return f"{prefix}{name}.{ends[0]}"


def shape_of(node: Any) -> tuple[int, ...]:
    """Of a neuron's or input's signal."""
    given = (
        node.input_type["input"] if type(node).__name__ in ("Input", "Threshold") else node.v_threshold.shape
    )
    return tuple(int(side) for side in np.atleast_1d(given)) or (1,)
