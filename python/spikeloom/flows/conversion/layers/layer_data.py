"""The calibration data of one layer: what it sees on the chip, what it should answer, which images judge it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import AnnLayer
from spikeloom.emulation.measure import Feed
from spikeloom.flows.conversion.row_draws import drawn_rows, held_out_rows

Array = NDArray[np.float64]
Result = TypeVar("Result")
ROWS = 6000  # (image, position) rows of a convolution's calibration problem
CHUNK = 256  # images unfolded at a time
LARGEST = 64  # images of the largest answers, on which accumulators are looked at


@dataclass(frozen=True, eq=False)
class LayerData:
    """Arrays of one layer over the N calibration images.

    layer: of the ANN, acting on the lines of `feed` (on the channels, where a channel has several planes)
    feed: the spikes that arrive; coded: (N, inputs) their rates, or the values that bit planes stand for
    analytic: (N, inputs) the ANN's activations; preactivation: (N, outputs) the ANN's answer before activation
    answer: (N, outputs) what each neuron should answer: the activation, or its part of it
    input_scale: rate per unit of the ANN's activation, one number or (n,)
    held: (N,) images on which candidates are judged; no row of the problem is one of theirs
    memory: what searches on this data have found, shared by the methods that start from the same data
    """

    layer: AnnLayer
    feed: Feed
    coded: Array
    analytic: Array
    preactivation: Array
    answer: Array
    input_scale: float | Array
    held: NDArray[np.bool_]
    seed: int = 0
    memory: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def picks(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """(image, position) of each row of the problem: all that do not judge, or a seeded draw of ROWS."""
        images, positions = np.flatnonzero(~self.held), self.layer.positions
        count = images.size * positions
        chosen = drawn_rows(count, ROWS if positions > 1 else count, self.seed)
        return images[chosen // positions], chosen % positions

    @cached_property
    def choosing(self) -> NDArray[np.bool_]:
        """(rows,) of the problem, on which lambda is chosen before all rows are solved: a fifth of the images."""
        learn, chosen = np.flatnonzero(~self.held), np.zeros(len(self.held), dtype=np.bool_)
        chosen[learn[held_out_rows(learn.size, self.seed)]] = True
        return np.asarray(chosen[self.picks[0]])

    @cached_property
    def largest(self) -> NDArray[np.intp]:
        """The images on which an output is asked for most, in either direction, that do not judge.

        In units of an output's largest weight, which the chip's largest code stands for: what fills its registers.
        """
        size = np.abs(self.layer.matrix).max(axis=0)
        learn = np.flatnonzero(~self.held)
        asked = np.abs(self.preactivation[learn]).reshape(learn.size, -1, size.size)
        most = (asked.max(axis=1) / np.where(size > 0, size, np.inf)).max(axis=1)
        return learn[np.argsort(-most, kind="stable")[:LARGEST]]

    def spread_and_largest(self, count: int) -> NDArray[np.intp]:
        """So many images of all, evenly spread, and the `largest`, which a few of all may miss."""
        spread = np.arange(len(self.held))[:: max(1, len(self.held) // count)][:count]
        return np.union1d(spread, self.largest)

    @cached_property
    def activity(self) -> Array:
        """(rows, groups * n) spikes per tick that each row sees, group by group."""
        return self._unfolded(self.coded)

    @cached_property
    def analytic_activity(self) -> Array:
        """(rows, groups * n) the rates that the ANN's activations stand for."""
        scale = (
            self.input_scale
            if np.ndim(self.input_scale) == 0
            else np.tile(self.input_scale, self.layer.groups)
        )
        return self._unfolded(self.analytic) * scale

    @cached_property
    def target(self) -> Array:
        """(rows, m) the ANN's pre-activations."""
        return self.at_picks(self.preactivation)

    def remembered(self, what: str, find: Callable[[], Result]) -> Result:
        """What `find` gives, found once."""
        if what not in self.memory:
            self.memory[what] = find()
        found: Result = self.memory[what]
        return found

    def at_picks(self, neurons: Array) -> Array:
        """(N, outputs), one value a neuron -> (rows, m) at the picked images and positions."""
        image, position = self.picks
        picked: Array = neurons.reshape(len(neurons), self.layer.positions, -1)[image, position]
        return picked

    def _unfolded(self, x: Array) -> Array:
        image, position = self.picks
        rows = np.empty((image.size, len(self.layer.matrix) * self.layer.groups))
        for start in range(0, len(x), CHUNK):
            inside = (image >= start) & (image < start + CHUNK)
            patches = self.layer.unfold(x[start : start + CHUNK])
            rows[inside] = patches[image[inside] - start, position[inside]]
        return rows
