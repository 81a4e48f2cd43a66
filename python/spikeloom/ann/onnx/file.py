"""An ONNX file as a checked model, and what its input takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spikeloom.errors import AnnError

if TYPE_CHECKING:
    import onnx

FIRST_OPSET = 7

# A fixed batch of more numbers than this is a damaged size rather than an export.
_MAX_BATCH_NUMBERS = 1 << 22

AGAIN = "export the network again"
PLAIN = "export a plain chain of layers in inference mode, with constants folded"


def read_model(source: Path | onnx.ModelProto) -> tuple[str, onnx.ModelProto]:
    """The network's name, and its model without external data."""
    import onnx

    if not isinstance(source, Path):
        return source.graph.name or "network", source
    try:
        data = source.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise AnnError(f"file {source}", f"cannot be read: {reason}", remedy="check the path") from error
    model = onnx.ModelProto()
    with refused_as(f"file {source}", "is not an ONNX model, or damaged"):
        model.ParseFromString(data)
    return source.stem, model


@contextmanager
def refused_as(subject: str, problem: str) -> Iterator[None]:
    """Turn whatever ONNX and protobuf raise, which is no closed set of classes, into one line."""
    try:
        with np.errstate(all="ignore"):
            yield
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = (lines[0] if lines else type(error).__name__)[:200]
        raise AnnError(subject, f"{problem} ({reason})", remedy=AGAIN) from error


def check_model(name: str, model: onnx.ModelProto) -> None:
    """Refuse a model that ONNX's checker does not pass, or that is not all in itself.

    Raises:
        AnnError: with the checker's first line.
    """
    import onnx

    subject = f"network {name!r}"
    if not model.graph.node:
        raise AnnError(subject, "the file is empty or has no operators", remedy=AGAIN)
    with refused_as(subject, "a name in it is damaged"):
        _check_texts(model)
    for tensor in _tensors(model.graph):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            remedy = "save it as one file (save_as_external_data=False)"
            raise AnnError(subject, f"the weights of {tensor.name!r} lie in another file", remedy=remedy)
    if model.graph.sparse_initializer:
        raise AnnError(subject, "sparse weights are not supported", remedy="save it with dense tensors")
    with refused_as(subject, "ONNX's checker refuses it"):
        onnx.checker.check_model(model, full_check=True)
    opset = max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0)
    if opset < FIRST_OPSET:
        limit = f"{FIRST_OPSET} or later"
        raise AnnError(subject, "its opset is not supported", value=opset, limit=limit, remedy=AGAIN)


def _check_texts(message: Any) -> None:
    """Protobuf hands out a text that is not UTF-8 as bytes, or raises, depending on its release."""
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for part in [value] if hasattr(value, "ListFields") else value:
                _check_texts(part)
        elif field.type == field.TYPE_STRING:
            texts = [value] if isinstance(value, str | bytes) else value
            if any(isinstance(text, bytes) for text in texts):
                raise ValueError(f"{field.name} is not UTF-8")


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t


@dataclass(frozen=True)
class Port:
    """The model's input: its name, shape of a sample, batch size if fixed, and element type."""

    name: str
    shape: tuple[int, ...]
    batch: int | None
    dtype: np.dtype[np.float32] | np.dtype[np.float64]


def input_port(name: str, graph: onnx.GraphProto, input_shape: tuple[int, ...] | None) -> Port:
    """The one input of the model, which is no weight.

    Raises:
        AnnError: if there is not exactly one, its elements are no floats, or its shape stays open.
    """
    from onnx import TensorProto

    weights = {tensor.name for tensor in graph.initializer}
    inputs = [port for port in graph.input if port.name not in weights]
    if len(inputs) != 1:
        names = ", ".join(port.name for port in inputs) or "none"
        raise AnnError(f"network {name!r}", "it does not have one input", value=names, limit=1, remedy=PLAIN)
    subject, tensor = f"input {inputs[0].name!r} of network {name!r}", inputs[0].type.tensor_type
    if tensor.elem_type not in (TensorProto.FLOAT, TensorProto.DOUBLE):
        raise AnnError(subject, "its elements are not float32 or float64", remedy="export with float32 input")
    dtype = np.dtype(np.float32) if tensor.elem_type == TensorProto.FLOAT else np.dtype(np.float64)
    sides = [d.dim_value if d.HasField("dim_value") else None for d in tensor.shape.dim]
    batch = sides[0] if sides else None
    shape = _sample_shape(subject, sides[1:], input_shape)
    if batch is not None and not 0 < batch <= max(1, _MAX_BATCH_NUMBERS // prod(shape)):
        remedy = "export it with an open batch axis"
        raise AnnError(subject, "its fixed batch axis is unusable", value=batch, remedy=remedy)
    return Port(inputs[0].name, shape, batch, dtype)


def _sample_shape(subject: str, known: list[int | None], given: tuple[int, ...] | None) -> tuple[int, ...]:
    """The shape of one sample: what the model says, completed by what the user says."""
    sides = known if given is None else list(given)
    if given is not None and not _agree(known, given):
        remedy = "give the shape of one sample, without the batch axis"
        raise AnnError(subject, "input_shape contradicts the model", value=given, limit=known, remedy=remedy)
    if not sides or not all(isinstance(side, int | np.integer) and side > 0 for side in sides):
        problem = "the shape of a sample is open, empty or without a batch axis before it"
        raise AnnError(subject, problem, value=sides, remedy="give input_shape=(...), one sample's shape")
    return tuple(int(side) for side in sides if side is not None)


def _agree(known: list[int | None], given: tuple[int, ...]) -> bool:
    return len(known) == len(given) and all(k in (None, g) for k, g in zip(known, given, strict=True))
