"""One layer as a task: its data and chip, and how a candidate of it does on the emulated chip."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import AnnLayer
from spikeloom.emulation.measure import readout, window_rates
from spikeloom.fit.groups import grouped_current
from spikeloom.fit.integer import full_range_scale
from spikeloom.fit.problem import LayerProblem, Objective, Response, WeightGrid
from spikeloom.flows.conversion.axon_plan import has_types, one_sign_a_line
from spikeloom.flows.conversion.chip_limits import (
    firing_ceiling,
    full_precision,
    largest_code,
    scale_limits,
    type_table,
    weight_grid,
)
from spikeloom.flows.conversion.input_coding import InputCoding
from spikeloom.flows.conversion.layers.alone import alone
from spikeloom.flows.conversion.layers.layer_data import LayerData
from spikeloom.flows.conversion.layers.peaks import (
    PEAK_IMAGES,
    gathered_peak,
    host_peak,
    summed_peak,
    tick_peak,
)
from spikeloom.flows.conversion.spiking_units import start_shares
from spikeloom.network.carried import largest_gathered
from spikeloom.network.chip_layer import ChipLayer, Synapses
from spikeloom.network.chip_units import (
    HEADROOM,
    finest_steps,
    least_unit,
    smallest_readout_scale,
    smallest_scale,
    smallest_scale_within,
)
from spikeloom.network.constant_lines import largest_line_bias
from spikeloom.network.from_fit import chip_layer, hosted_layer
from spikeloom.network.held_back import KEPT, keep
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place_without_limits
from spikeloom.profile.schema import Profile
from spikeloom.program.program import ChipProgram

Array = NDArray[np.float64]
FIRST_PART = 0.75  # of the range of a membrane that wraps, before it is known what the fit brings
MORE_IMAGES = 512  # likewise, where an accumulator that leaves its range wraps
WEAKEST = 16.0  # scales of outputs may differ from the typical one by this much


@dataclass(frozen=True, eq=False)
class LayerTask:
    """What a layer is searched for: its data, the chip, and the designer's choices.

    coding: of the network's input, for the first layer only
    neurons_per_unit: neurons that share one activation, each with a start of its own
    axons: of each source, where axons have types, or sources one sign
    part: (m,) of the range of a membrane that wraps, for what the weight copy brings, see `wrap_room`
    spread: of a weight from chip to chip, for the method "robust"
    is_held_back: a pool behind it takes thresholds from its neurons and gives them back; keeps: so do keepers
    carries: its neurons keep what they have above their threshold by themselves, see `network.carried`
    """

    data: LayerData
    profile: Profile
    ticks: int
    is_last: bool
    coding: InputCoding | None = None
    objective: Objective = "matching"
    threads: int | None = None
    neurons_per_unit: int = 1
    axons: int = 1
    part: Array | float = FIRST_PART
    is_held_back: bool = False
    keeps: bool = False
    spread: float = 0.0
    carries: bool = False

    @property
    def layer(self) -> AnnLayer:
        """The layer of the ANN."""
        return self.data.layer

    @property
    def by_host(self) -> bool:
        """The host computes this layer's current."""
        return self.coding is not None and self.coding.by_host

    @property
    def by_others(self) -> int:
        """Thresholds in a tick that a pool behind the layer and keepers beside it give and take at most."""
        return KEPT * (self.is_held_back + self.keeps)

    @property
    def copy_is_exact(self) -> bool:
        """The host computes the current, and the activation is a rectifier: there is nothing to fit."""
        rectified = np.maximum(self.data.preactivation, 0.0)
        return self.by_host and (self.is_last or np.array_equal(self.data.answer, rectified))

    @property
    def planes(self) -> int:
        """Lines of an input channel."""
        return 1 if self.coding is None else self.coding.planes

    @property
    def at_full_precision(self) -> LayerTask:
        """The same task with as many weight bits as the code has, so that a search does not see rounding."""
        return replace(self, profile=full_precision(self.profile))

    def grid(self, scale: float) -> WeightGrid:
        """The codes and scales that the chip has for this layer at a target scale.

        An output whose weights are so much weaker than its neighbours' that its threshold would leave the chip's
        range, or take the others' precision, keeps a coarser grid.
        """
        if self.by_host:
            return WeightGrid()
        signed = one_sign_a_line(self.profile, self.axons, is_first=self.coding is not None)
        grid = weight_grid(self.profile, readout=self.is_last, one_sign=signed)
        if (
            grid.fan_in is not None
        ):  # one weight is as many synapses as its input has lines, or its pool has sources
            lines = self.planes * max(int(np.prod(part.input_pool)) for part in self.layer.parts)
            grid = replace(grid, fan_in=max(1, grid.fan_in // lines))
        if grid.levels is None:
            return grid
        if self.is_last:
            smallest = smallest_readout_scale(self.profile, self.layer, self._copied_peak(scale), self.planes)
            return replace(grid, scale_min=smallest)
        weights = self.layer.matrix * scale / np.reshape(self.data.input_scale, (-1, 1))
        if has_types(self.profile):
            return replace(grid, type_table=type_table(self.profile, self.axons, self._steps(scale)))
        if (limits := scale_limits(self.profile)) is not None:
            area = float(np.prod(self.layer.input_pool))
            return replace(grid, scale_min=limits[0] * area, scale_max=limits[1] * area)
        typical = float(np.median(full_range_scale(weights, grid.levels)))
        least = max(smallest_scale(self.profile, self.layer), typical / WEAKEST)
        if self.carries:
            least = max(least, self._coarsened_by_gathering(scale))
        if self.profile.bias.kind != "axon":
            return replace(grid, scale_min=least)
        coarsened = np.maximum(least, self._coarsened_by_bias(scale))
        return replace(grid, scale_min=coarsened if self.layer.groups == 1 else float(coarsened.max()))

    def _coarsened_by_gathering(self, scale: float) -> float:
        """The smallest scale at which the register that gathers the weight copy's current holds it."""
        copied = self._copied(scale)
        gathered = gathered_peak(self.data, self.planes, copied)
        peak = float(largest_gathered(self.profile, _peak(self, copied), gathered).max())
        return smallest_scale_within(self.profile, self.layer, peak, self.planes)

    def _coarsened_by_bias(self, scale: float) -> Array:
        """(m,) the smallest scale at which the lines of the chip's constant input still reach the bias.

        A unit held far below its threshold may be held less far.
        """
        wanted = np.maximum((self.layer.bias + self._raised) * scale, 0.0)
        reach = HEADROOM * largest_line_bias(self.profile) / least_unit(self.profile, self.layer)
        smallest: Array = wanted / reach
        return smallest

    @property
    def _raised(self) -> float:
        """What the answers of a layer whose spikes are counted are raised by, of which the copy knows nothing."""
        return abs(float(np.mean(self.data.answer - np.maximum(self.data.preactivation, 0.0))))

    def _steps(self, scale: float) -> Array:
        """(m,) threshold units of code 1: the finest at which no register wraps and no weight leaves its table."""
        copied = self._copied()
        constant = (np.abs(copied.bias) + self._raised) * scale + 1.0 / self.ticks
        largest = scale * np.abs(copied.codes).max(axis=0)
        return finest_steps(self.profile, largest, scale * _peak(self, copied), constant, self.part)

    def _copied_peak(self, scale: float) -> float:
        """Largest accumulated current of the weight copy, in threshold units, at a target scale."""
        at_one = self.data.remembered("copied peak", lambda: float(_peak(self, self._copied()).max()))
        return at_one * scale

    def _copied(self, scale: float = 1.0) -> Synapses:
        """The weight copy at a target scale."""
        weights, bias = self.layer.matrix / np.reshape(self.data.input_scale, (-1, 1)), self.layer.bias
        return Synapses(self.layer.name, weights, np.full_like(bias, scale), scale * bias)

    def problems(self, scale: float, response: Response) -> tuple[LayerProblem, ...]:
        """The calibration problem at a target scale, one for each group of channels."""
        data, groups, ceiling = self.data, self.layer.groups, firing_ceiling(self.profile)
        grid = self.grid(scale)
        parts = zip(
            np.split(data.activity, groups, axis=1), np.split(data.analytic_activity, groups, axis=1),
            np.split(data.target, groups, axis=1), np.split(data.at_picks(data.answer), groups, axis=1),
            np.split(self.layer.matrix, groups, axis=1), np.split(self.layer.bias, groups), strict=True,
        )  # fmt: skip
        return tuple(
            LayerProblem(
                self.layer.name, activity, target, "identity" if self.is_last else "relu", weights, bias,
                data.input_scale, scale, response, ceiling, grid, self.objective, analytic_activity=analytic,
                holdout=data.choosing, seed=data.seed, answer=None if self.is_last else answer,
                spread=self.spread,
            )
            for activity, analytic, target, answer, weights, bias in parts
        )  # fmt: skip


def one_layer_program(task: LayerTask, chip: ChipLayer, scale: Array | None = None) -> ChipProgram:
    """The layer alone behind input lines, over warm-up and window."""
    network = one_layer_network(task, chip)
    population = network.populations[chip.name]
    if scale is None:
        network.output(population, read="spikes")
    else:
        network.output(population, read=task.profile.fire.reg, scale=scale)
    return place_without_limits(network, ticks=task.data.feed.ticks)


def one_layer_network(task: LayerTask, chip: ChipLayer) -> SpikingNetwork:
    """The layer alone behind input lines, with nothing behind it yet."""
    sizes = (task.data.feed.size,) if len(chip.weights) == 1 else [part.n_inputs for part in task.layer.parts]
    network = alone(chip, task.profile, sizes, depth=task.data.feed.depth, by_host=task.by_host)
    if task.keeps:
        keep(network, chip, tuple(network.populations)[:-1], largest_code(task.profile))
    return network


def readout_scale(task: LayerTask, chip: ChipLayer, scale: float) -> Array:
    """(n_target,) ANN units per LSB of the accumulated readout."""
    return 1.0 / (chip.theta * task.ticks * scale)


def measured_pairs(task: LayerTask, synapses: Synapses, images: NDArray[np.intp]) -> tuple[Array, Array]:
    """(rows, m) mean currents in threshold units and emulated rates, at the picked rows of these images."""
    chip = on_chip(task, synapses)
    rates = np.full((len(task.data.coded), task.layer.n_outputs), np.nan)
    feed = task.data.feed.rows(images)
    rates[images] = window_rates(one_layer_program(task, chip), feed, chip.name, threads=task.threads)
    inside = np.isin(task.data.picks[0], images)
    currents = (
        grouped_current(task.data.activity[inside], synapses.weights, task.layer.groups) + synapses.bias
    )
    return currents, task.data.at_picks(rates)[inside]


def emulated_error(task: LayerTask, chip: ChipLayer, scale: float, images: NDArray[np.intp]) -> float:
    """Mean squared error of the emulated activation on these images, over the variance of the wanted one."""
    feed = task.data.feed.rows(images)
    if task.is_last:
        program = one_layer_program(task, chip, readout_scale(task, chip, scale))
        got = readout(program, feed, threads=task.threads)
    else:
        got = window_rates(one_layer_program(task, chip), feed, chip.name, threads=task.threads) / scale
    wanted = task.data.answer[images]
    variance = np.mean((wanted - wanted.mean(axis=0)) ** 2)
    return float(np.mean((got - wanted) ** 2) / max(variance, 1e-300))


def on_chip(task: LayerTask, synapses: Synapses) -> ChipLayer:
    """Synapses in the chip's own codes."""
    shares = start_shares(synapses.bias.size, task.neurons_per_unit)
    if task.by_host:
        fitted = task.layer.with_matrix(synapses.weights, synapses.bias)
        assert task.coding is not None
        channels = np.eye(task.coding.size) * task.coding.scale
        without_bias = fitted.preactivation(task.coding.halves(channels)) - np.tile(
            fitted.bias, fitted.positions
        )
        return hosted_layer(
            fitted, without_bias, task.profile,
            ticks=task.ticks, peak=host_peak(task.data, fitted), start_share=shares,
        )  # fmt: skip
    peak = _peak(task, synapses) + task.by_others
    if task.carries:
        peak = largest_gathered(task.profile, peak, gathered_peak(task.data, task.planes, synapses))
    return chip_layer(
        synapses, task.layer, task.profile, ticks=task.ticks, peak=peak, readout=task.is_last,
        depth=task.data.feed.depth, planes=task.planes, start_share=shares, carries=task.carries,
    )  # fmt: skip


def _peak(task: LayerTask, synapses: Synapses) -> Array:
    """(m,) largest current of one tick on a few images in threshold units; accumulated, for a readout."""
    images = task.data.spread_and_largest(MORE_IMAGES if has_types(task.profile) else PEAK_IMAGES)
    found = summed_peak if task.is_last else tick_peak
    return found(task.data, task.planes, synapses, images)
