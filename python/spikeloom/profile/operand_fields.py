"""Which fields of an operation hold operands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from spikeloom.profile.operation_base import Operand
from spikeloom.profile.operations import Operation

REGISTER_FIELDS = (
    "unless",
    "dst",
    "reg",
    "counter",
    "states",
    "blocks",
    "imem",
    "exc",
    "inh",
    "ahp",
    "fired",
    "late",
    "after",
    "w",
)
_OTHER_FIELDS = (
    "name", "op", "on", "shift", "offset", "round", "min_step", "negate", "toward", "guard",
    "cmp", "neg_cmp", "reset", "bits", "inl", "integrator", "parts",
)  # fmt: skip


def operands_of(operation: Operation) -> Iterator[tuple[str, Operand | None]]:
    """(field, operand) of every operand; a started counter comes as ("start.NAME", None)."""
    for field, value in operation.model_dump(by_alias=True, exclude_none=True).items():
        if field == "terms":
            yield from (("terms", _term(operation, term)) for term in value)
        elif field in ("states", "taus", "blocks"):
            yield from ((field, operand) for operand in value)
        elif field in ("gains", "conductances"):
            yield from ((field, operand) for operand in _named_operands(value))
        elif field == "start":
            for counter, operand in value.items():
                yield f"start.{counter}", None
                yield f"start.{counter}", operand
        elif field not in _OTHER_FIELDS:
            yield field, value


def _term(operation: Operation, term: Operand) -> Operand:
    """A term without its sign; `i[*]` stands for its first element."""
    if not isinstance(term, str):
        return term
    name = term.removeprefix("-")
    return name.removesuffix("[*]") + "[0]" if name.endswith("[*]") else name


def _named_operands(table: Mapping[str, Any]) -> Iterator[Operand]:
    """Every name and value of `{ source = gain }`, or of one such table a state."""
    for name, value in table.items():
        yield name
        if isinstance(value, Mapping):
            yield from _named_operands(value)
        else:
            yield value
