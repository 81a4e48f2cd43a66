"""The one door for trained networks: which reader takes what."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from spikeloom.ann.from_onnx import load_onnx
from spikeloom.ann.graph import Ann
from spikeloom.errors import AnnError

if TYPE_CHECKING:
    import onnx

_ACCEPTED = "give the path of an .onnx file, an onnx.ModelProto, or an Ann"


def load_ann(
    source: str | Path | onnx.ModelProto | Ann, *, input_shape: tuple[int, ...] | None = None
) -> Ann:
    """Read a trained network.

    Args:
        source: the path of an .onnx file, an onnx.ModelProto, or an Ann, which is passed through.
        input_shape: shape of one sample, without the batch axis, where the network leaves it open.

    Raises:
        AnnError: if the network cannot be read, or does what cannot be converted.

    >>> try:
    ...     load_ann("network.pickle")
    ... except AnnError as error:
    ...     print(error.problem)
    no reader for this kind of file
    """
    if input_shape is not None and not isinstance(input_shape, (tuple, list)):
        remedy = "give a tuple, such as (784,)"
        raise AnnError("input_shape", "it is not a shape", value=input_shape, remedy=remedy)
    if isinstance(source, Ann):
        return _same_shape(source, input_shape)
    if isinstance(source, (str, Path)):
        path = Path(source)
        if path.suffix.lower() != ".onnx":
            value = path.suffix or "no suffix"
            raise AnnError(str(source), "no reader for this kind of file", value=value, remedy=_ACCEPTED)
        return load_onnx(path, input_shape=input_shape)
    if _is_onnx(source):
        return load_onnx(source, input_shape=input_shape)
    value = type(source).__name__
    raise AnnError("network", "no reader for this type of object", value=value, remedy=_ACCEPTED)


def _is_onnx(source: object) -> bool:
    """Whether this is an onnx.ModelProto; it can only be one where onnx is imported already."""
    module = sys.modules.get("onnx")
    return module is not None and isinstance(source, module.ModelProto)


def _same_shape(ann: Ann, input_shape: tuple[int, ...] | None) -> Ann:
    if input_shape is not None and tuple(input_shape) != ann.input_shape:
        subject, remedy = f"network {ann.name!r}", "leave input_shape out"
        problem = "input_shape contradicts the network"
        raise AnnError(subject, problem, value=input_shape, limit=ann.input_shape, remedy=remedy)
    return ann
