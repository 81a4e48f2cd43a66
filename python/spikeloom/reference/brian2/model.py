"""The same program in Brian2: float64-carried integers, one block of code a tick, Brian2's own spike queues.

The model has two groups. `axons` counts the spikes due on each axon and merges them; its events travel
through the rows, with their delays, into the trays of the accumulators. `neurons` holds every neuron of every
core; all cores run the same operation list, which is one block. Brian2's slots carry the tick like this:

    groups      order 0  axons:   n = what arrived + input counts of this tick, merged; its bits
                order 1  axons:   an event for each bit that is set
                order 2  rows:    in_q += w 2^bit, after the row's delay
                order 3  neurons: q += in_q, the operation list, z = number of spikes
    thresholds           neurons: z > 0
    synapses             fans:    z is added to the axons that a neuron drives
    end                  monitors

Where every addition is a write of its own (`delivery.accumulate = "each"`), an axon has one event and its rows
write the register themselves, axon after axon: n equal additions through one rule are one of n w.
So a spike of tick t is read at t + 1 + delay, a latency of L adds L - 1 to the delay of the rows that neurons
drive, and input of tick t is read in tick t, because a table gives it to the axons before the rows run.

Integers may be added in any order. On an analog soma an axon that may carry n spikes is there n times, with
an event for each spike, so that reals are added in the order of the contract and the bits are the same, as
long as all synapses of a neuron have one delay; with several, sums may differ in the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.program.program import ChipProgram
from spikeloom.reference.brian2.axons import DueSpikes
from spikeloom.reference.brian2.block import variable
from spikeloom.reference.brian2.exact import LIMIT, Range
from spikeloom.reference.brian2.operations import each_addition, operation_block, refuse
from spikeloom.reference.brian2.real_operations import real_constants
from spikeloom.reference.brian2.results import check_traps, trace_of, watched
from spikeloom.reference.brian2.setup import (
    check_brian2_carries,
    functions,
    in_steps,
    plain_numpy,
)
from spikeloom.reference.brian2.synapses import (
    BiasOverride,
    Synapses,
    effective_params,
    param_ranges,
    synapses,
)  # fmt: skip
from spikeloom.reference.compare import Trace
from spikeloom.reference.flawed_program import flawed_program
from spikeloom.reference.twin.imperfections import Flaws


def run_brian2(
    program: ChipProgram,
    spikes: NDArray,
    *,
    ticks: int | None = None,
    bias_override: BiasOverride | None = None,
) -> Trace:
    """Run one sample in Brian2; the parameters are those of `run_twin`."""
    overrides = None if bias_override is None else [bias_override]
    return run_brian2_samples(program, np.asarray(spikes)[None], ticks=ticks, bias_overrides=overrides)[0]


def run_brian2_samples(
    program: ChipProgram,
    spikes: NDArray,
    *,
    ticks: int | None = None,
    bias_overrides: Sequence[BiasOverride] | None = None,
    chip: Flaws | None = None,
) -> list[Trace]:
    """Run samples one after the other in one Brian2 network; see `brian2_traces`."""
    return list(brian2_traces(program, spikes, ticks=ticks, bias_overrides=bias_overrides, chip=chip))


def brian2_traces(
    program: ChipProgram,
    spikes: NDArray,
    *,
    ticks: int | None = None,
    bias_overrides: Sequence[BiasOverride] | None = None,
    chip: Flaws | None = None,
) -> Iterator[Trace]:
    """The trace of each sample as it ends, of one Brian2 network that starts anew for each.

    Parameters
    ----------
    program : what the chip loads.
    spikes : (samples, rows, input lines) spike counts; row t arrives in tick t.
    ticks : how many ticks to run; `None` runs the rows and then the largest depth of the program.
    bias_overrides : for each sample, population -> one effective bias a neuron.
    chip : the frozen imperfections that act; none unless given.

    Raises
    ------
    EmulationError
        Brian2 cannot carry the program (an entry of NOT_EXPRESSIBLE, or a value may pass 2^53), or a register
        with the rule `trap` was given a value outside its width.
    """
    check_brian2_carries(program.profile)
    program = flawed_program(program, Flaws(program.profile) if chip is None else chip)
    spikes = in_steps(program.profile.time, np.asarray(spikes))
    depth = max((population.depth for population in program.populations), default=0)
    total = spikes.shape[1] + depth if ticks is None else ticks
    overrides = bias_overrides or [{}] * len(spikes)
    with plain_numpy():
        model = Brian2Model(program, spikes, overrides)
        for sample, override in zip(spikes, overrides, strict=True):
            yield model.run(sample, override, total)


class Brian2Model:
    """One program as a Brian2 network of its own, run sample by sample from the stored start."""

    noisy = False  # no operation may draw random numbers

    def __init__(self, program: ChipProgram, spikes: NDArray, overrides: Sequence[BiasOverride]) -> None:
        from brian2 import Clock, Network, ms

        self.program = program
        self.dt = 1 * ms
        self.clock = Clock(dt=self.dt)
        self.params = effective_params(program)
        self.params |= real_constants(program.profile, self.params, program.n_neurons, self.noisy)
        self.each = program.profile.delivery.accumulate == "each"
        in_turn = program.profile.is_analog and not self.noisy  # reals are added in the contract's order
        self.due = DueSpikes(program, self.params, spikes, one_event=in_turn or self.each, copied=in_turn)
        rows = synapses(program, self.due.order)
        arriving = {} if self.each else self._arriving(rows)
        self.block = operation_block(
            program.profile, param_ranges(program, self.params, overrides), arriving, noisy=self.noisy
        )
        self.axons = self.due.group(self.clock)
        self.neurons = self._neuron_group()
        self.objects = [self.axons, self.neurons, *self._rows(rows), *self._fans()]
        self.monitor = self._monitor()
        self.network = Network(self.objects, self.monitor)
        self.network.store()

    def run(self, spikes: NDArray, override: BiasOverride, ticks: int) -> Trace:
        """One sample from the start."""
        self.network.restore()
        self._set_biases(override)
        self.network.run(ticks * self.dt, namespace=self.namespace(spikes, ticks))
        check_traps(self.neurons, self.block, self.program)
        return trace_of(self.monitor, self.program, ticks)

    def namespace(self, spikes: NDArray, ticks: int) -> dict[str, Any]:
        """What the code of a run calls by name: the input of each tick, and functions."""
        from brian2 import TimedArray

        table = TimedArray(self.due.input_table(spikes, ticks), dt=self.dt, name="input_count*")
        return {"input_count": table, **functions()}

    def _arriving(self, rows: Synapses) -> dict[str, Range]:
        """For each accumulator the range of the sum of a tick, over all neurons."""
        found: dict[str, Range] = {}
        load = rows.weight * self.due.most[rows.axon]
        for receptor, name in enumerate(self.program.profile.delivery.into):
            here = rows.receptor == receptor
            size = self.program.n_neurons
            low = np.bincount(rows.target[here], np.minimum(load[here], 0.0), size).min(initial=0.0)
            high = np.bincount(rows.target[here], np.maximum(load[here], 0.0), size).max(initial=0.0)
            bounds = (int(max(low, -LIMIT)), int(min(high, LIMIT)))
            found[name] = None if self.program.profile.is_analog else bounds
        return found

    def _neuron_group(self) -> Any:
        """Neurons of all cores: registers, parameters, trays of the accumulators, and the block."""
        from brian2 import NeuronGroup

        profile = self.program.profile
        names = [*profile.element_names(), *self.params]
        variables = [f"{name} : 1" for name in ("z", "near", "trap_site", "trap_tick", "trap_value")]
        variables += [f"{variable(name)} : 1" for name in names]
        variables += [f"in_{variable(name)} : 1" for name in profile.delivery.into]
        group = NeuronGroup(
            self.program.n_neurons, "\n".join(variables), clock=self.clock, namespace={}, name="neurons*",
            threshold="z > 0.0", reset="", refractory=False,
        )  # fmt: skip
        group.run_regularly("\n".join(self.block.lines), when="groups", order=3, clock=self.clock)
        for name, values in {**self.params, **self.program.arrays.init}.items():
            getattr(group, variable(name) + "_")[:] = values
        return group

    def _rows(self, rows: Synapses) -> list[Any]:
        """One Synapses object a receptor, with one pathway for each bit of a count."""
        latency = self.program.profile.time.spike_latency_ticks
        if self.each and latency > 1:
            raise refuse("time.spike_latency_ticks", "each addition, latency above 1")
        delays = rows.delay + np.where(np.isin(rows.axon, self.due.fans[1]), latency - 1, 0)
        which, copies = self.due.copies.spread(rows.axon)
        found = []
        for receptor, name in enumerate(self.program.profile.delivery.into):
            here = rows.receptor[which] == receptor
            if here.any():
                found.append(self._row(name, rows, which[here], copies[here], delays[which[here]]))
        return found

    def _row(self, name: str, rows: Synapses, here: NDArray, axons: NDArray, delays: NDArray) -> Any:
        from brian2 import Synapses as Brian2Synapses

        planes = [f"plane{k}" for k in range(self.due.planes)]
        std = self._read_std(rows.weight[here])
        read, equations = ("w", "w : 1") if std is None else ("read", "w : 1\nstd : 1\nread : 1")
        code = {plane: f"in_{variable(name)}_post += {2.0**k!r} * {read}" for k, plane in enumerate(planes)}
        if self.each:
            most = float((np.abs(rows.weight) * self.due.most[rows.axon]).max(initial=0.0))
            code = {"plane0": each_addition(name, self.block, most)}
        same = len(np.unique(delays)) == 1
        found = Brian2Synapses(
            self.axons, self.neurons, equations, on_pre=code, on_event={plane: plane for plane in planes},
            delay={plane: int(delays[0]) * self.dt for plane in planes} if same else None,
            clock=self.clock, namespace={}, name="rows*",
        )  # fmt: skip
        found.connect(i=axons, j=rows.target[here])
        found.w_[:] = rows.weight[here]
        if std is not None:  # read once a step, for all its spikes
            found.std_[:] = std
            found.run_regularly("read = w + std * randn()", when="groups", order=1, clock=self.clock)
        for k, plane in enumerate(planes):
            pathway = getattr(found, plane)
            pathway.when, pathway.order = "groups", 2 + k / 1000.0
            if not same:
                pathway.delay[:] = delays * self.dt
        return found

    def _read_std(self, weights: NDArray) -> NDArray | None:
        """How noisy the reads of these synapses are; None where they are not."""
        del weights
        return None

    def _fans(self) -> list[Any]:
        """From every neuron to the axons it drives."""
        from brian2 import Synapses as Brian2Synapses

        if not len(self.due.fans[0]):
            return []
        fans = Brian2Synapses(
            self.neurons, self.axons, on_pre="arrived_post += z_pre", delay=0 * self.dt,
            clock=self.clock, namespace={}, name="fans*",
        )  # fmt: skip
        which, copies = self.due.copies.spread(self.due.fans[1])
        fans.connect(i=self.due.fans[0][which], j=copies)
        return [fans]

    def _monitor(self) -> Any:
        from brian2 import StateMonitor

        names = watched(self.program)
        return StateMonitor(self.neurons, names, record=True, when="end", clock=self.clock)

    def _set_biases(self, override: BiasOverride) -> None:
        for name, biases in override.items():
            population = next(placed for placed in self.program.populations if placed.name == name)
            values = getattr(self.neurons, variable(str(self.program.profile.bias.param)) + "_")
            values[population.neurons] = np.asarray(biases, dtype=np.float64)
