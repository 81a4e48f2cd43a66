"""Is whatever is not carried over exactly refused, by operator and node, in one line with a remedy?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import ArrayLike
from onnx import TensorProto, helper
from onnx_models import ModelBuilder, mlp, one_line
from spikeloom.ann.load import load_ann
from spikeloom.errors import AnnError

NAME = "culprit"


def vector() -> ModelBuilder:
    return ModelBuilder((6,))


def image() -> ModelBuilder:
    return ModelBuilder((2, 6, 8))


def culprit(builder: ModelBuilder, operator: str, *values: ArrayLike, **attributes: object) -> ModelBuilder:
    """The chain with one more operator, which has the name that the message must hold."""
    constants = [builder.constant(np.asarray(v)) for v in values]
    return builder.add(operator, *constants, name=NAME, **attributes)


KERNELS = np.ones((3, 2, 3, 3))
OFFSET = np.array([[[0.5]], [[-1.0]]])

REFUSED: dict[str, tuple[str, str, Callable[[], ModelBuilder]]] = {
    "unknown operator": ("Erf", "not supported", lambda: culprit(mlp(), "Erf")),
    "transposed batch": ("Transpose", "batch axis", lambda: culprit(vector(), "Transpose", perm=[1, 0])),
    "groups without a channel each": (
        "Conv",
        "group does not divide",
        lambda: culprit(image(), "Conv", np.ones((3, 1, 3, 3)), group=2),
    ),
    "pool behind a dilated conv": (
        "AveragePool",
        "dilated convolution",
        lambda: culprit(
            image().conv(1, (2, 2), dilations=[2, 2]), "AveragePool", kernel_shape=[2, 2], strides=[2, 2]
        ),
    ),
    "conv behind conv": ("Conv", "without an activation", lambda: culprit(image().conv(2), "Conv", KERNELS)),
    "gemm behind conv": (
        "Gemm",
        "without an activation",
        lambda: culprit(image().conv(1).flatten(), "Gemm", np.ones((24, 2))),
    ),
    "mean, then padded conv": (
        "Conv",
        "zero padding",
        lambda: culprit(shifted(image()), "Conv", KERNELS, pads=[1, 1, 1, 1]),
    ),
    "pixelwise scale, then conv": ("Conv", "varies over the image", lambda: pixelwise("Conv", KERNELS)),
    "pixelwise scale, then pool": (
        "AveragePool",
        "varies over the image",
        lambda: pixelwise("AveragePool", kernel_shape=[2, 2], strides=[2, 2]),
    ),
    "pixelwise bias of a conv": (
        "Add",
        "varies over the image",
        lambda: culprit(image().conv(3), "Add", np.arange(72.0).reshape(3, 4, 6)),
    ),
    "overlapping pool": ("AveragePool", "strides", lambda: pooled([3, 3], strides=[2, 2])),
    "pool of stride 1": ("AveragePool", "strides", lambda: pooled([2, 2])),
    "padded pool": ("AveragePool", "pads", lambda: pooled([2, 2], strides=[2, 2], pads=[1, 1, 1, 1])),
    "pool with a rest": ("AveragePool", "does not divide", lambda: pooled([2, 3], strides=[2, 3])),
    "dilated pool": (
        "AveragePool",
        "dilations",
        lambda: pooled([2, 2], strides=[2, 2], dilations=[2, 2], opset=19),
    ),
    "global pool of a vector": (
        "GlobalAveragePool",
        "not an image",
        lambda: culprit(ModelBuilder((2, 3, 2, 2)), "GlobalAveragePool"),
    ),
    "transposed input": (
        "Gemm",
        "transA",
        lambda: culprit(ModelBuilder((6,), batch=6), "Gemm", np.ones((6, 2)), transA=1),
    ),
    "batched matmul": (
        "MatMul",
        "flat vector",
        lambda: culprit(ModelBuilder((2, 6)), "MatMul", np.ones((6, 2))),
    ),
    "matmul with a stack": (
        "MatMul",
        "number of axes",
        lambda: culprit(vector(), "MatMul", np.ones((1, 6, 2))),
    ),
    "weights first": ("MatMul", "second input", lambda: weights_first()),
    "flatten of the batch axis": ("Flatten", "axis", lambda: culprit(image(), "Flatten", axis=0)),
    "flatten in two": ("Flatten", "axis", lambda: culprit(image(), "Flatten", axis=2)),
    "reshape that moves rows": ("Reshape", "batch axis", lambda: culprit(image(), "Reshape", [-1, 48])),
    "reshape of one row": ("Reshape", "batch axis", lambda: culprit(image(), "Reshape", [1, -1])),
    "reshape to one axis": ("Reshape", "batch axis", lambda: culprit(image(), "Reshape", [-1])),
    "reshape with allowzero": (
        "Reshape",
        "allowzero",
        lambda: culprit(image(), "Reshape", [0, 0, 48], allowzero=1),
    ),
    "conv on a reshaped image": (
        "Conv",
        "not an image",
        lambda: culprit(swapped(), "Conv", np.ones((1, 4, 1, 1))),
    ),
    "pool of a reshaped image": (
        "AveragePool",
        "not an image",
        lambda: culprit(swapped(), "AveragePool", kernel_shape=[3, 3], strides=[3, 3]),
    ),
    "division by zero": ("Div", "divides by zero", lambda: culprit(vector(), "Div", [1.0, 2, 0, 1, 1, 1])),
    "constant / signal": ("Div", "divides a constant", lambda: reciprocal()),
    "constant that enlarges": ("Mul", "does not fit", lambda: culprit(ModelBuilder((1,)), "Mul", np.ones(6))),
    "constant per row": (
        "Add",
        "does not fit",
        lambda: culprit(ModelBuilder((6,), batch=2), "Add", np.ones((2, 1))),
    ),
    "relu on the input": ("Relu", "no linear layer", lambda: culprit(vector(), "Relu")),
    "dropout in training": (
        "Dropout",
        "training_mode",
        lambda: culprit(mlp(elements=TensorProto.FLOAT), "Dropout", np.array(0.5), np.array(True)),
    ),
    "nan": ("Gemm", "not finite", lambda: culprit(vector(), "Gemm", np.full((6, 2), np.nan))),
    "inf in a bias": ("Conv", "not finite", lambda: culprit(image(), "Conv", KERNELS, [np.inf, 0, 0])),
    "nan in a scaling": ("Mul", "not finite", lambda: culprit(vector(), "Mul", np.nan)),
    "layer behind the tail": (
        "Gemm",
        "follows",
        lambda: culprit(mlp().add("Softmax"), "Gemm", np.ones((3, 2))),
    ),
    "softmax over images": ("Softmax", "flat vector", lambda: culprit(image().conv(3), "Softmax", axis=1)),
    "softmax over the batch": ("Softmax", "axis", lambda: culprit(mlp(), "Softmax", axis=0)),
    "argmax over the batch": ("ArgMax", "axis", lambda: culprit(mlp(), "ArgMax")),
    "constants only": ("Relu", "constants only", lambda: constants_only()),
    "clip from below 0": ("Clip", "min", lambda: culprit(mlp(), "Clip", -1.0, 6.0)),
    "clip at 0": ("Clip", "wrong number", lambda: culprit(mlp(), "Clip", 0.0, 0.0)),
    "clip with two limits": ("Clip", "one number", lambda: culprit(mlp(), "Clip", np.zeros(2))),
    "steep leak": ("LeakyRelu", "wrong number", lambda: culprit(mlp(), "LeakyRelu", alpha=2.0)),
    "tanh on the input": ("Tanh", "no linear layer", lambda: culprit(vector(), "Tanh")),
    "squeeze of the batch": (
        "Squeeze",
        "batch axis",
        lambda: culprit(ModelBuilder((6,), batch=1), "Squeeze", [0]),
    ),
    "unsqueeze of the batch": ("Unsqueeze", "batch axis", lambda: culprit(vector(), "Unsqueeze", [0])),
    "mean over channels": ("ReduceMean", "axes", lambda: culprit(image(), "ReduceMean", axes=[1])),
    "cast to integers": (
        "Cast",
        "to",
        lambda: back_to_floats(culprit(vector(), "Cast", to=TensorProto.INT32)),
    ),
    "reflection": ("Pad", "mode", lambda: culprit(image(), "Pad", [0, 0, 1, 1, 0, 0, 1, 1], mode="reflect")),
    "padding of ones": ("Pad", "value", lambda: culprit(image(), "Pad", [0, 0, 1, 1, 0, 0, 1, 1], 1.0)),
    "padding of channels": ("Pad", "sides", lambda: culprit(image(), "Pad", [0, 1, 0, 0, 0, 0, 0, 0])),
    "cropping": ("Pad", "sides", lambda: culprit(image(), "Pad", [0, 0, -1, 0, 0, 0, 0, 0])),
    "padding before a pool": (
        "AveragePool",
        "padded",
        lambda: culprit(
            culprit(image(), "Pad", [0, 0, 1, 1, 0, 0, 1, 1]),
            "AveragePool",
            kernel_shape=[2, 2],
            strides=[2, 2],
        ),
    ),
    "a sum of different shapes": ("Add", "different shape", lambda: unequal()),
    "samples side by side": ("Concat", "it joins samples", lambda: joined(0)),
    "max rounded up": (
        "MaxPool",
        "ceil_mode",
        lambda: culprit(image(), "MaxPool", kernel_shape=[4, 4], strides=[4, 4], ceil_mode=1),
    ),
    "max of padding alone": (
        "MaxPool",
        "as wide as its window",
        lambda: culprit(image(), "MaxPool", kernel_shape=[2, 2], pads=[2, 0, 0, 0]),
    ),
    "max of a padded input": (
        "MaxPool",
        "can be negative",
        lambda: culprit(image(), "MaxPool", kernel_shape=[2, 2], pads=[1, 1, 0, 0]),
    ),
    "max wider than its image": (
        "MaxPool",
        "larger than the padded image",
        lambda: culprit(image(), "MaxPool", kernel_shape=[20, 20]),
    ),
    "max of a linear layer": (
        "MaxPool",
        "it pools a linear layer",
        lambda: culprit(image().conv(2), "MaxPool", kernel_shape=[2, 2], strides=[2, 2]).flatten().gemm(2),
    ),
    "max of tanh": (
        "MaxPool",
        "can be negative",
        lambda: culprit(image().conv(2), "MaxPool", kernel_shape=[2, 2], strides=[2, 2]).add("Tanh"),
    ),
    "a square": ("Mul", "joins branches", lambda: square()),
}


def back_to_floats(builder: ModelBuilder) -> ModelBuilder:
    return builder.add("Cast", to=builder.elements)


def shifted(builder: ModelBuilder) -> ModelBuilder:
    return builder.add("Sub", builder.constant(OFFSET))


def pixelwise(operator: str, *values: ArrayLike, **attributes: object) -> ModelBuilder:
    builder = image()
    return culprit(
        builder.add("Mul", builder.constant(np.arange(96.0).reshape(2, 6, 8))),
        operator,
        *values,
        **attributes,
    )


def pooled(kernel: list[int], opset: int = 17, **attributes: object) -> ModelBuilder:
    return culprit(ModelBuilder((2, 6, 8), opset=opset), "AveragePool", kernel_shape=kernel, **attributes)


def swapped() -> ModelBuilder:
    """Behind a layer, an image of 3 x 4 x 6 numbers taken as one of 4 x 3 x 6."""
    builder = image().conv(3).relu()
    return builder.add("Reshape", builder.constant(np.array([-1, 4, 3, 6])))


def weights_first() -> ModelBuilder:
    builder = ModelBuilder((6,), batch=6)
    return builder.add("MatMul", builder.random(2, 6), first=False, name=NAME)


def reciprocal() -> ModelBuilder:
    builder = vector()
    return builder.add("Div", builder.constant(np.ones(6)), first=False, name=NAME)


def constants_only() -> ModelBuilder:
    builder = vector()
    pair = [builder.random(6, 2), builder.random(6, 2)]
    builder.nodes.append(helper.make_node("Mul", pair, ["factor"]))
    builder.nodes.append(helper.make_node("Relu", ["factor"], ["product"], name=NAME))
    return builder.add("MatMul", "product")


def joined(axis: int) -> ModelBuilder:
    return vector().gemm(6).relu().add("Concat", "t1", axis=axis, name=NAME)


def unequal() -> ModelBuilder:
    """(6,) + (1,): ONNX would broadcast."""
    builder = vector().gemm(6).relu().gemm(1)
    return builder.add("Add", "t1", name=NAME)


def square() -> ModelBuilder:
    builder = mlp()
    return builder.add("Mul", builder.last, name=NAME)


@pytest.mark.parametrize(("operator", "problem", "build"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_by_operator_and_node(operator: str, problem: str, build: Callable[[], ModelBuilder]) -> None:
    with pytest.raises(AnnError) as caught:
        load_ann(build().build())
    assert one_line(caught.value).startswith(f"operator {operator} (node '{NAME}'): ")
    assert problem in caught.value.problem


def test_an_operator_of_another_domain_is_refused() -> None:
    model = culprit(mlp(), "Relu").build()
    model.graph.node[-1].domain = "com.example"
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    with pytest.raises(AnnError, match=r"operator com.example.Relu \(node 'culprit'\)"):
        load_ann(model)


def test_a_second_output_is_refused() -> None:
    model = mlp().build()
    model.graph.output.append(helper.make_tensor_value_info("t1", TensorProto.DOUBLE, ["batch", 5]))
    with pytest.raises(AnnError, match="its outputs are not the one end") as caught:
        load_ann(model)
    assert caught.value.subject == "network 'net'"
    assert "t1" in str(caught.value)
