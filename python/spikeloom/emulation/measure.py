"""What the fit needs to see of a layer on the emulated chip: the spikes it makes from the spikes it gets.

The chip is the nominal one, without imperfections.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation.emulate import emulate
from spikeloom.profile.schema import Profile
from spikeloom.program.program import ChipProgram


@dataclass(frozen=True, eq=False)
class Feed:
    """What arrives at a layer: spike counts (samples, ticks, lines), or values (samples, channels) for the host.

    The layer's window starts at tick `depth`. In the ticks before, it integrates its bias, and whatever an early
    neuron sends, as in the whole network. Where the profile divides its tick, `ticks` and `depth` are steps, and
    `per_tick` of them make a tick.
    """

    inputs: NDArray
    ticks: int
    depth: int = 0
    per_tick: int = 1

    @property
    def size(self) -> int:
        """Lines, or channels."""
        return int(self.inputs.shape[-1])

    @property
    def rates(self) -> NDArray[np.float64]:
        """(samples, lines) spikes per tick over the window."""
        counts: NDArray[np.float64] = (
            self.inputs[:, self.depth :].sum(axis=1, dtype=np.int64).astype(np.float64)
        )
        per_tick: NDArray[np.float64] = counts * (self.per_tick / (self.ticks - self.depth))
        return per_tick

    @property
    def totals(self) -> NDArray[np.float64]:
        """(samples, lines) spikes of the whole run for each tick of the window: what a register adds up."""
        counts: NDArray[np.float64] = self.inputs.sum(axis=1, dtype=np.int64).astype(np.float64)
        per_tick: NDArray[np.float64] = counts * (self.per_tick / (self.ticks - self.depth))
        return per_tick

    def rows(self, rows: NDArray[np.intp]) -> Feed:
        """The feed of these samples only."""
        return Feed(self.inputs[rows], self.ticks, self.depth, self.per_tick)


def side_by_side(feeds: Sequence[Feed]) -> Feed:
    """Feeds of one layer: what comes over a shorter way waits for the longest one."""
    if len(feeds) == 1:
        return feeds[0]
    depth = max(feed.depth for feed in feeds)
    late = [np.pad(feed.inputs, ((0, 0), (depth - feed.depth, 0), (0, 0))) for feed in feeds]
    ticks = {feed.ticks - feed.depth + depth for feed in feeds}
    assert len(ticks) == 1, "feeds of one network have the same window"
    return Feed(np.concatenate(late, axis=2), ticks.pop(), depth, feeds[0].per_tick)


def window_rates(
    program: ChipProgram, feed: Feed, name: str, *, threads: int | None = None
) -> NDArray[np.float64]:
    """(samples, neurons) spikes per tick of a one-layer program over the layer's window."""
    return Feed(_trains(program, feed, name, threads), feed.ticks, feed.depth, feed.per_tick).rates


def readout(program: ChipProgram, feed: Feed, *, threads: int | None = None) -> NDArray[np.float64]:
    """(samples, outputs) what a one-layer program reads out."""
    outputs: NDArray[np.float64] = emulate(program, feed.inputs, effects=(), threads=threads).outputs
    return outputs


def next_feed(program: ChipProgram, feed: Feed, name: str, *, threads: int | None = None) -> Feed:
    """What the layer behind a one-layer program gets: its spikes, one latency later."""
    latency = program.profile.time.spike_latency_ticks
    trains = _trains(program, feed, name, threads)
    arriving = np.pad(trains, ((0, 0), (latency, 0), (0, 0)))
    return Feed(arriving, feed.ticks + latency, feed.depth + latency, feed.per_tick)


def first_feed(profile: Profile, spikes: NDArray[np.uint8]) -> Feed:
    """What the first layer gets: spikes (samples, ticks, lines), each in the first step of its tick."""
    samples, ticks, lines = spikes.shape
    steps = profile.time.steps_per_tick
    if steps == 1:
        return Feed(spikes, ticks)
    inputs = np.zeros((samples, ticks, steps, lines), dtype=np.uint8)
    inputs[:, :, 0] = spikes
    return Feed(inputs.reshape(samples, ticks * steps, lines), ticks * steps, per_tick=steps)


def stepwise(profile: Profile) -> Profile:
    """The profile with ticks of one step, so that a layer alone gets each spike in its own step."""
    if profile.time.steps_per_tick == 1:
        return profile
    time = profile.time.model_copy(update={"tick_s": profile.time.dt_s})
    return profile.model_copy(update={"time": time})


def unsplit(profile: Profile) -> Profile:
    """The profile with both signs for a source, so that a layer alone needs no source twice.

    Its neurons do the same: at each of them a source has one synapse, of one sign.
    """
    if profile.weights.formula != "sign_pre":
        return profile
    weights = profile.weights.model_copy(update={"formula": "int", "sign_scope": "synapse"})
    return profile.model_copy(update={"weights": weights})


def _trains(program: ChipProgram, feed: Feed, name: str, threads: int | None) -> NDArray[np.uint8]:
    """(samples, ticks, neurons) spike counts of a population, warm-up included."""
    recording = emulate(program, feed.inputs, effects=(), record=(f"{name}.spikes",), threads=threads)
    size = next(population.neurons.size for population in program.populations if population.name == name)
    trains = np.zeros((len(feed.inputs), feed.ticks, size), dtype=np.uint8)
    sample, tick, neuron = recording.spikes[name].T
    np.add.at(trains, (sample, tick, neuron), np.uint8(1))
    return trains
