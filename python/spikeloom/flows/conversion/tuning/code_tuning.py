"""Integer weights solved against one chip's own gains.

Where weights are codes of few bits and every synapse is a device of its own, a gain cannot be divided out: the codes
are too coarse. So the codes are chosen anew, knowing what each of them is worth on this chip. Gains are measured, one
run a source, with every code at the largest; then layer by layer the integer problem of each neuron is solved for
them (`fit.integer`), on the rates that the layers before it, already solved, really send on this chip. What is wanted
is the current that the perfect chip with continuous weights has. Thresholds carry the scales, and make up for their
own mismatch, as biases do. Last, the host reads each output with a gain and an offset of its own.

The bound of each problem holds for the calibration rows; the whole has none, only its score on held-out samples.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from spikeloom.fit.layer import fit_layer
from spikeloom.fit.problem import LayerFit, LayerProblem, Method, WeightGrid
from spikeloom.flows.conversion.chip_limits import firing_ceiling, largest_code
from spikeloom.flows.conversion.synapse_list import SynapseList, with_values
from spikeloom.flows.conversion.tuning.bench import Bench, Tuned, read_anew
from spikeloom.flows.conversion.tuning.chip_probe import gain_of, inside, probe_chip
from spikeloom.flows.conversion.tuning.layer_groups import Group, groups_of
from spikeloom.flows.conversion.tuning.perfect_currents import PerfectCurrents
from spikeloom.network.chip_units import threshold_name
from spikeloom.program.program import ChipProgram, Placed

Array = NDArray[np.float64]
DEAD = 1e-3  # gain of a synapse that does nothing: its code does not matter
RIDGE = 1e-1  # pull to the perfect chip's weights, in units of mean(R^2) * rows; chosen on calibration rows
FITTED = 8  # groups of a layer up to which its weights are solved again; of more, only their codes are chosen


def tuned_by_codes(
    program: ChipProgram,
    perfect: ChipProgram,
    rows: NDArray,
    chip_seed: int,
    *,
    noise: float = 0.0,
    seed: int = 0,
    threads: int | None = None,
) -> Tuned:
    """The program with codes, thresholds and biases for this chip, whose gains are measured.

    program: with integer weights; perfect: the same network with continuous ones, `Conversion.ideal["fitted"]`
    rows: (samples, *input_shape) calibration samples, each run on the chip once for every layer
    noise: standard deviation of a measurement beside the chip's own, as a share of the programmed value
    """
    synapses = SynapseList.of(program)
    chip = _Gains.measured(program, synapses, chip_seed, noise, seed, threads)
    goal = PerfectCurrents.of(program, perfect, synapses, rows, threads)
    draft = _Draft.of(replace(program, chip_seed=chip_seed), synapses, chip, goal)
    bench = Bench(draft.program, rows, threads)
    rates = goal.rates
    for placed in sorted(program.populations, key=lambda one: one.depth):
        for group, fit in _solved(placed, synapses, goal, rates, draft):
            draft.load(placed, group, fit)
        bench.program = draft.program
        if placed.name not in goal.read_out:
            rates = bench.all_rates(goal.lines)
    return Tuned(read_anew(bench, goal.outputs), bench.runs + chip.runs)


def _solved(
    placed: Placed, synapses: SynapseList, goal: PerfectCurrents, rates: Array, draft: _Draft
) -> list[tuple[Group, LayerFit]]:
    """The fit of each group of the layer's neurons. rates: (rows, lines + neurons) spikes a tick on this chip."""
    groups = list(groups_of(synapses, placed.neurons.astype(np.int64)))
    method: Method = "fit" if len(groups) <= FITTED else "copy"
    kind, response = goal.response(placed)
    largest = int(largest_code(draft.program.profile))
    found = []
    for group in groups:
        activity, wanted = rates[:, group.sources], goal.currents[:, group.neurons]
        grid = WeightGrid((-largest, largest, 1), gains=draft.chip.synapses[group.synapses])
        problem = LayerProblem(
            placed.name, activity, wanted, kind, goal.weights[group.synapses], goal.biases[group.neurons],
            1.0, 1.0, response, firing_ceiling(draft.program.profile), grid,
            ridge=RIDGE * max(float((activity**2).mean()), 1e-6) * len(activity),
            answer=np.maximum(response.rate(wanted), 0.0),
        )  # fmt: skip
        found.append((group, fit_layer(problem, method)))
    return found


@dataclass(frozen=True, eq=False)
class _Gains:
    """What a chip makes of synapses (synapses,), thresholds and biases (neurons,), and the runs that it took."""

    synapses: Array
    thresholds: Array
    biases: Array
    runs: int

    @classmethod
    def measured(
        cls, program: ChipProgram, synapses: SynapseList, chip_seed: int, noise: float, seed: int,
        threads: int | None,
    ) -> _Gains:  # fmt: skip
        """Every synapse at the largest code, so that each can be seen."""
        largest = largest_code(program.profile)
        shown = with_values(program, np.full(synapses.weights.shape, largest), {})
        found = probe_chip(shown, SynapseList.of(shown), chip_seed, noise=noise, seed=seed, threads=threads)
        params, bias = program.arrays.params, str(program.profile.bias.param)
        return cls(
            np.maximum(found.weights / largest, DEAD),
            gain_of(found.thresholds, params[threshold_name(program.profile)]),
            gain_of(found.biases, params[bias]),
            found.runs,
        )


@dataclass(eq=False)
class _Draft:
    """The program as far as it is solved. scales: (neurons,) thresholds of code 1, where a neuron never fires."""

    start: ChipProgram
    chip: _Gains
    goal: PerfectCurrents
    codes: Array
    thresholds: Array
    biases: Array
    init: dict[str, Array]
    scales: Array

    @classmethod
    def of(cls, program: ChipProgram, synapses: SynapseList, chip: _Gains, goal: PerfectCurrents) -> _Draft:
        """The program with the mismatch of its neurons made up for."""
        params, profile = program.arrays.params, program.profile
        return cls(
            program, chip, goal, synapses.weights.copy(),
            params[threshold_name(profile)] / chip.thresholds, params[str(profile.bias.param)] / chip.biases,
            {name: np.array(values) for name, values in program.arrays.init.items()}, np.ones(program.n_neurons),
        )  # fmt: skip

    @cached_property
    def shares(self) -> Array:
        """(neurons,) thresholds that each membrane is given to start with, were there no ticks before its window."""
        params, profile = self.start.arrays.params, self.start.profile
        init = self.start.arrays.init.get(profile.fire.reg, np.zeros(self.start.n_neurons))
        early = self.start.depths * params[str(profile.bias.param)]
        shares: Array = (init + early) / params[threshold_name(profile)]
        return shares

    def load(self, placed: Placed, group: Group, fit: LayerFit) -> None:
        """Take over what was solved for some neurons."""
        at, theta = group.neurons, 1.0 / fit.scales
        self.codes[group.synapses] = fit.codes
        bias = fit.quantised_bias * theta
        self.biases[at] = bias / self.chip.biases[at]
        if placed.name in self.goal.read_out:
            self.scales[at] = fit.scales
            return
        self.thresholds[at] = theta / self.chip.thresholds[at]
        membrane = self.start.profile.fire.reg
        if membrane in self.init:
            self.init[membrane][at] = self.shares[at] * theta - placed.depth * bias

    @property
    def program(self) -> ChipProgram:
        """As it is now, every value within the chip's range."""
        profile = self.start.profile
        names = threshold_name(profile), str(profile.bias.param)
        params = {
            name: inside(values, profile.params[name])
            for name, values in zip(names, (self.thresholds, self.biases), strict=True)
        }
        made = with_values(self.start, self.codes, params)
        arrays = replace(made.arrays, init=dict(self.init))
        return replace(made, arrays=arrays, outputs=self.goal.read_by(self.start, self.scales))
