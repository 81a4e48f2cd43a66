"""Does an imported ONNX network compute what ONNX says, with every fold in its place?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import ArrayLike
from onnx import TensorProto, helper, numpy_helper
from onnx_models import ModelBuilder, assert_equal, cnn, evaluate, mlp
from spikeloom.ann import onnx_chain, onnx_nodes
from spikeloom.ann.load import load_ann
from spikeloom.ann.steps import Dense, Step
from spikeloom.errors import AnnError


def vector() -> ModelBuilder:
    return ModelBuilder((6,))


def image() -> ModelBuilder:
    return ModelBuilder((2, 6, 8))


def with_constant(
    builder: ModelBuilder, operator: str, values: ArrayLike, first: bool = True
) -> ModelBuilder:
    return builder.add(operator, builder.constant(np.asarray(values, dtype=float)), first=first)


def plain_matmul(builder: ModelBuilder) -> ModelBuilder:
    return builder.add("MatMul", builder.random(6, 4))


def gemm(bias: tuple[int, ...] | None) -> ModelBuilder:
    builder = vector()
    constants = [builder.random(6, 4)] + ([] if bias is None else [builder.random(*bias)])
    return builder.add("Gemm", *constants, alpha=0.5, beta=-2.0).readout()


def reshape(builder: ModelBuilder, *shape: int) -> ModelBuilder:
    return builder.add("Reshape", builder.constant(np.array(shape)))


CHANNELS = [[[0.5]], [[-2.0]]]

MODELS: dict[str, Callable[[], ModelBuilder]] = {
    "mlp": mlp,
    "cnn": cnn,
    "gemm": lambda: gemm((4,)),
    "gemm, bias as a row": lambda: gemm((1, 4)),
    "gemm, one bias for all": lambda: gemm((1,)),
    "gemm, no bias": lambda: gemm(None),
    "gemm, transB": lambda: vector().gemm(4, transB=1).readout(),
    "matmul": lambda: plain_matmul(vector()),
    "matmul and add": lambda: with_constant(plain_matmul(vector()), "Add", [1, 2, 3, 4]).readout(),
    "matmul, add as a row": lambda: with_constant(plain_matmul(vector()), "Add", [[1, 2, 3, 4]]).readout(),
    "matmul, bias first": lambda: with_constant(plain_matmul(vector()), "Add", [1, 2, 3, 4], False).readout(),
    "two dense layers in a row": lambda: mlp().gemm(4).readout(),
    "dense and scalar": lambda: with_constant(with_constant(mlp(), "Mul", -0.5), "Add", 2).readout(),
    "dense, sub, div": lambda: with_constant(with_constant(mlp(), "Sub", 2), "Div", [1, 2, 3]).readout(),
    "constant minus dense": lambda: with_constant(mlp(), "Sub", [1, 2, 3], False).readout(),
    "conv and scalar": lambda: with_constant(image().conv(3), "Mul", 0.5).readout(),
    "conv and bias": lambda: with_constant(image().conv(2), "Add", CHANNELS).readout(),
    "scaling behind relu": lambda: with_constant(with_constant(mlp().relu(), "Mul", 3), "Add", 1).gemm(2),
    "scaling at the end": lambda: with_constant(with_constant(mlp().relu(), "Mul", 3), "Add", 1),
    "pool at the end": lambda: image().conv(3).relu().pool(2, 2),
    "global pool and flatten": lambda: image().conv(3).relu().add("GlobalAveragePool").flatten(),
    "identity": lambda: mlp().add("Identity").relu().add("Identity").gemm(3),
    "dropout": lambda: mlp().add("Dropout").readout(),
    "flatten a matrix": lambda: ModelBuilder((2, 3)).flatten().gemm(3),
    "flatten an image": lambda: ModelBuilder((2, 3, 2)).flatten().gemm(3),
    "flatten axis -3": lambda: image().conv(3).relu().add("Flatten", axis=-3).gemm(2),
    "reshape to flat": lambda: reshape(image().conv(3).relu(), -1, 3 * 4 * 6).gemm(2),
    "reshape with 0 and -1": lambda: reshape(image().conv(3).relu(), 0, -1).gemm(2),
    "reshape in two": lambda: reshape(reshape(image().conv(3).relu(), 0, 0, -1), -1, 72).gemm(2),
    "vector to image": lambda: reshape(ModelBuilder((48,)), 0, 2, 4, 6).conv(3).readout(),
    "strides": lambda: image().conv(3, (3, 2), strides=[2, 3]).readout(),
    "pads": lambda: image().conv(3, (3, 2), pads=[0, 1, 2, 3]).readout(),
    "pads and strides": lambda: image().conv(3, (2, 3), pads=[1, 0, 0, 1], strides=[2, 2]).readout(),
    "same upper": lambda: image().conv(3, (3, 2), auto_pad="SAME_UPPER", strides=[2, 1]).readout(),
    "same lower": lambda: image().conv(3, (3, 2), auto_pad="SAME_LOWER", strides=[2, 3]).readout(),
    "valid": lambda: image().conv(3, auto_pad="VALID").readout(),
    "two convolutions": lambda: image().conv(3).relu().conv(4, (2, 2)).readout(),
    "conv is the end": lambda: image().conv(3),
    "pool of the input": lambda: image().pool(2, 2).conv(3, (2, 2), pads=[1, 1, 0, 0]).readout(),
    "pool, then dense": lambda: image().pool(3, 2).flatten().gemm(3),
    "pool behind relu": lambda: image().conv(3).relu().pool(2, 3).conv(2, (2, 1)).readout(),
    "pool of a pool": lambda: image().conv(3).relu().pool(2, 1).pool(1, 2).conv(2, (2, 1)).readout(),
    "pool before relu": lambda: image().conv(3).pool(2, 3).readout(),
    "pool of a strided, padded conv": lambda: (
        image().conv(3, (2, 3), strides=[1, 2], pads=[0, 1, 1, 0]).pool(3, 2).readout()
    ),
    "pool before and behind": lambda: image().conv(3, (3, 1)).pool(2, 2).relu().pool(2, 1).flatten().gemm(3),
    "scaled pool": lambda: with_constant(image(), "Mul", CHANNELS).pool(2, 2).conv(3, (2, 2)).readout(),
    "x / 255": lambda: with_constant(image(), "Div", 255).conv(3, pads=[1, 1, 1, 1]).readout(),
    "(x - mean) / std": lambda: (
        with_constant(with_constant(image(), "Sub", CHANNELS), "Div", [CHANNELS]).conv(3).readout()
    ),
    "standardised vector": lambda: (
        with_constant(with_constant(vector(), "Sub", np.arange(6)), "Div", np.arange(1, 7)).gemm(3)
    ),
    "pixelwise scaling, dense": lambda: (
        with_constant(ModelBuilder((2, 3, 2)), "Mul", np.arange(12).reshape(2, 3, 2)).flatten().gemm(3)
    ),
}  # fmt: skip


@pytest.mark.parametrize("build", MODELS.values(), ids=MODELS.keys())
def test_import_equals_onnx(build: Callable[[], ModelBuilder]) -> None:
    model = build().build()
    assert_equal(load_ann(model), model)


@pytest.mark.parametrize("opset", [7, 8, 9, 11, 12, 13, 14, 18, 21, onnx.defs.onnx_opset_version()])
def test_every_opset_is_read(opset: int) -> None:
    model = cnn(opset=opset, elements=TensorProto.FLOAT).add("Softmax", axis=1).build()
    ann = load_ann(model)
    x = np.random.default_rng(3).random((4, 2, 8, 8), dtype=np.float32)
    scores = np.exp(ann.predict(x))
    np.testing.assert_allclose(scores / scores.sum(1, keepdims=True), evaluate(model, x), rtol=1e-4)


@pytest.mark.parametrize(
    ("operators", "tail"),
    [
        ([], None),
        (["Softmax"], "softmax"),
        (["LogSoftmax"], "softmax"),
        (["ArgMax"], "argmax"),
        (["Softmax", "Identity", "ArgMax"], "argmax"),
    ],
)
def test_the_tail_is_cut_and_remembered(operators: list[str], tail: str | None) -> None:
    builder = mlp()
    scores = builder.last
    for operator in operators:
        builder.add(operator, **({} if operator == "Identity" else {"axis": 1}))
    model = builder.build()
    ann = load_ann(model)
    assert ann.tail == tail
    assert len(ann.layers) == 2
    assert_equal(ann, model, scores)


def test_images_are_renumbered() -> None:
    ann = load_ann(cnn().build())
    assert ann.input_shape == (2, 8, 8)
    assert ann.layers[0].input_shape == (8, 8, 2)
    x = np.arange(128.0).reshape(1, 2, 8, 8)
    assert ann.flatten(x).tolist() == [x.transpose(0, 2, 3, 1).ravel().tolist()]
    first, second, last = ann.layers
    assert (first.padding, second.input_pool, second.stride) == ((1, 1, 1, 1), (2, 2), (2, 2))
    assert (second.weights.shape, second.output_shape) == ((3, 4, 4, 4), (2, 2, 4))
    assert (first.activation, last.activation, last.input_shape) == ("relu", "identity", (2, 2, 4))


def test_layers_are_named_after_their_weights() -> None:
    builder = ModelBuilder((6,)).gemm(5, name="features.0.weight").relu().gemm(4, name="fc1.weight").relu()
    builder.gemm(4, name="w").relu().gemm(3, name="fc1_.weight")
    names = [layer.name for layer in load_ann(builder.build()).layers]
    assert names == ["features_0", "fc1", "node4", "fc1_2"]


@pytest.mark.parametrize("batch", [1, 4, "N"])
def test_batch_axis_fixed_or_open(batch: int | str) -> None:
    builder = reshape(image_with_batch(batch).conv(3).relu(), batch if isinstance(batch, int) else -1, 72)
    model = builder.gemm(2).build()
    assert_equal(load_ann(model), model, rows=batch if isinstance(batch, int) else 5)


def image_with_batch(batch: int | str) -> ModelBuilder:
    return ModelBuilder((2, 6, 8), batch=batch)


def test_weights_may_be_listed_as_inputs() -> None:
    model = cnn().build(also_inputs=True)
    assert len(model.graph.input) > 1
    assert_equal(load_ann(model), model)


def test_weights_may_be_constant_nodes() -> None:
    model = mlp().build()
    nodes = [helper.make_node("Constant", [], [w.name + "_"], value=w) for w in model.graph.initializer]
    nodes += [helper.make_node("Identity", [w.name + "_"], [w.name]) for w in model.graph.initializer]
    nodes += list(model.graph.node)
    for part in (model.graph.node, model.graph.initializer):
        del part[:]
    model.graph.node.extend(nodes)
    assert_equal(load_ann(model), model)


@pytest.mark.parametrize(("kind", "value"), [("value_float", 0.5), ("value_floats", [0.5] * 3)])
def test_constants_may_be_plain_numbers(kind: str, value: object) -> None:
    builder = mlp(elements=TensorProto.FLOAT)
    builder.nodes.append(helper.make_node("Constant", [], ["half"], **{kind: value}))
    model = builder.add("Mul", "half").build()
    halved = load_ann(model).layers[-1].weights
    whole = numpy_helper.to_array(next(w for w in model.graph.initializer if w.name == "constant2"))
    np.testing.assert_array_equal(halved, 0.5 * whole)


def test_an_open_shape_is_given_by_the_user() -> None:
    model = ModelBuilder((2, 6, 8)).conv(3).readout().build()
    for dim in model.graph.input[0].type.tensor_type.shape.dim[2:]:
        dim.dim_param = "side"
        dim.ClearField("dim_value")
    model.graph.ClearField("value_info")
    with pytest.raises(AnnError, match="input_shape"):
        load_ann(model)
    with pytest.raises(AnnError, match="contradicts"):
        load_ann(model, input_shape=(3, 6, 8))
    assert_equal(load_ann(model, input_shape=(2, 6, 8)), model)


def test_paths_models_and_networks_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "digits.onnx"
    onnx.save(mlp().build(), path)
    ann = load_ann(path)
    assert (ann.name, load_ann(str(path)).name, load_ann(mlp().build()).name) == ("digits", "digits", "net")
    assert load_ann(ann) is ann
    assert load_ann(ann, input_shape=(6,)) is ann


def test_weights_of_both_float_types_are_read_exactly() -> None:
    for elements, dtype in ((TensorProto.FLOAT, np.float32), (TensorProto.DOUBLE, np.float64)):
        model = mlp(elements=elements).build()
        stored = numpy_helper.to_array(model.graph.initializer[0])
        assert stored.dtype == dtype
        np.testing.assert_array_equal(load_ann(model).layers[0].weights, stored)


def _with_wrong_bias(node: onnx_nodes.Node, shape: tuple[int, ...]) -> Step:
    step = onnx_nodes.OPERATORS["Gemm"](node, shape)
    assert isinstance(step, Dense)
    return Dense(step.where, step.name, step.weights, 1.01 * step.bias)


def test_a_wrong_reading_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison with ONNX's evaluator finds a bias that is 1 % off, and an activation left out."""
    wrong = [("Gemm", _with_wrong_bias), ("Relu", onnx_nodes.OPERATORS["Identity"])]
    for operator, reading in wrong:
        monkeypatch.setattr(onnx_chain, "OPERATORS", {**onnx_nodes.OPERATORS, operator: reading})
        with pytest.raises(AnnError, match="differs from ONNX's evaluator"):
            load_ann(mlp().build())
