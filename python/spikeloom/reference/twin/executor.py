"""The twin: the slow executor that is the meaning of a profile in the plainest Python.

It follows the tick of the contract phase by phase, on Python integers (floats on an analog soma), with
loops and dictionaries. It shares no code with the other executors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from numpy.typing import NDArray

from spikeloom.errors import EmulationError
from spikeloom.program.program import ChipProgram
from spikeloom.reference.compare import Trace
from spikeloom.reference.flawed_program import flawed_program
from spikeloom.reference.twin.event import EventTicks
from spikeloom.reference.twin.imperfections import Flaws
from spikeloom.reference.twin.loading import due_lines, fans, load_types, load_weights, params_of, trace_of
from spikeloom.reference.twin.neuron import Moment, Neuron
from spikeloom.reference.twin.noise import Lateness, NoisyReads
from spikeloom.reference.twin.numbers import Number, Trapped
from spikeloom.reference.twin.operations import run_operations

BiasOverride = Mapping[str, Sequence[float] | NDArray]


@dataclass(frozen=True)
class _Run:
    """Synapses of one row with one delay and one receptor."""

    element: str  # the register element they add to
    targets: list[int]  # before the axon's own offset
    weight: int  # place of the first weight, before the axon's own offset
    receptor: int


def run_twin(
    program: ChipProgram,
    spikes: NDArray,
    *,
    ticks: int | None = None,
    bias_override: BiasOverride | None = None,
    trial_seed: int = 0,
    sample: int = 0,
    chip: Flaws | None = None,
) -> Trace:
    """Run one sample on the twin.

    Parameters
    ----------
    program : what the chip loads.
    spikes : (rows, input lines) spike counts; row t arrives in tick t, and after the last row there are none.
    ticks : how many ticks (steps, where the profile divides its tick) to run; `None` runs the rows and then
        the largest depth of the program.
    bias_override : population -> one effective bias a neuron, instead of the program's.
    trial_seed, sample : whose temporal noise is drawn.
    chip : the imperfections that act; none unless given.

    Raises
    ------
    EmulationError
        A register with the rule `trap` was given a value outside its width.
    """
    time = program.profile.time
    layers = {entry.name: number for number, entry in enumerate(program.profile.operation)}
    moment = Moment(time.dt_s or 0.0, sample=sample, trial_seed=trial_seed, layers=layers)
    flaws = Flaws(program.profile) if chip is None else chip
    twin = _Chip(flawed_program(program, flaws), bias_override or {}, moment, flaws)
    depth = max((population.depth for population in program.populations), default=0)
    counts, register_rows = [], []
    for tick in range(len(spikes) * time.steps_per_tick + depth if ticks is None else ticks):
        twin.run_tick(tick, due_lines(program, spikes, tick))
        counts.append([neuron.spikes for neuron in twin.neurons])
        register_rows.append([list(neuron.registers.values()) for neuron in twin.neurons])
    return trace_of(program, counts, register_rows, twin.rules)


class _Chip:
    """The state of one chip between ticks."""

    def __init__(
        self, program: ChipProgram, bias_override: BiasOverride, moment: Moment, chip: Flaws | None = None
    ) -> None:
        self.profile, flaws = program.profile, chip or Flaws(program.profile)
        self.reads = NoisyReads(program, flaws, moment)
        self.jitter = Lateness(program, flaws, moment)
        self.moment = moment
        self.rules: dict[str, int] = {}
        self.neurons = _load_neurons(program, bias_override, self.rules, moment)
        self.rows = _load_rows(program)  # axon -> delay -> runs in stored order
        self.weights = load_weights(program)
        self.types = load_types(program)
        arrays = program.arrays
        self.axon_target, self.axon_weight = arrays.axon_target.tolist(), arrays.axon_weight.tolist()
        self.line_axons = fans(arrays.input_fan_start, arrays.input_fan_axon)
        self.neuron_axons = fans(arrays.neuron_fan_start, arrays.neuron_fan_axon)
        self.input_axons = {axon for fan in self.line_axons for axon in fan}
        starts = [int(start) for start in arrays.core_neuron_start]
        self.cores = [self.neurons[first:last] for first, last in zip(starts, starts[1:], strict=False)]
        self.due: dict[int, dict[tuple[int, int], int]] = {}  # tick -> (axon, delay) -> spikes
        self.event_ticks = EventTicks(self) if self.profile.event is not None else None

    def run_tick(self, tick: int, lines: list[int]) -> None:
        """One tick (or step) of the profile's mode."""
        self.moment.step = tick
        try:
            if self.event_ticks is not None:
                self.event_ticks.run_tick(tick, lines)
            else:
                self.run_phases(tick, lines)
        except Trapped as trapped:
            raise self.trap_error(tick, trapped) from None

    def run_phases(self, tick: int, lines: list[int]) -> None:
        """One tick, in the order of the contract."""
        self.compute(tick, lines)
        later = arrival(tick, self.profile.time.spike_latency_ticks)
        for neuron in self.neurons:
            self.send(self.neuron_axons[neuron.number], neuron.spikes, later + self.jitter.of(neuron))

    def compute(self, tick: int, lines: list[int]) -> None:
        """A tick up to its spikes."""
        for line, n in enumerate(lines):
            self.send(self.line_axons[line], n, tick)
        sums = self.synapse_stage(self.deliver(tick))
        for neurons in self.cores:
            self.accumulate(neurons, sums)
            run_operations(self.profile, neurons)
        self.clear_accumulators()

    def send(self, axons: list[int], n: int, tick: int) -> None:
        """Put n spikes on each axon; each run of the axon has them due its own delay after `tick`."""
        if n == 0:
            return
        for axon in axons:
            for delay in self.rows[axon]:
                spikes = self.due.setdefault(due_tick(tick, delay), {})
                spikes[axon, delay] = spikes.get((axon, delay), 0) + n

    def deliver(self, tick: int) -> list[tuple[int, int, int]]:
        """(axon, delay, n) of every spike due in this tick, in the order in which the synapses add."""
        due = self.due.pop(tick, {})
        order = self.profile.delivery.order
        merged = [(axon, delay, self.merge(n, axon)) for (axon, delay), n in due.items()]
        return sorted(merged, key=lambda spike: (order.index(self.group_of(spike[0])), spike[0], spike[1]))

    def group_of(self, axon: int) -> str:
        """Whether an axon carries input or the chip's own spikes."""
        return "input" if axon in self.input_axons else "recurrent"

    def merge(self, n: int, axon: int) -> int:
        """How many of n spikes due on one axon in one tick count."""
        delivery = self.profile.delivery
        if delivery.merge == "or" and n > 1:
            self.count("delivery.merge")
            n = 1
        most = getattr(delivery.spikes_max, self.group_of(axon))
        if most is not None and n > most:
            self.count("delivery.spikes_max")
            n = most
        return n

    def count(self, rule: str) -> None:
        """Note that a rule acted."""
        self.rules[rule] = self.rules.get(rule, 0) + 1

    def synapse_stage(self, spikes: list[tuple[int, int, int]]) -> dict[str, dict[int, Number]]:
        """Add what the spikes bring; what is left are the sums that are still to be written."""
        if self.profile.delivery.accumulate == "sum":
            return self.add_up(spikes)
        self.add_each(spikes)
        return {}

    def add_each(self, spikes: list[tuple[int, int, int]]) -> None:
        """Every addition is a write through the register's rule; n spikes are n of them."""
        for axon, delay, n in spikes:
            for run in self.rows[axon][delay]:
                for target, weight in zip(run.targets, self.weights_of(axon, run), strict=True):
                    neuron = self.neurons[self.axon_target[axon] + target]
                    for _ in range(n):
                        neuron.write(run.element, neuron.read(run.element) + weight)

    def add_up(self, spikes: list[tuple[int, int, int]]) -> dict[str, dict[int, Number]]:
        """The exact sum of the tick for each accumulator of each neuron that a spike reaches."""
        sums: dict[str, dict[int, Number]] = {element: {} for element in self.profile.delivery.into}
        for axon, delay, n in spikes:
            for run in self.rows[axon][delay]:
                into = sums[run.element]
                for target, weight in zip(run.targets, self.weights_of(axon, run), strict=True):
                    number = self.axon_target[axon] + target
                    total = into.get(number, 0)
                    for _ in range(n):
                        total += weight
                    into[number] = total
        return sums

    def accumulate(self, neurons: list[Neuron], sums: dict[str, dict[int, Number]]) -> None:
        """One write of each accumulator that was reached, through its rule."""
        for element, totals in sums.items():
            for neuron in neurons:
                if neuron.number in totals:
                    neuron.write(element, neuron.read(element) + totals[neuron.number])

    def weights_of(self, axon: int, run: _Run) -> list[Number]:
        """The effective weights of one run, as this axon reads it."""
        first = self.axon_weight[axon] + run.weight
        places = range(first, first + len(run.targets))
        if self.profile.weights.formula != "type_table":
            return self.reads.of(axon, first, [self.weights[place] for place in places])
        targets = [self.neurons[self.axon_target[axon] + target] for target in run.targets]
        return [self.worth(place, neuron) for place, neuron in zip(places, targets, strict=True)]

    def worth(self, place: int, neuron: Neuron) -> Number:
        """What a bit adds to a neuron: the neuron's parameter for the type of the axon, or nothing."""
        parameter = self.profile.weights.table[self.types[place]]
        return neuron.params[parameter] if self.weights[place] else 0

    def clear_accumulators(self) -> None:
        """Registers with clear = "tick" start every tick at 0."""
        for neuron in self.neurons:
            for name, register in neuron.widths.items():
                if register.clear == "tick":
                    neuron.registers[name] = 0

    def trap_error(self, tick: int, trapped: Trapped) -> EmulationError:
        """Which register of which neuron left its width."""
        return EmulationError(
            f"tick {tick}, core {trapped.core}, neuron {trapped.neuron}, register {trapped.register}",
            "left its width",
            value=trapped.value,
            limit=f"{trapped.low} to {trapped.high}",
        )


def arrival(tick: int, latency: int) -> int:
    """The tick in which a neuron's spike of `tick` is due, without synaptic delay."""
    return tick + latency


def due_tick(tick: int, delay: int) -> int:
    """The tick in which a spike that arrives in `tick` reaches synapses with this delay."""
    return tick + delay


def _load_neurons(
    program: ChipProgram, bias_override: BiasOverride, rules: dict[str, int], moment: Moment
) -> list[Neuron]:
    """Every neuron with its effective parameters and its first register values."""
    profile, arrays = program.profile, program.arrays
    widths = {name: profile.regs[name.split("[")[0]] for name in profile.element_names()}
    neurons: list[Neuron] = []
    for core in range(program.n_cores):
        first = int(arrays.core_neuron_start[core])
        for number in range(first, int(arrays.core_neuron_start[core + 1])):
            params = params_of(program, number)
            registers = {name: _initial(program, name, number) for name in widths}
            neuron = Neuron(number, core, registers, params, rules, widths, neurons)
            neuron.local, neuron.chip = number - first, moment
            neurons.append(neuron)
    for name, biases in bias_override.items():
        population = next(placed for placed in program.populations if placed.name == name)
        for number, bias in zip(population.neurons, biases, strict=True):
            neurons[int(number)].params[str(profile.bias.param)] = (
                float(bias) if profile.is_analog else int(bias)
            )
    return neurons


def _initial(program: ChipProgram, name: str, number: int) -> Number:
    """What a register holds before the first tick: the program's value, else 0."""
    value = program.arrays.init[name][number].item() if name in program.arrays.init else 0
    return float(value) if program.profile.is_analog else int(value)


def _load_rows(program: ChipProgram) -> list[dict[int, list[_Run]]]:
    """For every axon, the runs of its template by delay, in stored order."""
    arrays = program.arrays
    templates: list[dict[int, list[_Run]]] = []
    for first, last in zip(arrays.template_run_start, arrays.template_run_start[1:], strict=False):
        row: dict[int, list[_Run]] = {}
        for run in range(first, last):
            row.setdefault(int(arrays.run_delay[run]), []).append(_load_run(program, run))
        templates.append(row)
    return [templates[template] for template in arrays.axon_template]


def _load_run(program: ChipProgram, run: int) -> _Run:
    """One run, its targets written out."""
    arrays = program.arrays
    index, length = int(arrays.run_index[run]), int(arrays.run_length[run])
    offsets = range(length) if index == -1 else arrays.index_target[index : index + length].tolist()
    base = int(arrays.run_target[run])
    receptor = int(arrays.run_receptor[run])
    element = program.profile.delivery.into[receptor]
    return _Run(element, [base + offset for offset in offsets], int(arrays.run_weight[run]), receptor)
