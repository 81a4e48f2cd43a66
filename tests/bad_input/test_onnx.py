"""Is a missing, truncated or altered ONNX file, or something that is no network, refused in one line?

ONNX has no checksum. So a damaged file that still is a valid model of what the import carries over is read,
and must then be read as what it says: the network equals ONNX's own evaluation of the damaged file.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from spikeloom.ann.graph import Ann
from spikeloom.ann.load import load_ann
from spikeloom.ann.verify import RELATIVE_TOLERANCE
from spikeloom.errors import AnnError

N_DAMAGES = 300


def small_network() -> onnx.ModelProto:
    """A scaling, a padded convolution, a pool, a dense layer, a softmax: fields of every kind to damage."""
    rng = np.random.default_rng(0)
    shapes = {"k": (2, 1, 3, 3), "b": (2,), "w": (8, 3), "c": (3,), "half": (1,)}
    weights = [numpy_helper.from_array(rng.random(s, dtype=np.float32), name) for name, s in shapes.items()]
    nodes = [
        helper.make_node("Mul", ["x", "half"], ["scaled"], name="scale"),
        helper.make_node("Conv", ["scaled", "k", "b"], ["z"], name="conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["z"], ["a"], name="relu"),
        helper.make_node("AveragePool", ["a"], ["p"], name="pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["p"], ["f"], name="flatten"),
        helper.make_node("Gemm", ["f", "w", "c"], ["y"], name="fc", alpha=0.5),
        helper.make_node("Softmax", ["y"], ["scores"], name="softmax", axis=1),
    ]
    ports = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 1, 4, 4])]
    outputs = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 3])]
    graph = helper.make_graph(nodes, "small", ports, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """The file cut, with bits flipped, a stretch deleted, a stretch overwritten, or a stretch repeated."""
    start = int(rng.integers(len(data)))
    length = int(rng.integers(1, 20))
    match rng.integers(5):
        case 0:
            return data[:start]
        case 1:
            flipped = bytearray(data)
            for place in rng.integers(len(data), size=rng.integers(1, 4)):
                flipped[place] ^= 1 << int(rng.integers(8))
            return bytes(flipped)
        case 2:
            return data[:start] + data[start + length :]
        case 3:
            return data[:start] + rng.bytes(length) + data[start + length :]
        case _:
            return data[: start + length] + data[start:]


def assert_reads_what_it_says(ann: Ann, data: bytes) -> None:
    """The network equals ONNX's evaluation of the same bytes, before the tail, on input of its own."""
    model = onnx.ModelProto.FromString(data)
    cut = {"Softmax", "LogSoftmax", "ArgMax"}
    end = next((n.input[0] for n in model.graph.node if n.op_type in cut), model.graph.output[0].name)
    x = np.random.default_rng(5).random((4, *ann.input_shape), dtype=np.float32)
    name = next(port.name for port in model.graph.input)
    with np.errstate(over="ignore", invalid="ignore"):  # a flipped exponent may be near the end of float32
        expected = np.asarray(ReferenceEvaluator(model).run([end], {name: x})[0])
    if expected.ndim == 4:
        expected = expected.transpose(0, 2, 3, 1)
    difference = np.abs(ann.predict(x) - expected.reshape(len(x), -1)).max()
    assert difference <= RELATIVE_TOLERANCE * np.abs(expected).max()


def assert_refused(error: AnnError) -> None:
    assert type(error) is AnnError
    assert "\n" not in str(error)
    assert error.remedy


def test_damaged_files_are_refused_or_read_as_they_are(tmp_path: Path) -> None:
    data = small_network().SerializeToString()
    rng = np.random.default_rng(20)
    path, read, refused = tmp_path / "net.onnx", 0, 0
    for _ in range(N_DAMAGES):
        content = damaged(data, rng)
        path.write_bytes(content)
        try:
            ann = load_ann(path)
        except AnnError as error:
            assert_refused(error)
            refused += 1
        else:
            assert_reads_what_it_says(ann, content)
            read += 1
    assert read + refused == N_DAMAGES
    assert min(read, refused) > 10  # both branches of this test are taken
    assert list(tmp_path.iterdir()) == [path]


def test_every_truncation_is_refused_or_read_as_it_is(tmp_path: Path) -> None:
    """Cut behind each byte: never another class of error, and never the whole network."""
    data = small_network().SerializeToString()
    path = tmp_path / "net.onnx"
    for length in range(0, len(data), 3):
        path.write_bytes(data[:length])
        try:
            ann = load_ann(path)
        except AnnError as error:
            assert_refused(error)
        else:
            assert_reads_what_it_says(ann, data[:length])


def test_the_undamaged_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(small_network().SerializeToString())
    assert_reads_what_it_says(load_ann(path), path.read_bytes())


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 64, b"not a network\n", bytes(range(256)), b"PK\x03\x04" * 9]
)
def test_what_is_no_onnx_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(AnnError) as caught:
        load_ann(path)
    assert_refused(caught.value)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.onnx", tmp_path / "folder.onnx", tmp_path / "no" / "folder.onnx"):
        if path.name == "folder.onnx" and path.parent == tmp_path:
            path.mkdir()
        with pytest.raises(AnnError, match="cannot be read") as caught:
            load_ann(path)
        assert_refused(caught.value)


def test_weights_in_another_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    onnx.save(small_network(), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    with pytest.raises(AnnError, match="lie in another file") as caught:
        load_ann(path)
    assert_refused(caught.value)
    shutil.rmtree(tmp_path)


@pytest.mark.parametrize("word", [b"scores", b"softmax", b"small", b"half"])
def test_names_that_are_no_text_are_refused(tmp_path: Path, word: bytes) -> None:
    """Protobuf reads them without complaint; every name, used or not, is checked."""
    path = tmp_path / "net.onnx"
    path.write_bytes(small_network().SerializeToString().replace(word, b"\xff" * len(word)))
    with pytest.raises(AnnError, match="not UTF-8") as caught:
        load_ann(path)
    assert_refused(caught.value)


@pytest.mark.parametrize("name", ["net.pt", "net.pkl", "net", "net.onnx.txt"])
def test_other_kinds_of_file_are_refused_unopened(name: str) -> None:
    with pytest.raises(AnnError, match="no reader for this kind of file") as caught:
        load_ann(name)
    assert ".onnx" in caught.value.remedy


@pytest.mark.parametrize("source", [None, 3, b"net.onnx", object(), np.ones(3), {"weights": 1}])
def test_other_objects_are_refused(source: object) -> None:
    with pytest.raises(AnnError, match="no reader for this type of object") as caught:
        load_ann(source)  # type: ignore[arg-type]
    assert "ModelProto" in caught.value.remedy


@pytest.mark.parametrize("shape", [16, "1x4x4", (), (1, 4), (1, 4, 0), (1, 4, -1), (1, 4.0, 4), (2, 4, 4)])
def test_wrong_input_shapes_are_refused(shape: object) -> None:
    with pytest.raises(AnnError, match="input") as caught:
        load_ann(small_network(), input_shape=shape)  # type: ignore[arg-type]
    assert_refused(caught.value)


def test_a_network_takes_no_other_shape() -> None:
    ann = load_ann(small_network())
    with pytest.raises(AnnError, match="contradicts"):
        load_ann(ann, input_shape=(4, 4, 1))
