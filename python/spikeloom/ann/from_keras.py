"""Keras 3 models and `.keras` files, by way of Keras' own ONNX export."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.from_onnx import load_onnx
from spikeloom.ann.graph import Ann
from spikeloom.ann.verify import softmax, verify
from spikeloom.errors import AnnError

if TYPE_CHECKING:
    import keras

_INSTALL = 'pip install "spikeloom[keras]", and set KERAS_BACKEND=torch'


def load_keras(source: Path | keras.Model, *, input_shape: tuple[int, ...] | None = None) -> Ann:
    """Read a Keras 3 model, or a `.keras` file in safe mode, which runs no code that the file carries.

    Keras exports the model as ONNX, and that is read. The result is compared with ONNX's evaluator and with the
    model itself, on random input.

    Args:
        source: the model, or the path of a file.
        input_shape: shape of one sample, without the batch axis, where the model leaves it open.

    Raises:
        AnnError: if Keras or what it needs for the export is not installed; if the file cannot be read in safe
            mode; if the model holds what is not carried over exactly, by the name of its ONNX operator.
    """
    model, name = (_read(source), source.stem) if isinstance(source, Path) else (source, source.name)
    shape = _sample_shape(name, model, input_shape)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.onnx"
        _export(name, model, shape, path)
        ann = load_onnx(path, input_shape=shape)
    if ann.tail != "argmax":
        seen = softmax if ann.tail == "softmax" else None
        verify(ann, "Keras", lambda x: _answers(model, x), dtype=np.dtype(np.float32), seen=seen)
    return ann


def _read(path: Path) -> Any:
    try:
        import keras
    except ImportError:
        raise AnnError(f"file {path}", "needs Keras, which is not installed", remedy=_INSTALL) from None
    if not path.is_file():
        raise AnnError(f"file {path}", "cannot be read: no such file", remedy="check the path")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # whatever a damaged or unsafe file leads to
        problem = f"cannot be read in safe mode ({_first_line(error)})"
        raise AnnError(
            f"file {path}", problem, remedy="save the model again, without Lambda layers"
        ) from error


def _sample_shape(name: str, model: Any, given: tuple[int, ...] | None) -> tuple[int, ...]:
    """The shape of one sample: the model's, or where that is open, the given one."""
    inputs = getattr(model, "inputs", None)
    if inputs and len(inputs) != 1:
        raise AnnError(
            f"model {name!r}", "it does not have one input", value=len(inputs), limit=1, remedy="split it"
        )
    known = tuple(inputs[0].shape[1:]) if inputs else (None,)
    shape = known if given is None else tuple(given)
    if any(not isinstance(side, int | np.integer) or side < 1 for side in shape) or not shape:
        remedy = "give input_shape=(...), one sample's shape"
        raise AnnError(f"model {name!r}", "does not say the shape of its input", value=shape, remedy=remedy)
    if inputs and (
        len(known) != len(shape) or any(k not in (None, s) for k, s in zip(known, shape, strict=True))
    ):
        problem = "input_shape contradicts the model"
        raise AnnError(f"model {name!r}", problem, value=shape, limit=known, remedy="leave input_shape out")
    return tuple(int(side) for side in shape)


def _export(name: str, model: Any, shape: tuple[int, ...], path: Path) -> None:
    """Write the model as ONNX; one call before, for Keras exports only what has run."""
    try:
        model(np.zeros((1, *shape), dtype=np.float32), training=False)
        model.export(str(path), format="onnx", verbose=False)
    except ImportError as error:
        problem = f"Keras needs another package to export it ({_first_line(error)})"
        raise AnnError(f"model {name!r}", problem, remedy=_INSTALL) from error
    except Exception as error:  # whatever the backend's exporter raises
        problem = f"Keras cannot export it as ONNX ({_first_line(error)})"
        raise AnnError(
            f"model {name!r}", problem, remedy="export it yourself, and give the .onnx file"
        ) from error


def _answers(model: Any, x: NDArray[Any]) -> NDArray[Any]:
    import keras

    result = np.asarray(keras.ops.convert_to_numpy(model(x, training=False)))
    return result.reshape(len(x), -1)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:150]
