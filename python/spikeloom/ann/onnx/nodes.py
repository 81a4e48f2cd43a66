"""Which function reads which ONNX operator: its node to the steps that it stands for."""

from __future__ import annotations

from collections.abc import Callable

from spikeloom.ann.onnx import layers, shapes
from spikeloom.ann.onnx.node import Node, Shape
from spikeloom.ann.steps import Step

OPERATORS: dict[str, Callable[[Node, Shape], tuple[Step, ...]]] = {
    "Gemm": layers.gemm, "MatMul": layers.matmul, "Conv": layers.conv,
    "AveragePool": layers.average_pool, "MaxPool": layers.max_pool,
    "GlobalAveragePool": layers.global_average_pool,
    "ReduceMean": layers.reduce_mean, "BatchNormalization": layers.batch_normalisation,
    "Add": layers.scaling, "Sub": layers.scaling, "Mul": layers.scaling, "Div": layers.scaling,
    "ai.onnx.ml.Scaler": layers.scaler,
    "Relu": layers.activation("relu"), "LeakyRelu": layers.leaky, "Clip": layers.clip,
    "Sigmoid": layers.activation("sigmoid"), "Tanh": layers.activation("tanh"),
    "Flatten": shapes.flatten, "Reshape": shapes.reshape, "Squeeze": shapes.squeeze,
    "Unsqueeze": shapes.unsqueeze, "Transpose": shapes.transpose, "Pad": shapes.pad,
    "Identity": shapes.identity, "Cast": shapes.cast, "Dropout": shapes.dropout,
}  # fmt: skip
JOINS = ("Concat", "Sum")  # of several tensors of the network; Add is one too
TAILS = {"Softmax": "softmax", "LogSoftmax": "softmax", "ArgMax": "argmax"}

# Of constants only: what they give is a constant, which ONNX's own evaluator computes.
FOLDED = (
    "Add", "Cast", "Concat", "ConstantOfShape", "DequantizeLinear", "Div", "Expand", "Gather", "Identity", "Mul",
    "Neg", "Pow", "Reciprocal", "Reshape", "Shape", "Slice", "Sqrt", "Squeeze", "Sub", "Transpose", "Unsqueeze",
)  # fmt: skip
