"""Is a network refused as a whole where its shape, inputs, outputs or storage cannot be carried over?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import ModelBuilder, mlp, one_line
from spikeloom.ann.load import load_ann
from spikeloom.errors import AnnError

NETWORKS: dict[str, tuple[str, Callable[[], onnx.ModelProto]]] = {
    "two inputs": ("one input", lambda: two_inputs()),
    "two outputs": ("outputs", lambda: with_mask()),
    "no layer": ("no linear layer", lambda: ModelBuilder((2, 6, 8)).add("Identity").build()),
    "pool only": ("no linear layer", lambda: ModelBuilder((2, 6, 8)).pool(2, 2).build()),
    "flattened output": ("order", lambda: ModelBuilder((2, 6, 8)).conv(3).flatten().build()),
    "integer input": ("float", lambda: ModelBuilder((6,), elements=TensorProto.INT32).add("Relu").build()),
    "no batch axis": ("batch axis", lambda: no_batch_axis()),
    "empty sample": ("batch axis", lambda: ModelBuilder((0,)).add("Identity").build()),
    "empty batch": ("batch axis", lambda: ModelBuilder((6,), batch=0).gemm(2).build()),
    "huge batch": ("batch axis", lambda: ModelBuilder((6,), batch=1 << 40).gemm(2).build()),
    "huge input": ("too large", lambda: ModelBuilder((1 << 40,)).add("Identity").build()),
    "old opset": ("opset", lambda: old_opset()),
    "sparse weights": ("sparse", lambda: sparse()),
    "external weights": ("another file", lambda: external()),
    "overflow": ("differs", lambda: overflowing()),
}  # fmt: skip


def two_inputs() -> onnx.ModelProto:
    model = mlp().build()
    model.graph.input.append(helper.make_tensor_value_info("y", TensorProto.DOUBLE, [1]))
    return model


def with_mask() -> onnx.ModelProto:
    model = mlp().build()
    model.graph.node.append(helper.make_node("Dropout", ["t2"], ["t3", "mask"]))
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("t3", TensorProto.DOUBLE, ["batch", 3]))
    model.graph.output.append(helper.make_tensor_value_info("mask", TensorProto.BOOL, ["batch", 3]))
    return model


def no_batch_axis() -> onnx.ModelProto:
    model = ModelBuilder((6,)).add("Identity").build()
    for port in (model.graph.input[0], model.graph.output[0]):
        del port.type.tensor_type.shape.dim[0]
    return model


def old_opset() -> onnx.ModelProto:
    model = mlp(opset=7).build()
    model.opset_import[0].version = 6
    return model


def sparse() -> onnx.ModelProto:
    model = mlp().build()
    values = helper.make_tensor("w", TensorProto.DOUBLE, [1], [1.0])
    places = helper.make_tensor("w_places", TensorProto.INT64, [1], [0])
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, places, [6, 5]))
    return model


def external() -> onnx.ModelProto:
    model = mlp().build()
    onnx.external_data_helper.set_external_data(model.graph.initializer[0], "weights.bin")
    return model


def overflowing() -> onnx.ModelProto:
    builder = ModelBuilder((6,), elements=TensorProto.FLOAT)
    for _ in range(2):
        n_in = builder.shape[0]
        builder.add("MatMul", builder.constant(np.full((n_in, 3), 1e30))).relu()
    return builder.build()


@pytest.mark.parametrize(("problem", "build"), NETWORKS.values(), ids=NETWORKS.keys())
def test_refused_networks(problem: str, build: Callable[[], onnx.ModelProto]) -> None:
    with pytest.raises(AnnError) as caught:
        load_ann(build())
    assert problem in one_line(caught.value)
