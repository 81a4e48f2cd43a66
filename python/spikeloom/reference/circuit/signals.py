"""The observed word of a core, taken apart into signals for all lines of a log at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import EmulationError

SIDES = ("L", "E", "W", "N", "S")  # of a router: the core, east, west, north, south
CHUNK = 65536  # lines decoded at once: what bounds the memory


@dataclass(frozen=True, eq=False)
class Signals:
    """What cores show, a row for each clock in which the word of a core changed.

    clock, place: (rows,); values: signal -> (rows,) int64. Signals are "phase" (0 INPUT, 1 DELIVER, 2 UPDATE,
    3 DRAIN), "neuron" in the write stage (-1: none) and the register elements that it is written with (0: none),
    "spike_neuron" (-1: none) and "spike_count", entries in "output_fifo", "receive_fifo" and "router_L" to
    "router_S", and "moves_L" to "moves_S", 1 where that output of the router hands over a packet.
    """

    clock: NDArray[np.int64]
    place: NDArray[np.int64]
    values: Mapping[str, NDArray[np.int64]]


def decoded_signals(description: Mapping[str, Any], changes: Sequence[tuple[int, int, str]]) -> Signals:
    """Take apart lines of clock, core and hexadecimal word; `description` is the circuit's own."""
    fields = list(_fields(description))
    parts = [_decoded(fields, [word for _, _, word in changes[k : k + CHUNK]])
             for k in range(0, len(changes), CHUNK)]  # fmt: skip
    values = {
        name: np.concatenate([part[name] for part in parts] or [np.zeros(0, np.int64)])
        for name, _, _ in fields
    }
    written, spiked = values.pop("write_valid") == 1, values.pop("spike") == 1
    values["neuron"] = np.where(written, values["neuron"], -1)
    values["spike_neuron"] = np.where(spiked, values["spike_neuron"], -1)
    places = np.array([line[:2] for line in changes], dtype=np.int64).reshape(-1, 2)
    return Signals(places[:, 0], places[:, 1], values)


def _fields(description: Mapping[str, Any]) -> Iterator[tuple[str, int, bool]]:
    """(signal, bits, signed) from the lowest bits of the word on."""
    w = description["widths"]
    yield from ((f"moves_{side}", 1, False) for side in SIDES)
    yield from ((f"router_{side}", w["ROUTER_COUNT_BITS"], False) for side in SIDES)
    yield "receive_fifo", w["RECEIVE_COUNT_BITS"], False
    yield "output_fifo", w["OUTPUT_COUNT_BITS"], False
    yield "spike_count", w["SPIKE_BITS"], False
    yield "spike_neuron", w["NEURON_BITS"], False
    yield "spike", 1, False
    for stored in (*description["state"], *description["accumulator"]):
        yield stored["name"], stored["bits"], stored["signed"]
    yield "neuron", w["NEURON_BITS"], False
    yield "write_valid", 1, False
    yield "phase", 2, False


def _decoded(fields: Sequence[tuple[str, int, bool]], words: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    """Signal -> its value in each word."""
    bits, first, found = _bits(words), 0, {}
    for name, width, signed in fields:
        weights = np.int64(1) << np.arange(width, dtype=np.int64)
        weights[-1] *= -1 if signed else 1
        found[name] = bits[:, first : first + width] @ weights
        first += width
    return found


def _bits(words: Sequence[str]) -> NDArray[np.int64]:
    """(words, bits), lowest bit first."""
    characters = np.frombuffer("".join(words).encode("ascii"), dtype=np.uint8).reshape(len(words), -1)
    digits = np.where(characters >= ord("a"), characters - (ord("a") - 10), characters - ord("0"))
    if (digits > 15).any():
        row = int(np.flatnonzero((digits > 15).any(axis=1))[0])
        raise EmulationError("log of a circuit", "has a signal that is undefined", value=words[row])
    nibbles = (digits[:, ::-1, None] >> np.arange(4, dtype=np.uint8)) & 1
    return nibbles.reshape(len(words), -1).astype(np.int64)
