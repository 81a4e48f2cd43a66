"""ONNX models: read, checked, walked from input to output, lowered, and verified by ONNX's own evaluator.

What damage does: a file that is cut, or whose structure is broken, is refused by the protobuf reader, by the
checker or on the walk. ONNX stores no checksum: a changed byte *inside* a weight leaves a valid model of
another network, which nobody can tell from the right one; it is read as what it then says.
"""

from __future__ import annotations

import warnings
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import Ann
from spikeloom.ann.lower import Lowering
from spikeloom.ann.onnx.chain import Walk
from spikeloom.ann.onnx.classifier import scores_only
from spikeloom.ann.onnx.file import check_model, input_port, read_model, refused_as
from spikeloom.ann.verify import verify

if TYPE_CHECKING:
    import onnx


def load_onnx(source: Path | onnx.ModelProto, *, input_shape: tuple[int, ...] | None = None) -> Ann:
    """Read a network from an ONNX file or model.

    A tail of Softmax, LogSoftmax and ArgMax is cut off and remembered, and so are the labels that skl2onnx puts
    beside the scores of a classifier. The result is compared with
    `onnx.reference` on random input.

    Args:
        source: path of the file, or the model.
        input_shape: shape of one sample, without the batch axis, where the model leaves it open.

    Raises:
        AnnError: if the file cannot be read or is damaged; if it holds an operator, an attribute or a branch
            that is not carried over exactly, by its name; if the network as read computes something else.
    """
    name, model = read_model(source)
    check_model(name, model)
    model = scores_only(model)
    port = input_port(name, model.graph, input_shape)
    opsets = {entry.domain: entry.version for entry in model.opset_import}
    walk = Walk(name, model.graph, port, Lowering(name, port.shape), opsets=opsets)
    walk.run()
    ann = walk.lowering.finish(walk.tail)
    runnable = _dequantised(model, walk)
    verify(
        ann, "ONNX's evaluator", lambda x: _evaluate(f"network {ann.name!r}", runnable, port.name, walk.end, x),
        dtype=port.dtype, batch=port.batch, order=walk.lowering.index.ravel(),
    )  # fmt: skip
    return ann


def _dequantised(model: onnx.ModelProto, walk: Walk) -> onnx.ModelProto:
    """The model with its dequantised constants as weights, for ONNX's evaluator knows only late versions of that."""
    from onnx import numpy_helper

    nodes = [node for node in model.graph.node if node.op_type == "DequantizeLinear"]
    if not nodes:
        return model
    copy = type(model)()
    copy.CopyFrom(model)
    for node in nodes:
        copy.graph.node.remove(node)
        copy.graph.initializer.append(numpy_helper.from_array(walk.constants[node.output[0]], node.output[0]))
    return copy


def _evaluate(subject: str, model: onnx.ModelProto, start: str, end: str, x: NDArray[Any]) -> NDArray[Any]:
    """Tensor `end` of the model for x at `start`, (N, numbers), in the framework's order."""
    from onnx.reference import ReferenceEvaluator

    with refused_as(subject, "ONNX's evaluator cannot run it"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = ReferenceEvaluator(model).run([end], {start: x})
        result = np.asarray(list(results)[0])
        return result.reshape(len(x), prod(result.shape[1:]))
