"""What the training scripts share: Fashion-MNIST as Debian ships it, and ONNX files written node by node.

The ONNX files are built with ``onnx.helper`` and not with a framework's exporter, so that the bundled
networks hold only the operators a reader sees in the script, under names that make sense in a report.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from torch import nn

FASHION_FOLDER = Path("/usr/share/datasets/fashion-mnist")  # Debian: apt-get install dataset-fashion-mnist
BUNDLED_FOLDER = Path(__file__).resolve().parents[1] / "spikeloom" / "bundled"
CLASSES = 10
LEFT_OUT = 6000  # last images of the training set: settings are compared on them, calibration rows are others
CALIBRATION_ROWS = 4000
EVALUATION_ROWS = 1500
ROWS_SEED = (
    2023  # of the choice of bundled rows: the same for both image networks, whatever their training seed
)
OPSET = 17
IR_VERSION = 8  # the one that came with opset 17: older readers still take it


def read_fashion(folder: Path, part: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images (n, 28, 28) and labels (n,) of ``part`` "train" (n = 60000) or "t10k" (n = 10000)."""
    images = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    # IDX header: a magic word and one word per axis, big endian.
    return np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28), np.frombuffer(
        labels, np.uint8, offset=8
    )


Labelled = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def split_train(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> tuple[Labelled, Labelled]:
    """The training set in two: the images to learn from, and those that settings are compared on."""
    return (images[:-LEFT_OUT], labels[:-LEFT_OUT]), (images[-LEFT_OUT:], labels[-LEFT_OUT:])


def balanced_rows(labels: NDArray[np.uint8], count: int, seed: int) -> NDArray[np.int64]:
    """Indices of ``count`` rows; classes take turns, so every block of ten rows holds each class once."""
    rng = np.random.default_rng(seed)
    per_class = [rng.permutation(np.flatnonzero(labels == c))[: count // CLASSES] for c in range(CLASSES)]
    return np.stack(per_class, axis=1).reshape(-1)


def write_fashion_rows(data: Path, out: Path) -> dict[str, NDArray[np.uint8]]:
    """Write ``fashion.npz``: calibration rows out of the training set, evaluation rows out of the test set.

    Both scripts call this and get the same bytes: the choice depends on ROWS_SEED alone.
    """
    (train, train_labels), _ = split_train(*read_fashion(data, "train"))
    test, test_labels = read_fashion(data, "t10k")
    chosen = balanced_rows(train_labels, CALIBRATION_ROWS, ROWS_SEED)
    judged = balanced_rows(test_labels, EVALUATION_ROWS, ROWS_SEED + 1)
    rows = {
        "calibration": train[chosen],
        "calibration_labels": train_labels[chosen],
        "evaluation": test[judged],
        "evaluation_labels": test_labels[judged],
    }
    np.savez_compressed(out / "fashion.npz", **rows)  # type: ignore[arg-type]
    return rows


def restrain(model: nn.Module) -> None:
    """Cut weights at three standard deviations of their layer: the largest sets the step of a chip's grid."""
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name.endswith("weight"):
                value.clamp_(-3 * value.std(), 3 * value.std())


def dense_nodes(name: str, source: str, target: str) -> list[NodeProto]:
    """One Gemm on ``name.weight``, stored (out, in) as torch keeps it, and ``name.bias``."""
    inputs = [source, f"{name}.weight", f"{name}.bias"]
    return [helper.make_node("Gemm", inputs, [target], name=name, transB=1)]


def write_model(
    path: Path,
    nodes: Sequence[NodeProto],
    constants: Mapping[str, NDArray[np.float32]],
    *,
    input_shape: tuple[int, ...],
    outputs: int,
    note: str,
) -> None:
    """Check and write a model from "x" (batch, and then input_shape) to "y" (batch, outputs)."""
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", *input_shape])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", outputs])],
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="spikeloom examples"
    )
    model.ir_version = IR_VERSION
    model.doc_string = note
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def check_model(path: Path, inputs: NDArray[np.float32], expected: NDArray[np.float32]) -> None:
    """Stop unless the written file gives ``expected`` (n, outputs) by the ONNX reference evaluator.

    A few rows do: its AveragePool takes 20 ms an image.
    """
    (outputs,) = ReferenceEvaluator(str(path)).run(None, {"x": inputs})
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4)


def accuracy(outputs: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    """Share of rows whose largest output is the label's, in percent."""
    return float(100.0 * np.mean(outputs.argmax(axis=1) == labels))
