"""The one door for trained networks: which reader takes what."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeloom.ann.graph import Ann
from spikeloom.errors import AnnError

if TYPE_CHECKING:
    import keras
    import onnx
    import torch
    from sklearn.base import BaseEstimator

_ACCEPTED = (
    "give an .onnx or .keras file, a network of torch, keras or scikit-learn, an onnx.ModelProto, or an Ann"
)
_OF_FILES = {".onnx": "load_onnx", ".keras": "load_keras"}
_OF_OBJECTS = (
    ("onnx", "ModelProto", "load_onnx"),
    ("keras", "Model", "load_keras"),  # before torch, whose modules its models are on that backend
    ("torch.nn", "Module", "load_torch"),
    ("sklearn.base", "BaseEstimator", "load_sklearn"),
)  # module and class, where the module is imported already: else the object cannot be of that class


def load_ann(
    source: str | Path | onnx.ModelProto | torch.nn.Module | keras.Model | BaseEstimator | Ann,
    *,
    input_shape: tuple[int, ...] | None = None,
) -> Ann:
    """Read a trained network.

    Args:
        source: the path of an .onnx or .keras file, an onnx.ModelProto, a torch.nn.Module, a Keras 3 model, a
            fitted scikit-learn MLPClassifier or MLPRegressor, or an Ann, which is passed through.
        input_shape: shape of one sample, without the batch axis, where the network leaves it open. A
            torch.nn.Module always does, unless its first layer is linear.

    Every network is compared with its own framework on random input before it is returned.

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
    source = Path(source) if isinstance(source, str) else source
    reader = _of_file(source) if isinstance(source, Path) else _of_object(source)
    module = import_module(f"spikeloom.ann.{reader.replace('load', 'from')}")
    ann: Ann = getattr(module, reader)(source, input_shape=input_shape)
    return ann


def _of_file(path: Path) -> str:
    """The reader of a kind of file."""
    reader = _OF_FILES.get(path.suffix.lower())
    if reader is None:
        value = path.suffix or "no suffix"
        raise AnnError(str(path), "no reader for this kind of file", value=value, remedy=_ACCEPTED)
    return reader


def _of_object(source: Any) -> str:
    """The reader of a class of object."""
    for home, name, reader in _OF_OBJECTS:
        module = sys.modules.get(home)
        if module is not None and isinstance(source, getattr(module, name)):
            return reader
    value = type(source).__name__
    raise AnnError("network", "no reader for this type of object", value=value, remedy=_ACCEPTED)


def _same_shape(ann: Ann, input_shape: tuple[int, ...] | None) -> Ann:
    if input_shape is not None and tuple(input_shape) != ann.input_shape:
        subject, remedy = f"network {ann.name!r}", "leave input_shape out"
        problem = "input_shape contradicts the network"
        raise AnnError(subject, problem, value=input_shape, limit=ann.input_shape, remedy=remedy)
    return ann
