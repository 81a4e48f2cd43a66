"""The way through an ONNX graph, from its input to its output, node by node."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.branches import add_up, concatenate, fork
from spikeloom.ann.lower import Lowering
from spikeloom.ann.lowered import MAX_NUMBERS, Tensor
from spikeloom.ann.onnx.file import PLAIN, Port, refused_as
from spikeloom.ann.onnx.node import Node
from spikeloom.ann.onnx.nodes import FOLDED, JOINS, OPERATORS, TAILS
from spikeloom.ann.steps import Step, plain_name
from spikeloom.errors import AnnError

if TYPE_CHECKING:
    import onnx


JOIN = "join branches by Add or Concat"

# ONNX's evaluator knows this operator from here on; before, it did the same with fewer options.
DEQUANTISED = {"": 19}


@dataclass
class Walk:
    """The way along the nodes, adding a step to the lowering at each.

    Attributes:
        tensors: what each tensor is in the lowering.
        current: the last tensor that was made.
        end: the last tensor before the tail.
        tail: what the tail is, or None.
        opsets: version of each domain.
        readers: what reads each tensor, in words.
        shapes: of the tensors so far, without the batch axis.
    """

    name: str
    graph: onnx.GraphProto
    port: Port
    lowering: Lowering
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)
    opsets: dict[str, int] = field(default_factory=dict)
    readers: dict[str, list[str]] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    current: str = ""
    end: str = ""
    tail: str | None = None

    def run(self) -> None:
        """Walk the whole graph.

        Raises:
            AnnError: naming the operator and the node that is not carried over exactly.
        """
        graph = self.graph
        self.current = self.end = self.port.name
        self.shapes[self.current] = self.port.shape
        self.constants = {tensor.name: self._array(tensor) for tensor in graph.initializer}
        outputs = [port.name for port in graph.output]
        self.readers = _readers(graph)
        self._keep(self.port.name, Step(f"input {self.port.name!r}", plain_name(self.port.name)))
        for node in graph.node:
            self._visit(node)
        if outputs != [self.current]:
            subject, names = f"network {self.name!r}", ", ".join(outputs)
            raise AnnError(subject, "its outputs are not the one end of a chain", value=names, remedy=PLAIN)

    def _visit(self, proto: onnx.NodeProto) -> None:
        if self._is_constant(proto):
            return
        node = self._node(proto)
        read = self._checked_inputs(proto, node)
        self.lowering.tensor = self.tensors[read[0]]
        if len(read) > 1:
            self._join(node, read)
        elif node.operator in TAILS:
            self._cut(node)
        elif self.tail is not None and node.operator != "Identity":
            raise node.refusal(f"it follows the network's {self.tail}", "end the network there")
        else:
            for step in OPERATORS[node.operator](node, self.lowering.shape):
                self.lowering.add(step)
        self.current = proto.output[0]
        self.shapes[self.current] = self.lowering.shape
        self._keep(self.current, Step(*node.labels))
        if self.tail is None:
            self.end = self.current

    def _keep(self, name: str, step: Step) -> None:
        """Remember the current tensor for those who read it, in a form that several readers can take."""
        if len(self.readers.get(name, ())) > 1:
            fork(self.lowering, step)
        self.tensors[name] = self.lowering.tensor

    def _join(self, node: Node, read: list[str]) -> None:
        """A node that reads several tensors of the network."""
        if self.tail is not None:
            raise node.refusal(f"it follows the network's {self.tail}", "end the network there")
        step, tensors = Step(*node.labels), [self.tensors[name] for name in read]
        if node.operator in ("Add", "Sum") and len(read) == len(node.arguments):
            add_up(self.lowering, step, tensors)
        elif node.operator == "Concat" and len(read) == len(node.arguments):
            axis = node.attributes["axis"] % (len(self.lowering.shape) + 1)
            if axis == 0:
                raise node.refusal("it joins samples", "concatenate along another axis", axis)
            concatenate(self.lowering, step, tensors, axis - 1)
        else:
            raise node.refusal("it joins branches, and is neither their sum nor their concatenation", JOIN)

    def _is_constant(self, proto: onnx.NodeProto) -> bool:
        """Whether this node only gives a constant, which is then kept."""
        operator = _operator(proto)
        if operator == "Constant":
            self.constants[proto.output[0]] = self._constant(proto)
        elif operator == "Shape" and proto.input[0] in self.shapes:
            self.constants[proto.output[0]] = self._shape(proto)
        elif (
            operator == "CastLike" and proto.input[0] in self.constants
        ):  # everything here is float64 in the end
            self.constants[proto.output[0]] = self.constants[proto.input[0]]
        elif operator in FOLDED and all(name in self.constants for name in proto.input if name):
            self.constants[proto.output[0]] = self._folded(proto)
        else:
            return False
        return True

    def _shape(self, proto: onnx.NodeProto) -> NDArray[Any]:
        """The shape of a tensor on the chain; an open batch axis is 0, which Reshape takes for "as it is"."""
        sides = (self.port.batch or 0, *self.shapes[proto.input[0]])
        attributes = _attributes(proto)
        return np.array(sides[attributes.get("start", 0) : attributes.get("end")], dtype=np.int64)

    def _folded(self, proto: onnx.NodeProto) -> NDArray[Any]:
        """What a node makes of constants."""
        from onnx.reference import ReferenceEvaluator

        with refused_as(_where(proto), "its constants cannot be computed"):
            feeds = {name: self.constants[name] for name in proto.input if name}
            if sum(array.size for array in feeds.values()) > MAX_NUMBERS:
                raise ValueError("they are too large")
            opsets = self.opsets if proto.op_type != "DequantizeLinear" else DEQUANTISED
            return np.asarray(ReferenceEvaluator(proto, opsets=opsets).run(None, feeds)[0])

    def _constant(self, proto: onnx.NodeProto) -> NDArray[Any]:
        """The array of a Constant node, whose one attribute says its type."""
        [(kind, value)] = _attributes(proto).items()
        if kind == "value":
            return self._array(value)
        if kind not in ("value_float", "value_floats", "value_int", "value_ints"):
            raise AnnError(_where(proto), f"its {kind} is no dense number", remedy=PLAIN)
        return np.asarray(value, dtype=np.float32 if "float" in kind else np.int64)

    def _array(self, tensor: onnx.TensorProto) -> NDArray[Any]:
        from onnx import numpy_helper

        with refused_as(f"tensor {tensor.name!r} of network {self.name!r}", "is damaged"):
            array: NDArray[Any] = numpy_helper.to_array(tensor)
            return array

    def _node(self, proto: onnx.NodeProto) -> Node:
        places = [k for k, name in enumerate(proto.input) if name and name not in self.constants]
        return Node(
            _operator(proto),
            proto.name or proto.output[0],
            weight=proto.input[1] if len(proto.input) > 1 else "",
            attributes=_attributes(proto),
            arguments=tuple(self.constants.get(name) for name in proto.input),
            place=places[0] if places else -1,
            batch=self.port.batch,
        )

    def _checked_inputs(self, proto: onnx.NodeProto, node: Node) -> list[str]:
        """The network's tensors that a node reads; refuses an unknown operator."""
        if node.operator not in OPERATORS and node.operator not in TAILS and node.operator not in JOINS:
            known = ", ".join([*OPERATORS, *TAILS, *JOINS])
            raise node.refusal("this operator is not supported", f"use only {known}")
        read = [name for name in proto.input if name and name not in self.constants]
        unknown = [name for name in read if name not in self.tensors]
        if not read:
            raise node.refusal("it computes with constants only", PLAIN)
        if unknown:
            raise node.refusal("it reads nothing that the network has computed", PLAIN, ", ".join(unknown))
        if len(read) == 1 and node.operator in JOINS:
            raise node.refusal("it has a constant operand", "use Add, or leave it out")
        return read

    def _cut(self, node: Node) -> None:
        """Leave out an operator of the tail, which must act on the axis of the outputs."""
        if len(self.lowering.shape) != 1:
            raise node.refusal("its input is not a flat vector", "flatten it before", self.lowering.shape)
        default = 0 if node.operator == "ArgMax" else 1
        node.demand("axis", node.attributes.get("axis", default), 1, -1)
        if self.tail == "argmax":
            raise node.refusal("it follows the network's argmax", "end the network there")
        self.tail = TAILS[node.operator]


def _readers(graph: onnx.GraphProto) -> dict[str, list[str]]:
    """Of each tensor, the operators that read it; a network's output is read by its user."""
    readers: dict[str, list[str]] = {port.name: ["the network's output"] for port in graph.output}
    for node in graph.node:
        for name in node.input if node.op_type not in ("Shape", "CastLike") else ():
            readers.setdefault(name, []).append(_where(node))
    return readers


def _operator(proto: onnx.NodeProto) -> str:
    """The operator, with its domain where that is not ONNX's own."""
    return proto.op_type if proto.domain in ("", "ai.onnx") else f"{proto.domain}.{proto.op_type}"


def _attributes(proto: onnx.NodeProto) -> dict[str, Any]:
    """Attributes by name, texts as str."""
    from onnx import helper

    with refused_as(_where(proto), "an attribute is damaged"):
        values = {a.name: helper.get_attribute_value(a) for a in proto.attribute}
        return {name: v.decode() if isinstance(v, bytes) else v for name, v in values.items()}


def _where(proto: onnx.NodeProto) -> str:
    return f"operator {proto.op_type} (node {proto.name or proto.output[0]!r})"
