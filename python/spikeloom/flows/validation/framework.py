"""The trained network in its own framework, so that a score can be had before anything was read from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import Ann

Array = NDArray[np.float64]


def framework_outputs(source: object, ann: Ann, rows: NDArray) -> Array | None:
    """(N, m) what the source's own evaluator answers, None where it cannot be asked.

    ONNX models are asked, in `onnx.reference`. A tail of Softmax is left on: it keeps the order of the outputs.
    Models that answer with a class alone (ArgMax) cannot be compared number by number, and are not asked.
    """
    if ann.tail == "argmax" or not _is_onnx(source):
        return None
    import onnx
    from onnx.reference import ReferenceEvaluator

    model: Any = onnx.load(source) if isinstance(source, str | Path) else source
    evaluator = ReferenceEvaluator(model)
    port = model.graph.input[-1] if not model.graph.initializer else _data_input(model)
    dtype = onnx.helper.tensor_dtype_to_np_dtype(port.type.tensor_type.elem_type)
    batch = port.type.tensor_type.shape.dim[0].dim_value
    size = batch or 256
    whole = len(rows) // size * size if batch else len(rows)
    if whole < len(rows):
        return None  # a fixed batch size that the rows do not fill
    parts = [
        np.asarray(evaluator.run(None, {port.name: rows[start : start + size].astype(dtype)})[0])
        for start in range(0, whole, size)
    ]
    outputs: Array = np.concatenate(parts).reshape(len(rows), -1).astype(np.float64)
    return outputs


def _is_onnx(source: object) -> bool:
    if isinstance(source, str | Path):
        return Path(source).suffix.lower() == ".onnx"
    return type(source).__name__ == "ModelProto"


def _data_input(model: Any) -> Any:
    """The input that is no stored weight."""
    stored = {tensor.name for tensor in model.graph.initializer}
    return next(port for port in model.graph.input if port.name not in stored)
