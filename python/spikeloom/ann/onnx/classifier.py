"""Classifiers that give a label beside its scores, as skl2onnx writes them: cut back to the scores.

The label is the name at the place of the largest score: ArgMax, then ArrayFeatureExtractor. Of two classes only the
second one's probability p is computed, and 1 - p put beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx


def scores_only(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model up to the scores that its label is chosen by; the model itself where it gives no such label."""
    makers = {name: node for node in model.graph.node for name in node.output}
    found = [
        node
        for output in model.graph.output
        for node in _back(makers, output.name)
        if node.op_type == "ArgMax"
    ]
    names_classes = any(node.op_type == "ArrayFeatureExtractor" for node in model.graph.node)
    if len(model.graph.output) != 2 or not names_classes or not found:
        return model
    return _until(model, makers, _one_probability(makers, found[0].input[0]))


def _back(makers: dict[str, onnx.NodeProto], name: str) -> Iterator[onnx.NodeProto]:
    """The nodes that a tensor depends on, nearest first."""
    todo, seen = [name], set()
    while todo:
        node = makers.get(todo.pop(0))
        if node is not None and node.output[0] not in seen:
            seen.add(node.output[0])
            yield node
            todo += node.input


def _one_probability(makers: dict[str, onnx.NodeProto], scores: str) -> str:
    """p, where the scores are 1 - p and p; else the scores."""
    pair = makers.get(scores)
    if pair is None or pair.op_type != "Concat" or len(pair.input) != 2:
        return scores
    other, probability = pair.input
    rest = makers.get(other)
    return (
        probability if rest is not None and rest.op_type == "Sub" and rest.input[1] == probability else scores
    )


def _until(model: onnx.ModelProto, makers: dict[str, onnx.NodeProto], end: str) -> onnx.ModelProto:
    """A copy whose only output is this tensor, without the nodes that it does not need."""
    needed = {node.output[0] for node in _back(makers, end)}
    copy = type(model)()
    copy.CopyFrom(model)
    del copy.graph.node[:], copy.graph.output[:]
    copy.graph.node.extend(node for node in model.graph.node if node.output[0] in needed)
    copy.graph.output.add().name = end
    return copy
