"""Networks of PyTorch: traced by torch.fx, walked from input to output, lowered, and verified by PyTorch."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.branches import add_up, concatenate, fork
from spikeloom.ann.graph import Ann
from spikeloom.ann.lower import Lowering
from spikeloom.ann.lowered import Tensor
from spikeloom.ann.steps import Step, plain_name
from spikeloom.ann.torch.call import Call
from spikeloom.ann.torch.nodes import CALLS, MODULES, TAILS
from spikeloom.ann.verify import verify
from spikeloom.errors import AnnError

if TYPE_CHECKING:
    import torch
    from torch import fx

_PLAIN = "give layers that torch.fx can trace: no branch on values, one tensor in and one out"
_JOINS = ("cat", "concat", "concatenate")


def load_torch(source: torch.nn.Module, *, input_shape: tuple[int, ...] | None = None) -> Ann:
    """Read a network from a `torch.nn.Module` that torch.fx can trace.

    The module is copied and read in inference mode; it stays as it is. A tail of softmax, sigmoid or argmax is
    cut off and remembered. The result is compared with the module, in float64, on random input.

    Args:
        source: the module, a Sequential or one with a `forward` of its own.
        input_shape: shape of one sample, without the batch axis; (in_features,) where the module begins with
            a Linear and this is left out.

    Raises:
        AnnError: if it cannot be traced; if it holds a module, function or branch that is not carried over
            exactly, by its name; if the network as read computes something else.
    """
    name = type(source).__name__
    traced = _traced(name, source)
    walk = Walk(name, traced, Lowering(name, _sample_shape(name, traced, input_shape)))
    walk.run()
    ann = walk.lowering.finish(walk.tail)
    assert walk.end is not None
    verify(
        ann, "PyTorch", _answers(traced, walk.end), dtype=np.dtype(np.float64),
        order=walk.lowering.index.ravel(),
    )  # fmt: skip
    return ann


def _traced(name: str, source: torch.nn.Module) -> fx.GraphModule:
    """A float64 copy in inference mode, as a graph of calls."""
    import torch

    is_one_layer = torch.fx.Tracer().is_leaf_module(source, "")  # which is not traced into
    try:
        module = copy.deepcopy(source).eval().double().cpu()
        return torch.fx.symbolic_trace(torch.nn.Sequential(module) if is_one_layer else module)
    except Exception as error:  # whatever the module's own code raises
        lines = str(error).splitlines() or [type(error).__name__]
        raise AnnError(
            f"module {name}", f"torch.fx cannot trace it ({lines[0][:200]})", remedy=_PLAIN
        ) from error


def _sample_shape(name: str, traced: fx.GraphModule, given: tuple[int, ...] | None) -> tuple[int, ...]:
    if given is not None:
        if not given or not all(isinstance(side, int | np.integer) and side > 0 for side in given):
            raise AnnError(f"module {name}", "input_shape is no shape of a sample", value=given,
                           remedy="give one sample's shape, without the batch axis")  # fmt: skip
        return tuple(int(side) for side in given)
    first = next((node for node in traced.graph.nodes if node.op != "placeholder"), None)
    module = traced.get_submodule(first.target) if first is not None and first.op == "call_module" else None
    if type(module).__name__ == "Linear":
        return (int(module.in_features),)  # type: ignore[union-attr]
    remedy = "give input_shape=(...), one sample's shape"
    raise AnnError(f"module {name}", "does not say the shape of its input", remedy=remedy)


def _answers(traced: fx.GraphModule, end: fx.Node) -> Any:
    """The traced network up to `end`, as a function of arrays."""
    import torch

    [output] = [node for node in traced.graph.nodes if node.op == "output"]
    output.args = (end,)
    traced.recompile()

    def run(x: NDArray[Any]) -> NDArray[Any]:
        with torch.no_grad():
            result: NDArray[Any] = traced(torch.from_numpy(x)).numpy()
        return result.reshape(len(x), -1)

    return run


@dataclass
class Walk:
    """The way along the traced calls, adding their steps to the lowering.

    Attributes:
        tensors: what the result of each call is in the lowering.
        current: the last call that was walked.
        end: the last one before the tail.
        values: constants by the node that gives them; the batch size is None.
        shapes: of the tensors so far, without the batch axis.
    """

    name: str
    traced: fx.GraphModule
    lowering: Lowering
    tensors: dict[fx.Node, Tensor] = field(default_factory=dict)
    current: fx.Node | None = None
    end: fx.Node | None = None
    tail: str | None = None
    values: dict[fx.Node, Any] = field(default_factory=dict)
    shapes: dict[fx.Node, tuple[int, ...]] = field(default_factory=dict)

    def run(self) -> None:
        """Walk all calls.

        Raises:
            AnnError: naming the module or function that is not carried over exactly, or leaves the chain.
        """
        for node in self.traced.graph.nodes:
            match node.op:
                case "placeholder":
                    self._begin(node)
                case "get_attr":
                    self.values[node] = _attribute(self.traced, node.target)
                case "output":
                    if node.args[0] is not self.current:
                        raise AnnError(
                            f"module {self.name}", "its output is not the end of a chain", remedy=_PLAIN
                        )
                case _:
                    self._visit(node)

    def _begin(self, node: fx.Node) -> None:
        if self.current is not None:
            subject = f"module {self.name}"
            raise AnnError(subject, "it takes several inputs", value=node.name, limit=1, remedy=_PLAIN)
        self.current = self.end = node
        self._keep(node, Step(f"input {node.name!r}", plain_name(node.name)))

    def _keep(self, node: fx.Node, step: Step) -> None:
        """Remember the current tensor for those who read it, in a form that several readers can take."""
        readers = [user for user in node.users if not _is_size(user)]
        if len(readers) > 1:
            fork(self.lowering, step)
        self.tensors[node], self.shapes[node] = self.lowering.tensor, self.lowering.shape

    def _visit(self, node: fx.Node) -> None:
        read = [each for each in node.all_input_nodes if each in self.tensors]
        if read:
            self.lowering.tensor = self.tensors[read[0]]
        call = self._call(node)
        if call.operator in ("size", "getattr", "getitem"):
            self.values[node] = self._size(call)
            return
        self._check_known(call, read)
        if len(read) > 1 or call.operator in _JOINS:
            self._join(call, read)
        elif call.operator in TAILS:
            self._cut(call)
        elif self.tail is not None:
            raise call.refusal(f"it follows the network's {self.tail}", "end the network there")
        else:
            handlers = MODULES if call.module is not None else CALLS
            for step in handlers[call.operator](call):
                self.lowering.add(step)
        self.current = node
        self._keep(node, Step(*call.labels))
        if self.tail is None:
            self.end = node

    def _join(self, call: Call, read: list[fx.Node]) -> None:
        """A call that reads several tensors of the network."""
        if self.tail is not None:
            raise call.refusal(f"it follows the network's {self.tail}", "end the network there")
        step, tensors = Step(*call.labels), [self.tensors[node] for node in read]
        if call.operator in ("add", "add_", "iadd") and len(call.arguments) == 2 and not call.options:
            add_up(self.lowering, step, tensors)
        elif call.operator in _JOINS and list(call.arguments[0]) == read:
            axis = call.option("dim", 1, call.options.get("axis", 0)) % (len(self.lowering.shape) + 1)
            if axis == 0:
                raise call.refusal("it joins samples", "concatenate along another axis", axis)
            concatenate(self.lowering, step, tensors, axis - 1)
        else:
            raise call.refusal("it joins branches, and is neither their sum nor their concatenation",
                               "join branches by addition or torch.cat")  # fmt: skip

    def _call(self, node: fx.Node) -> Call:
        module = self.traced.get_submodule(node.target) if node.op == "call_module" else None
        operator = (
            type(module).__name__ if module is not None else getattr(node.target, "__name__", node.target)
        )
        arguments = tuple(self._value(argument) for argument in node.args)
        options = {key: self._value(value) for key, value in node.kwargs.items()}
        name = str(node.target) if module is not None else node.name
        return Call(str(operator), name, module, arguments, options, self.lowering.shape)

    def _value(self, argument: Any) -> Any:
        """An argument with constants in place of their nodes; the tensor on the chain stays a node."""
        if isinstance(argument, tuple | list):
            return type(argument)(self._value(each) for each in argument)
        return self.values.get(argument, argument) if hasattr(argument, "users") else argument

    def _size(self, call: Call) -> Any:
        """What `x.size(k)`, `x.shape` and an element of it are; None stands for the batch size."""
        value = call.arguments[0]
        if (
            call.operator == "getitem"
            and isinstance(value, tuple)
            and isinstance(call.arguments[1], int | slice)
        ):
            return value[call.arguments[1]]
        is_shape = call.operator == "size" or call.arguments[1:] == ("shape",)
        if is_shape and not isinstance(value, tuple) and value in self.shapes:
            shape = (None, *self.shapes[value])
            axis = call.options.get(
                "dim", call.arguments[1] if call.operator == "size" and len(call.arguments) > 1 else None
            )
            return shape if axis is None else shape[axis]
        raise call.refusal("this operator is not supported", _PLAIN)

    def _check_known(self, call: Call, read: list[fx.Node]) -> None:
        known = MODULES if call.module is not None else CALLS
        if call.operator not in known and call.operator not in (*TAILS, *_JOINS):
            raise call.refusal(
                "this operator is not supported", f"use only {', '.join([*known, *TAILS, *_JOINS])}"
            )
        if not read:
            raise call.refusal("it reads nothing that the network has computed", _PLAIN)

    def _cut(self, call: Call) -> None:
        if len(self.lowering.shape) != 1:
            raise call.refusal("its input is not a flat vector", "flatten it before", self.lowering.shape)
        dim = call.option("dim", 1)
        if dim not in (1, -1, None):
            raise call.refusal("dim is not supported", "use dim = 1", dim, "1 or -1")
        if self.tail == "argmax":
            raise call.refusal("it follows the network's argmax", "end the network there")
        self.tail = TAILS[call.operator]


def _is_size(node: fx.Node) -> bool:
    return node.target in ("size", getattr)


def _attribute(root: Any, path: Any) -> Any:
    for part in str(path).split("."):
        root = getattr(root, part)
    return root.detach().numpy() if hasattr(root, "detach") else root
