"""Small ONNX models for the tests, written operator by operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from spikeloom.ann.graph import Ann
from spikeloom.errors import AnnError

Array = NDArray[Any]

# Both sides compute in float64. They differ in the order of sums (1e-16 a term, some hundred terms a layer)
# and in the folded constants, which are rounded once more.
ROUNDING = 1e-11


@dataclass
class ModelBuilder:
    """A chain of operators on input "x"; each method appends one, `build` gives the checked model.

    `input_shape` is without the batch axis, `batch` its size or symbol. Models are float64 unless told
    otherwise, so that what is compared with ONNX's evaluator agrees to rounding.
    """

    input_shape: Sequence[int | str | None]
    batch: int | str = "batch"
    opset: int = 17
    elements: int = TensorProto.DOUBLE
    last: str = "x"
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(0)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the tensor at the chain's end, without the batch axis."""
        graph = self.build(check=False).graph if self.nodes else None
        port = graph.output[0].type.tensor_type if graph else None
        return tuple(d.dim_value for d in port.shape.dim[1:]) if port else tuple(self.input_shape)  # type: ignore[arg-type]

    def constant(self, values: Any, name: str | None = None) -> str:
        """An initializer with these values; floats become the model's kind of float."""
        array = np.asarray(values)
        if array.dtype.kind == "f":
            array = array.astype(helper.tensor_dtype_to_np_dtype(self.elements))
        name = name or f"constant{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def random(self, *shape: int, name: str | None = None) -> str:
        return self.constant(self.rng.standard_normal(shape) / 2, name)

    def add(self, operator: str, *constants: str, first: bool = True, **attributes: Any) -> ModelBuilder:
        """Append an operator on the chain's end and constants; `first=False` puts the chain second."""
        inputs = [self.last, *constants] if first else [*constants, self.last]
        output, name = f"t{len(self.nodes)}", attributes.pop("name", f"node{len(self.nodes)}")
        self.nodes.append(helper.make_node(operator, inputs, [output], name=name, **attributes))
        self.last = output
        return self

    def gemm(self, n_out: int, name: str | None = None, **attributes: Any) -> ModelBuilder:
        (n_in,) = self.shape
        shape = (n_out, n_in) if attributes.get("transB") else (n_in, n_out)
        return self.add("Gemm", self.random(*shape, name=name), self.random(n_out), **attributes)

    def conv(self, n_out: int, kernel: tuple[int, int] = (3, 3), **attributes: Any) -> ModelBuilder:
        kernels = self.random(n_out, self.shape[0], *kernel)
        return self.add("Conv", kernels, self.random(n_out), **attributes)

    def pool(self, down: int, right: int, **attributes: Any) -> ModelBuilder:
        window = [down, right]
        return self.add("AveragePool", **{"kernel_shape": window, "strides": window, **attributes})

    def relu(self) -> ModelBuilder:
        return self.add("Relu")

    def flatten(self) -> ModelBuilder:
        return self.add("Flatten")

    def readout(self) -> ModelBuilder:
        """An activation and a dense layer: the whole tensor, in its order, enters the result."""
        return (self.relu().flatten() if len(self.shape) > 1 else self.relu()).gemm(3)

    def build(self, *, also_inputs: bool = False, check: bool = True) -> onnx.ModelProto:
        ports = [helper.make_tensor_value_info("x", self.elements, [self.batch, *self.input_shape])]
        if also_inputs:
            ports += [helper.make_tensor_value_info(w.name, w.data_type, w.dims) for w in self.weights]
        output = onnx.ValueInfoProto(name=self.last)
        is_index = bool(self.nodes) and self.nodes[-1].op_type == "ArgMax"
        output.type.tensor_type.elem_type = TensorProto.INT64 if is_index else self.elements
        graph = helper.make_graph(self.nodes, "net", ports, [output], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)
        model = onnx.shape_inference.infer_shapes(model)  # the output's shape
        if check:
            onnx.checker.check_model(model, full_check=True)
        return model


def evaluate(model: onnx.ModelProto, x: Array, tensor: str | None = None) -> Array:
    """What ONNX's own evaluator gives for one tensor, the output by default."""
    wanted = tensor or model.graph.output[0].name
    return np.asarray(ReferenceEvaluator(model).run([wanted], {model.graph.input[0].name: x})[0])  # type: ignore[index]


def assert_equal(ann: Ann, model: onnx.ModelProto, tensor: str | None = None, rows: int = 5) -> None:
    """The network gives what ONNX's evaluator gives for one tensor, on input that the import has not seen."""
    x = np.random.default_rng(7).standard_normal((rows, *ann.input_shape))
    expected = evaluate(model, x, tensor)
    if expected.ndim == 4:
        expected = expected.transpose(0, 2, 3, 1)
    got = ann.predict(x)
    assert np.abs(got - expected.reshape(rows, -1)).max() <= ROUNDING * max(1.0, np.abs(expected).max())


def mlp(**options: Any) -> ModelBuilder:
    """6 -> 5 -> relu -> 3."""
    return ModelBuilder((6,), **options).gemm(5).relu().gemm(3)


def cnn(**options: Any) -> ModelBuilder:
    """2 x 8 x 8 image, a pool behind the first activation and one before the second."""
    builder = ModelBuilder((2, 8, 8), **options).conv(3, pads=[1, 1, 1, 1]).relu().pool(2, 2)
    return builder.conv(4, pads=[1, 1, 1, 1]).pool(2, 2).readout()


def one_line(error: AnnError) -> str:
    """The message, checked to be one line with a remedy."""
    assert "\n" not in str(error)
    assert error.remedy
    return str(error)
