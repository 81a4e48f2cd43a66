"""How far a chip's registers are from the numbers that a network was described with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Fidelity:
    """One parameter of one population or projection.

    owner, parameter: "population exc", "tau_mem"
    values: as described; registers: the codes that the chip holds; achieved: the values that those codes stand for
    note: what is not the same in kind, or ""
    """

    owner: str
    parameter: str
    values: NDArray
    registers: NDArray
    achieved: NDArray
    note: str = ""

    @property
    def error(self) -> float:
        """Largest difference between a value and what its register stands for."""
        return float(np.abs(self.achieved - self.values).max(initial=0.0))

    def report(self) -> dict[str, Any]:
        """Plain JSON: the value that is hit worst, with its register; how many there are; the largest error."""
        worst = int(np.abs(self.achieved - self.values).argmax()) if self.values.size else None
        told = {} if worst is None else {
            "value": float(self.values.flat[worst]), "register": float(self.registers.flat[worst]),
            "achieved": float(self.achieved.flat[worst]),
        }  # fmt: skip
        return {"owner": self.owner, "parameter": self.parameter, "count": int(self.values.size), **told,
                "error": self.error, "note": self.note}  # fmt: skip
