"""Are the classifiers that skl2onnx writes, with a label beside their scores, read as scikit-learn's own?"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_models import ModelBuilder, assert_equal
from spikeloom.ann.graph import Ann
from spikeloom.ann.load import load_ann
from spikeloom.errors import AnnError


def with_label(builder: ModelBuilder, *, two: bool) -> onnx.ModelProto:
    """The builder's network, its probabilities, and the class at the place of the largest one."""
    scores = builder.last
    nodes = [helper.make_node("Softmax", [scores], ["p"], axis=1)]
    constants = [numpy_helper.from_array(np.array([3, 5, 7][: 2 if two else 3]), "classes"),
                 numpy_helper.from_array(np.ones((), np.float64), "unity")]  # fmt: skip
    if two:
        nodes = [
            helper.make_node("Sigmoid", [scores], ["positive"]),
            helper.make_node("Sub", ["unity", "positive"], ["rest"]),
            helper.make_node("Concat", ["rest", "positive"], ["p"], axis=1),
        ]
    nodes += [
        helper.make_node("ArgMax", ["p"], ["place"], axis=1),
        helper.make_node("ArrayFeatureExtractor", ["classes", "place"], ["found"], domain="ai.onnx.ml"),
        helper.make_node("Cast", ["found"], ["label"], to=TensorProto.INT64),
    ]
    graph = helper.make_graph(
        [*builder.nodes, *nodes],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["batch", 6])],
        [helper.make_tensor_value_info("label", TensorProto.INT64, ["batch", 1]),
         helper.make_tensor_value_info("p", TensorProto.DOUBLE, ["batch", 2 if two else 3])],
        [*builder.weights, *constants],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


@pytest.mark.parametrize("two", [False, True])
def test_a_label_beside_the_scores_is_left_out(two: bool) -> None:
    builder = ModelBuilder((6,)).gemm(5).relu().gemm(1 if two else 3)
    plain = load_ann(builder.build())
    ann = load_ann(with_label(builder, two=two))
    assert ann.tail == ("sigmoid" if two else "softmax")
    assert same(ann, plain)
    assert_equal(ann, builder.build())


def test_a_scaler_is_folded_into_the_first_layer() -> None:
    builder = ModelBuilder((4,), elements=TensorProto.FLOAT)
    model = builder.add("MatMul", builder.constant(np.eye(4))).build()
    scaler = helper.make_node("Scaler", ["x"], ["scaled"], domain="ai.onnx.ml", name="scaler",
                              offset=[1.0, 2.0, 0.0, -1.0], scale=[0.5, 2.0, 1.0, 4.0])  # fmt: skip
    model.graph.node.insert(0, scaler)
    model.graph.node[1].input[0] = "scaled"
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 1))
    [layer] = load_ann(model).layers
    assert np.diag(layer.weights).tolist() == [0.5, 2.0, 1.0, 4.0]
    assert layer.bias.tolist() == [-0.5, -4.0, 0.0, 4.0]


def test_two_outputs_without_a_label_are_refused() -> None:
    model = ModelBuilder((6,)).gemm(5).relu().gemm(3).build()
    model.graph.output.append(helper.make_tensor_value_info("t1", TensorProto.DOUBLE, ["batch", 5]))
    with pytest.raises(AnnError, match="its outputs are not the one end"):
        load_ann(model)


def same(first: Ann, second: Ann, tolerance: float = 0.0) -> bool:
    return len(first.layers) == len(second.layers) and all(
        a.activation == b.activation
        and np.allclose(a.weights, b.weights, rtol=tolerance, atol=tolerance)
        and np.allclose(a.bias, b.bias, rtol=tolerance, atol=tolerance)
        for a, b in zip(first.layers, second.layers, strict=True)
    )


@pytest.mark.filterwarnings("ignore")  # of trainings that end early, and of what skl2onnx uses
@pytest.mark.parametrize("units", ["relu", "tanh", "logistic"])
@pytest.mark.parametrize("outputs", [1, 2, 3], ids=["regression", "two classes", "three classes"])
def test_both_ways_give_the_same_graph(units: str, outputs: int) -> None:
    skl2onnx = pytest.importorskip("skl2onnx", reason="skl2onnx is not installed")
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x = np.random.default_rng(5).normal(3.0, 2.0, (60, 4)).astype(np.float32)
    kind: Any = MLPRegressor if outputs == 1 else MLPClassifier
    net = kind(hidden_layer_sizes=(7,), activation=units, max_iter=5, random_state=1)
    pipeline = make_pipeline(StandardScaler(), net).fit(
        x, x[:, 0] if outputs == 1 else np.arange(60) % outputs
    )
    exported = skl2onnx.to_onnx(pipeline, x[:1], options=None if outputs == 1 else {"zipmap": False})
    direct, by_onnx = load_ann(pipeline), load_ann(exported)
    assert direct.tail == by_onnx.tail
    assert same(direct, by_onnx, tolerance=1e-5)  # the file holds float32
