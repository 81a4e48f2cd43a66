"""Tasks that the sweep tests send to other processes."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikeloom.errors import PlacementError


def product_of(point: Mapping[str, Any]) -> dict[str, Any]:
    """A few results of different kinds; one point does not fit."""
    if point["a"] == 13:
        raise PlacementError("layer fc1", "does not fit", value=13, limit=12)
    return {"product": point["a"] * point["b"], "odd": bool(point["a"] % 2), "half": point["a"] / 2}


def broken(point: Mapping[str, Any]) -> dict[str, Any]:
    raise ZeroDivisionError(f"at {point['a']}")


def nameless(point: Mapping[str, Any]) -> dict[str, Any]:
    return {"a": 1.0}


@dataclass(frozen=True)
class Logged:
    """Notes every run in a file, takes a moment, and may kill its worker, once a point."""

    log: Path
    seconds: float = 0.0
    deadly: int = -1
    identity = "logged"

    def __call__(self, point: Mapping[str, Any]) -> dict[str, Any]:
        with self.log.open("a", encoding="utf-8") as file:
            file.write(f"{point['a']} {os.getpid()}\n")
        time.sleep(self.seconds)
        mark = self.log.with_suffix(f".{point['a']}")
        if point["a"] == self.deadly and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), 9)
        return {"square": point["a"] ** 2}

    def __getstate__(self) -> dict[str, Any]:
        """Counts how often the task is sent."""
        with self.log.with_suffix(".sent").open("a", encoding="utf-8") as file:
            file.write("sent\n")
        return dict(self.__dict__)
