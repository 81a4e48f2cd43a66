"""The same workloads on other simulators, where they are installed: processor seconds of their loop alone."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from peer_brian2 import brian2_seconds
from peer_nest import nest_seconds
from peer_torch import torch_seconds
from workloads import Workload

Peer = Callable[[Workload], float]
# By the module that has to be there.
KNOWN: dict[str, tuple[Peer, tuple[str, ...]]] = {
    "torch": (torch_seconds, ("W1", "W2")),
    "brian2": (brian2_seconds, ("W3", "W4")),
    "nest": (nest_seconds, ("W3", "W4")),
}


def sanafe_is_there() -> bool:
    """It has its part of the table where clocks are counted: it models the time of hardware."""
    return find_spec("sanafe") is not None


def peers(name: str) -> dict[str, Peer | str]:
    """The simulators that know this workload, by name; the reason where one cannot run here."""
    return {
        peer: run if find_spec(peer) else f"{peer} is not installed"
        for peer, (run, names) in KNOWN.items()
        if name in names
    }
