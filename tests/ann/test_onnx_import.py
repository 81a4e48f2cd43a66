"""Does an imported ONNX network compute what ONNX says, with every fold in its place?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_cases import MODELS, dequantised, reshape
from onnx_models import ModelBuilder, assert_equal, cnn, evaluate, mlp
from spikeloom.ann.load import load_ann
from spikeloom.ann.onnx import chain as onnx_chain
from spikeloom.ann.onnx import nodes as onnx_nodes
from spikeloom.ann.onnx.node import Node
from spikeloom.ann.steps import Dense, Step
from spikeloom.errors import AnnError


@pytest.mark.parametrize("build", MODELS.values(), ids=MODELS.keys())
def test_import_equals_onnx(build: Callable[[], ModelBuilder]) -> None:
    model = build().build()
    assert_equal(load_ann(model), model)


@pytest.mark.parametrize("opset", [13, 21])
def test_quantised_weights_are_codes_times_scales(opset: int) -> None:
    builder = dequantised(opset)
    codes, scales, _ = (numpy_helper.to_array(tensor) for tensor in builder.weights)
    np.testing.assert_array_equal(load_ann(builder.build()).layers[0].weights, codes * scales)


@pytest.mark.parametrize("opset", [7, 9, 10])
def test_arguments_that_were_attributes_in_early_opsets(opset: int) -> None:
    builder = ModelBuilder((2, 6, 1), opset=opset).add("Squeeze", axes=[3]).add("Unsqueeze", axes=[2])
    builder.add("Pad", pads=[0, 0, 0, 1, 0, 0, 0, 2]).conv(2, (1, 3)).add("Clip", min=0.0, max=0.8)
    builder.add("Dropout", ratio=0.5).flatten().gemm(3).add("Clip", min=0.0).gemm(2)
    model = builder.build()
    ann = load_ann(model)
    assert_equal(ann, model)
    assert [layer.activation for layer in ann.layers] == ["clip", "relu", "identity"]
    assert ann.layers[0].activation_number == np.float32(0.8)
    assert ann.layers[0].padding == (0, 1, 0, 2)


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
        (["Sigmoid"], "sigmoid"),
    ],
)
def test_the_tail_is_cut_and_remembered(operators: list[str], tail: str | None) -> None:
    builder = mlp()
    scores = builder.last
    for operator in operators:
        builder.add(operator, **({} if operator in ("Identity", "Sigmoid") else {"axis": 1}))
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


def _with_wrong_bias(node: Node, shape: tuple[int, ...]) -> tuple[Step, ...]:
    [step] = onnx_nodes.OPERATORS["Gemm"](node, shape)
    assert isinstance(step, Dense)
    return (Dense(step.where, step.name, step.weights, 1.01 * step.bias),)


def test_a_wrong_reading_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison with ONNX's evaluator finds a bias that is 1 % off, and an activation left out."""
    wrong = [("Gemm", _with_wrong_bias), ("Relu", onnx_nodes.OPERATORS["Identity"])]
    for operator, reading in wrong:
        monkeypatch.setattr(onnx_chain, "OPERATORS", {**onnx_nodes.OPERATORS, operator: reading})
        with pytest.raises(AnnError, match="differs from ONNX's evaluator"):
            load_ann(mlp().build())
