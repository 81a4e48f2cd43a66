"""What every operation has in common."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Operand = int | str


class _Operation(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    """Unique in the list; a variant overrides an operation by it."""
    unless: str | None = None
    """A register: the operation acts only on neurons where it is 0."""
    on: Literal["synapse", "virtual", "leak"] | None = None
    """Event mode: the events in which it acts; absent: all of them. A neuron event acts as `synapse`."""

    def reads(self) -> tuple[Operand, ...]:
        """Every operand that the operation may read."""
        return (self.unless,) if self.unless is not None else ()

    def writes(self) -> tuple[str, ...]:
        """Every register that the operation may write."""
        return ()
