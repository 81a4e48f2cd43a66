"""Small ONNX networks that the import carries over, each with one operator or fold in its place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from onnx import helper, numpy_helper
from onnx_models import ModelBuilder, cnn, mlp


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


def line() -> ModelBuilder:
    return ModelBuilder((2, 8))


def norm(builder: ModelBuilder) -> ModelBuilder:
    n = builder.shape[0]
    spread = builder.constant(builder.rng.uniform(0.5, 2.0, n))
    return builder.add("BatchNormalization", *(builder.random(n) for _ in range(3)), spread, epsilon=1e-3)


def line_conv(
    builder: ModelBuilder, n_out: int, kernel: int, group: int = 1, **attributes: object
) -> ModelBuilder:
    kernels = builder.random(n_out, builder.shape[0] // group, kernel)
    return builder.add("Conv", kernels, builder.random(n_out), group=group, **attributes)


def grouped(builder: ModelBuilder, n_out: int, group: int, **attributes: object) -> ModelBuilder:
    kernels = builder.random(n_out, builder.shape[0] // group, 3, 2)
    return builder.add("Conv", kernels, builder.random(n_out), group=group, **attributes)


def axes(builder: ModelBuilder, operator: str, *places: int) -> ModelBuilder:
    return builder.add(operator, builder.constant(np.array(places)))


def pad(builder: ModelBuilder, *pads: int) -> ModelBuilder:
    return builder.add("Pad", builder.constant(np.array(pads)))


def channels_last() -> ModelBuilder:
    """As TensorFlow exports: the data come as (height, width, channel), and so they go."""
    builder = ModelBuilder((6, 8, 2)).add("Transpose", perm=[0, 3, 1, 2]).conv(3, auto_pad="SAME_UPPER")
    builder = builder.add("Transpose", perm=[0, 2, 3, 1]).relu().add("Transpose", perm=[0, 3, 1, 2])
    return builder.conv(2, (2, 2)).relu().add("Transpose", perm=[0, 2, 3, 1]).flatten().gemm(3)


def clipped(*limits: float) -> ModelBuilder:
    builder = mlp()
    return builder.add("Clip", *(builder.constant(limit) for limit in limits)).gemm(2)


def constant_product() -> ModelBuilder:
    builder = vector()
    pair = [builder.random(6, 2), builder.random(6, 2)]
    builder.nodes.append(helper.make_node("Mul", pair, ["product"]))
    return builder.add("MatMul", "product")


def dequantised(opset: int = 19) -> ModelBuilder:
    """Weights of 8 bits, one scale per output."""
    builder = ModelBuilder((6,), opset=opset)
    codes = builder.constant(builder.rng.integers(-128, 128, (6, 4)).astype(np.int8))
    scales = "scales"  # of float32, whatever the model computes in
    builder.weights.append(numpy_helper.from_array(builder.rng.uniform(0.01, 0.1, 4).astype("f4"), scales))
    zeros = builder.constant(np.zeros(4, dtype=np.int8))
    builder.nodes.append(helper.make_node("DequantizeLinear", [codes, scales, zeros], ["floats"], axis=1))
    builder.nodes.append(helper.make_node("Cast", ["floats"], ["w"], to=builder.elements))
    return builder.add("MatMul", "w")


def sized() -> ModelBuilder:
    """x.view(x.size(0), -1), as PyTorch exports it with an open batch."""
    builder = image().conv(3).relu()
    one, rest, zero = (builder.constant(np.array(v)) for v in ([0], [-1], 0))
    for operator, inputs, output in (
        ("Shape", [builder.last], "shape"), ("Gather", ["shape", zero], "side"),
        ("Unsqueeze", ["side", one], "sides"), ("Concat", ["sides", rest], "target"),
    ):  # fmt: skip
        attributes = {"axis": 0} if operator in ("Gather", "Concat") else {}
        builder.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
    return builder.add("Reshape", "target").add("MatMul", builder.random(72, 2))


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
    "leaky relu": lambda: mlp().add("LeakyRelu", alpha=0.2).gemm(2),
    "sigmoid, tanh": lambda: mlp().add("Sigmoid").gemm(3).add("Tanh").gemm(2),
    "relu6": lambda: clipped(0.0, 0.7),
    "clip without a ceiling": lambda: clipped(0.0),
    "norm before the activation": lambda: norm(image().conv(3, pads=[1, 1, 1, 1])).readout(),
    "norm behind the activation": lambda: norm(image().conv(3).relu()).conv(2).readout(),
    "norm, dense": lambda: norm(norm(mlp()).relu()).gemm(2),
    "line": lambda: line_conv(line(), 3, 3, pads=[1, 0], strides=[2]).readout(),
    "line, same": lambda: line_conv(line_conv(line(), 3, 2, auto_pad="SAME_LOWER").relu(), 4, 3).readout(),
    "line, depthwise and dilated": lambda: line_conv(line(), 4, 3, 2, dilations=[2]).readout(),
    "line, pooled": lambda: (
        line_conv(line(), 3, 3, pads=[1, 1])
        .relu()
        .add("AveragePool", kernel_shape=[2], strides=[2])
        .flatten()
        .gemm(2)
    ),
    "line, pooled to its channels": lambda: line_conv(line(), 3, 3).relu().add("GlobalAveragePool").flatten().gemm(2),
    "groups": lambda: grouped(image().conv(4).relu(), 6, 2, pads=[1, 1, 0, 0], strides=[2, 1]).readout(),
    "depthwise": lambda: grouped(with_constant(image(), "Mul", CHANNELS), 2, 2).readout(),
    "depthwise, shifted": lambda: grouped(with_constant(image(), "Add", CHANNELS), 4, 2).readout(),
    "depthwise, pooled": lambda: grouped(image(), 2, 2, pads=[0, 0, 0, 1]).pool(2, 2).readout(),
    "dilation": lambda: image().conv(3, (2, 3), dilations=[3, 2], pads=[1, 0, 1, 2]).readout(),
    "dilation, same": lambda: image().conv(3, (2, 3), dilations=[3, 2], auto_pad="SAME_UPPER").readout(),
    "mean of an image": lambda: image().conv(3).relu().add("ReduceMean", axes=[2, 3], keepdims=0).gemm(2),
    "mean, axes kept": lambda: image().conv(3).relu().add("ReduceMean", axes=[-1, -2]).flatten().gemm(2),
    "mean, channels last": lambda: (
        ModelBuilder((6, 8, 2)).add("Transpose", perm=[0, 3, 1, 2]).conv(3).relu()
        .add("Transpose", perm=[0, 2, 3, 1]).add("ReduceMean", axes=[1, 2], keepdims=0).gemm(2)
    ),
    "mean, channels last, axes kept": lambda: (
        image().conv(3).relu().add("Transpose", perm=[0, 2, 3, 1]).add("ReduceMean", axes=[2, 1]).flatten().gemm(2)
    ),
    "squeeze": lambda: axes(image().conv(3).relu().add("GlobalAveragePool"), "Squeeze", 2, -1).gemm(2),
    "unsqueeze": lambda: axes(axes(vector().gemm(8), "Unsqueeze", 1, -1), "Squeeze", 1, 3).readout(),
    "vector to line": lambda: line_conv(axes(ModelBuilder((8,)), "Unsqueeze", 1), 2, 3).readout(),
    "channels last": channels_last,
    "pad": lambda: pad(image(), 0, 0, 1, 0, 0, 0, 2, 3).conv(3, pads=[1, 0, 0, 1]).readout(),
    "pad of a line": lambda: line_conv(pad(line(), 0, 0, 1, 0, 0, 2), 3, 3).readout(),
    "pad before same": lambda: pad(image(), 0, 0, 1, 1, 0, 0, 1, 1).conv(3, auto_pad="SAME_UPPER").readout(),
    "constant weights computed": lambda: constant_product(),
    "quantised weights": dequantised,
    "flattened by its size": sized,
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
