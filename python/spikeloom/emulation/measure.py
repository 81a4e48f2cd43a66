"""What the fit needs to see of a layer on the emulated chip: the spikes it makes from the spikes it gets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation.emulate import emulate
from spikeloom.program.program import ChipProgram


@dataclass(frozen=True, eq=False)
class Feed:
    """Spikes that arrive at a layer: counts (samples, ticks, lines), and the first tick of the layer's window.

    Ticks before `depth` let the layer integrate its bias, and whatever an early neuron sends, as in the whole
    network; window spikes are those that the layer may see in its own window.
    """

    spikes: NDArray[np.uint8]
    depth: int

    @property
    def rates(self) -> NDArray[np.float64]:
        """(samples, lines) spikes per tick over the window."""
        window = self.spikes[:, self.depth :]
        counts: NDArray[np.float64] = window.sum(axis=1, dtype=np.int64).astype(np.float64)
        return counts / window.shape[1]

    def rows(self, rows: NDArray[np.intp]) -> Feed:
        """The feed of these samples only."""
        return Feed(self.spikes[rows], self.depth)


def window_rates(program: ChipProgram, feed: Feed, name: str, *, threads: int | None = None) -> NDArray[np.float64]:
    """(samples, neurons) spikes per tick of a one-layer program over the layer's window."""
    trains = _trains(program, feed, name, threads)
    counts: NDArray[np.float64] = trains[:, feed.depth :].sum(axis=1, dtype=np.int64).astype(np.float64)
    return counts / (trains.shape[1] - feed.depth)


def readout(program: ChipProgram, feed: Feed, *, threads: int | None = None) -> NDArray[np.float64]:
    """(samples, outputs) what a one-layer program reads out."""
    outputs: NDArray[np.float64] = emulate(program, feed.spikes, threads=threads).outputs
    return outputs


def next_feed(program: ChipProgram, feed: Feed, name: str, *, threads: int | None = None) -> Feed:
    """What the layer behind a one-layer program gets: its spikes, one latency later."""
    latency = program.profile.time.spike_latency_ticks
    trains = _trains(program, feed, name, threads)
    return Feed(np.pad(trains, ((0, 0), (latency, 0), (0, 0))), feed.depth + latency)


def _trains(program: ChipProgram, feed: Feed, name: str, threads: int | None) -> NDArray[np.uint8]:
    """(samples, ticks, neurons) spike counts of a population, warm-up included."""
    recording = emulate(program, feed.spikes, record=(f"{name}.spikes",), threads=threads)
    size = next(population.neurons.size for population in program.populations if population.name == name)
    trains = np.zeros((*feed.spikes.shape[:2], size), dtype=np.uint8)
    sample, tick, neuron = recording.spikes[name].T
    np.add.at(trains, (sample, tick, neuron), np.uint8(1))
    return trains
