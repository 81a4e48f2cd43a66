"""One ONNX node on the chain from input to output, with what the functions of the operators ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import FloatArray
from spikeloom.ann.steps import plain_name
from spikeloom.errors import AnnError

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Node:
    """One ONNX node on the chain from input to output.

    Attributes:
        operator: its type, "Gemm".
        name: its own name, or that of its output.
        weight: name of its second input, from which a layer may take its name.
        attributes: by name; strings as str.
        arguments: one per input; an array, or None for the tensor on the chain and for what is left out.
        place: which of the inputs is the tensor on the chain.
        batch: the fixed batch size, or None.
    """

    operator: str
    name: str
    weight: str
    attributes: Mapping[str, Any]
    arguments: tuple[NDArray[Any] | None, ...]
    place: int
    batch: int | None

    @property
    def where(self) -> str:
        return f"operator {self.operator} (node {self.name!r})"

    @property
    def layer_name(self) -> str:
        """A name of letters, digits and underscores: "fc1" of "fc1.weight", else the node's."""
        stem = self.weight.removesuffix(".weight") if self.weight.endswith(".weight") else self.name
        return plain_name(stem)

    @property
    def labels(self) -> tuple[str, str]:
        """`where` and `name` of the steps that come of this node."""
        return self.where, self.layer_name

    def refusal(self, problem: str, remedy: str, value: object = None, limit: object = None) -> AnnError:
        return AnnError(self.where, problem, value=value, limit=limit, remedy=remedy)

    def demand(self, attribute: str, value: object, *allowed: object) -> None:
        """Refuse every value of an attribute but those allowed."""
        if value not in allowed:
            limit = " or ".join(str(choice) for choice in allowed)
            remedy = f"export the network with {attribute} = {limit}"
            raise self.refusal(f"{attribute} is not supported", remedy, value, limit)

    def sides(self, attribute: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """An attribute that has as many whole numbers as its default."""
        values = tuple(int(value) for value in self.attributes.get(attribute, default))
        if len(values) != len(default):
            problem, remedy = f"{attribute} is not that of an image", "use two-dimensional images"
            raise self.refusal(problem, remedy, values, f"{len(default)} numbers")
        return values

    def positive(self, attribute: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """The same, of positive numbers."""
        values = self.sides(attribute, default)
        if min(values) < 1:
            raise self.refusal(f"{attribute} is not positive", "export the network again", values, 1)
        return values

    def argument(self, k: int) -> NDArray[Any] | None:
        return self.arguments[k] if k < len(self.arguments) else None

    def floats(self, k: int) -> FloatArray | None:
        """Argument k as float64, or None where it is left out."""
        values = self.argument(k)
        if values is None:
            return None
        if values.dtype not in (np.float32, np.float64):
            remedy = "export the network in float32"
            raise self.refusal("its constants are not float32 or float64", remedy, values.dtype)
        if not np.isfinite(values).all():
            raise self.refusal(
                "a weight or constant is not finite", "repair or retrain the network", "inf or nan"
            )
        return values.astype(np.float64)

    def weights(self, rank: int) -> FloatArray:
        """The second argument of a linear operator, whose first one is the tensor on the chain."""
        values = self.floats(1)
        if self.place != 0 or values is None:
            remedy = "put the weights second, as a constant"
            raise self.refusal("its weights are not its second input", remedy)
        if values.ndim != rank:
            raise self.refusal("its weights have the wrong number of axes", "reshape them", values.ndim, rank)
        return values

    def number(self, k: int) -> float | None:
        """Argument k as one number, or None where it is left out."""
        values = self.argument(k)
        if values is None or values.size == 0:
            return None
        if values.size != 1:
            raise self.refusal("an argument is not one number", "export the network again", values.shape)
        return float(values.reshape(()))

    def broadcast(self, values: FloatArray, shape: Shape) -> FloatArray:
        """A constant without its leading axes of length 1, checked to leave a tensor of this shape as it is."""
        extra = max(0, values.ndim - len(shape))
        trimmed = values.reshape(values.shape[extra:]) if prod(values.shape[:extra]) == 1 else values
        try:
            fits = np.broadcast_shapes(trimmed.shape, shape) == shape
        except ValueError:
            fits = False
        if not fits:
            raise self.refusal(
                "its constant does not fit the tensor", "use one per channel", values.shape, shape
            )
        return trimmed
