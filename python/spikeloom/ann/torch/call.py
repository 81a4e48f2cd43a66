"""One call of a network traced by torch.fx, with what the functions of `torch_nodes` ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spikeloom.ann.steps import plain_name
from spikeloom.errors import AnnError


@dataclass(frozen=True)
class Call:
    """One call of the traced network.

    Attributes:
        operator: class of the module, or name of the function or method.
        name: path of the module, or the name that torch.fx gives the call.
        module: that module, or None for a function or method.
        arguments, options: of the call; the tensor on the chain is a node of torch.fx, the batch size is None.
        shape: of the tensor on the chain, without the batch axis.
    """

    operator: str
    name: str
    module: Any
    arguments: tuple[Any, ...]
    options: Mapping[str, Any]
    shape: tuple[int, ...]

    @property
    def where(self) -> str:
        return f"operator {self.operator} ({'module' if self.module is not None else 'call'} {self.name!r})"

    @property
    def labels(self) -> tuple[str, str]:
        """`where` and `name` of the steps that come of this call."""
        return self.where, plain_name(self.name)

    def refusal(self, problem: str, remedy: str, value: object = None, limit: object = None) -> AnnError:
        return AnnError(self.where, problem, value=value, limit=limit, remedy=remedy)

    def option(self, name: str, place: int, default: Any = None) -> Any:
        """An attribute of the module, else an argument of the call by name or place."""
        if self.module is not None:
            return getattr(self.module, name, default)
        return self.options.get(name, self.arguments[place] if place < len(self.arguments) else default)

    def sides(self, name: str, place: int, default: Any, rank: int) -> tuple[int, ...]:
        """An option of one number a side, or one for all sides; a line gets a first side from `default`."""
        value = self.option(name, place, default)
        values = tuple(value) if isinstance(value, tuple | list) else (value,) * rank
        if len(values) != rank or not all(isinstance(side, int) for side in values):
            raise self.refusal(f"{name} is not supported", f"give {rank} whole numbers", value)
        return values

    def demand(self, name: str, value: object, *allowed: object) -> None:
        if value not in allowed:
            limit = " or ".join(str(choice) for choice in allowed)
            raise self.refusal(f"{name} is not supported", f"use {name} = {limit}", value, limit)
