"""A hardware profile as a whole; its tables are in `tables.py`, its operations in `operations.py`."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from pydantic import Field

from spikeloom.profile.cycle_tables import Cycles, Energy, Noc
from spikeloom.profile.event_mode import EventMode
from spikeloom.profile.imperfections import Imperfection, Jitter, Noise, OperationEffect, ReadNoise, is_idle
from spikeloom.profile.operations import FIRING, Operation
from spikeloom.profile.tables import (
    Bias,
    Chip,
    Delivery,
    Limits,
    Memory,
    Outputs,
    Param,
    Register,
    RegisterState,
    SharedTable,
    SharedValue,
    Source,
    SpikesMax,
    Status,
    Table,
    WeightMode,
    Weights,
)
from spikeloom.profile.time_table import Time

__all__ = [
    "Bias",
    "Chip",
    "Cycles",
    "Delivery",
    "Energy",
    "EventMode",
    "Limits",
    "Memory",
    "Noc",
    "Outputs",
    "Param",
    "Profile",
    "Register",
    "RegisterState",
    "SharedTable",
    "SharedValue",
    "Source",
    "SpikesMax",
    "Status",
    "Time",
    "WeightMode",
    "Weights",
]


class Profile(Table):
    """One chip: everything that solver, emulator, references and report know of it.

    Made by `load_profile`; a derived profile shows its overrides in `name` and `hash`.
    """

    format: Literal[1] = Field(alias="schema")
    """Version of the profile format."""
    name: str = ""
    """Set by the loader: the id, the variant after a colon, each override after a plus sign."""
    chip: Chip
    limits: Limits = Limits()
    time: Time
    weights: Weights
    delivery: Delivery
    event: EventMode | None = None
    params: dict[str, Param] = {}
    regs: dict[str, Register]
    state: dict[str, RegisterState] = {}
    operation: tuple[Operation, ...]
    imperfection: tuple[Imperfection, ...] = ()
    outputs: Outputs = Outputs()
    bias: Bias = Bias(kind="none")
    cycles: Cycles | None = None
    noc: Noc | None = None
    energy: Energy = Energy()
    provenance: dict[str, Source] = {}
    variant: dict[str, dict[str, Any]] = {}

    @property
    def hash(self) -> str:
        """SHA-256 over everything that changes behaviour: all but name, provenance and unused variants."""
        idle: Any = {"name": True, "provenance": True, "variant": True, "chip": {"fpga"}}
        content = self.model_dump(mode="json", by_alias=True, exclude=idle)
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def is_analog(self) -> bool:
        """True where the soma computes in binary64 rather than in integers."""
        return self.chip.soma == "analog"

    @property
    def fire(self) -> Any:
        """The operation that makes spikes."""
        return next(operation for operation in self.operation if operation.op in FIRING)

    @property
    def threshold(self) -> str | None:
        """The parameter that a spike needs; None where the threshold is a number that no program can set."""
        operand = self.fire.pos if self.fire.op == "fire2" else self.fire.thr
        return operand if isinstance(operand, str) and operand in self.params else None

    @property
    def alias(self) -> Any:
        """The operation that copies spikes between neurons, None where there is none."""
        return next((operation for operation in self.operation if operation.op == "alias"), None)

    @property
    def temporal_effects(self) -> tuple[str, ...]:
        """Names of the imperfections that are drawn anew in every step."""
        noisy = {operation.name for operation in self.operation if operation.op in ("add_noise", "mac")}
        return tuple(
            entry.name
            for entry in self.imperfection
            if (isinstance(entry, ReadNoise | Jitter | Noise) and not is_idle(entry))
            or (isinstance(entry, OperationEffect) and noisy.intersection(entry.operations))
        )

    def element_names(self) -> tuple[str, ...]:
        """Every register element in declaration order: "u", or "i[0]", "i[1]" of a vector."""
        names: list[str] = []
        for name, register in self.regs.items():
            vector = [f"{name}[{k}]" for k in range(register.count)]
            names += [name] if register.count == 1 else vector
        return tuple(names)
