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

from spikeloom.ann.graph import Ann, FloatArray
from spikeloom.ann.lower import Lowering
from spikeloom.ann.onnx_chain import Walk
from spikeloom.ann.onnx_file import AGAIN, Port, check_model, input_port, read_model, refused_as
from spikeloom.errors import AnnError

if TYPE_CHECKING:
    import onnx

# The network as read is evaluated in float64, ONNX's evaluator computes in the float32 of the file. Rounding
# to float32 is 6e-8 of each term; sums of a few thousand terms through a dozen layers stay below 1e-5 of the
# largest output. A wrong axis order, padding or scale does not.
RELATIVE_TOLERANCE = 1e-4

# Rows of random input, and the magnitudes they come in: small ones show the biases, large ones the weights
# behind a scaling such as x / 255.
_ROWS = 3
_MAGNITUDES = (1.0, 16.0, 256.0)
_SEED = 20240229


def load_onnx(source: Path | onnx.ModelProto, *, input_shape: tuple[int, ...] | None = None) -> Ann:
    """Read a network from an ONNX file or model.

    A tail of Softmax, LogSoftmax and ArgMax is cut off and remembered. The result is compared with
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
    port = input_port(name, model.graph, input_shape)
    walk = Walk(name, model.graph, port, Lowering(name, port.shape))
    walk.run()
    ann = walk.lowering.finish(walk.tail)
    _verify(ann, model, port, walk.end, walk.lowering.index)
    return ann


def _verify(ann: Ann, model: onnx.ModelProto, port: Port, end: str, index: NDArray[np.int64]) -> None:
    """Compare the network with ONNX's evaluator, before the tail, on random input of several magnitudes."""
    rng = np.random.default_rng(_SEED)
    for magnitude in _MAGNITUDES:
        x = (magnitude * rng.standard_normal((port.batch or _ROWS, *port.shape))).astype(port.dtype)
        expected = _evaluate(f"network {ann.name!r}", model, port.name, end, x)
        with np.errstate(all="ignore"):  # what overflows here is refused by the comparison
            _compare(f"network {ann.name!r}", expected, ann.predict(x)[:, index.ravel()])


def _compare(subject: str, expected: FloatArray, got: FloatArray) -> None:
    if expected.shape != got.shape:
        problem = "ONNX's evaluator gives another shape"
        raise AnnError(subject, problem, value=got.shape, limit=expected.shape, remedy=AGAIN)
    error, limit = np.abs(got - expected).max(), RELATIVE_TOLERANCE * np.abs(expected).max()
    if not (np.isfinite(limit) and error <= limit):
        problem, remedy = "as read, it differs from ONNX's evaluator", "report it, or export it again"
        raise AnnError(subject, problem, value=f"{error:.3g}", limit=f"{limit:.3g}", remedy=remedy)


def _evaluate(subject: str, model: onnx.ModelProto, start: str, end: str, x: NDArray[Any]) -> FloatArray:
    """Tensor `end` of the model for x at `start`, (N, numbers), in the framework's order."""
    from onnx.reference import ReferenceEvaluator

    with refused_as(subject, "ONNX's evaluator cannot run it"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = ReferenceEvaluator(model).run([end], {start: x})
        result = np.asarray(list(results)[0])
        return result.reshape(len(x), prod(result.shape[1:])).astype(np.float64)
