"""What one chip makes of a program's weights, thresholds and biases, measured through what it lets one record.

A neuron that the host drives once sends one spike; what that adds to a membrane behind it is the synapse's weight on
this chip: one run a source, all targets at once. A neuron that is driven hard, up and down, shows its threshold; one
that is left alone, its bias.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation.emulate import emulate
from spikeloom.flows.conversion.synapse_list import Array, Index, SynapseList, driven_by_host, host_of
from spikeloom.network.chip_units import threshold_name
from spikeloom.profile.schema import Param
from spikeloom.program.program import ChipProgram, Port

DRIVE = 8.0  # thresholds that the host adds to a neuron so that it fires, or not, whatever its threshold
CHUNK = 256  # runs recorded together
WEAKEST, STRONGEST = 0.1, 10.0  # gains beyond which a device counts as broken and is not made up for


@dataclass(frozen=True, eq=False)
class Measured:
    """A chip's effective values, in the membrane's unit, and the runs that it took.

    weights: (synapses,) in the order of `SynapseList`; thresholds, biases: (neurons,)
    """

    weights: Array
    thresholds: Array
    biases: Array
    runs: int


def probe_chip(
    program: ChipProgram,
    synapses: SynapseList,
    chip_seed: int,
    *,
    noise: float = 0.0,
    seed: int = 0,
    threads: int | None = None,
) -> Measured:
    """Measure every synapse and neuron of this program on this chip; thresholds of what never fires stay as given.

    noise: standard deviation of a measurement, as a share of the value that was programmed, beside what the chip's
    own noise does
    """
    probe = _Probe(program, chip_seed, threads)
    params = program.arrays.params
    threshold = np.asarray(params[threshold_name(program.profile)], dtype=np.float64)
    bias = np.asarray(params[str(program.profile.bias.param)], dtype=np.float64)
    thresholds, biases, weights = threshold.copy(), bias.copy(), synapses.weights.copy()
    for placed in program.populations:
        fires = placed.name not in _read_out(program)
        if fires:
            thresholds[placed.neurons] = probe.thresholds(placed.name)
        lost = thresholds[placed.neurons] if fires else np.zeros(placed.neurons.size)
        biases[placed.neurons] = probe.biases(placed.name, lost)
        for name, sources in probe.sources.items():
            number, row, column = synapses.between(sources, placed.neurons.astype(np.int64))
            if number.size:
                weights[number] = probe.weights(name, placed.name, lost)[row, column]
    rng = np.random.default_rng(seed)
    found = [
        values + noise * np.abs(given) * rng.normal(size=given.shape)
        for values, given in ((weights, synapses.weights), (thresholds, threshold), (biases, bias))
    ]
    return Measured(found[0], found[1], found[2], probe.runs)


def gain_of(effective: Array, programmed: Array) -> Array:
    """What the chip makes of a value; 1 where it is nothing, or nothing can be made up for."""
    gain = np.divide(effective, programmed, out=np.ones(programmed.shape), where=programmed != 0.0)
    return np.where((gain > WEAKEST) & (gain < STRONGEST), gain, 1.0)


def inside(values: Array, param: Param) -> Array:
    """Values of a parameter as far as the chip has them."""
    return np.clip(
        values, -np.inf if param.min is None else param.min, np.inf if param.max is None else param.max
    )


def _read_out(program: ChipProgram) -> set[str]:
    """Populations that are read as a register, and never fire."""
    return {port.name for port in program.outputs if port.read != "spikes"}


class _Probe:
    """The program twice on the chip: as it is, and with biases that the host writes."""

    def __init__(self, program: ChipProgram, chip_seed: int, threads: int | None) -> None:
        profile = program.profile
        self.membrane, self.latency = profile.fire.reg, profile.time.spike_latency_ticks
        ticks = {"ticks": self.latency + 1, "chip_seed": chip_seed}
        spikes = tuple(Port(port.name, port.size, port.first, "spikes") for port in program.inputs)
        self.plain = replace(program, inputs=spikes, hosts=(), **ticks)  # type: ignore[arg-type]
        self.driven = replace(driven_by_host(program), **ticks)  # type: ignore[arg-type]
        self.lines = {port.name: port.size for port in program.inputs}
        self.neurons = {placed.name: placed.neurons for placed in program.populations}
        threshold = np.abs(program.arrays.params[threshold_name(profile)])
        self.drive = {name: DRIVE * threshold[at] for name, at in self.neurons.items()}
        first = len(program.arrays.input_fan_start) - 1
        self.sources: dict[str, Index] = {
            port.name: np.arange(port.first, port.first + port.size) for port in program.inputs
        }
        self.sources |= {name: first + at.astype(np.int64) for name, at in self.neurons.items()}
        init = program.arrays.init.get(self.membrane)
        self.start = np.zeros(program.n_neurons) if init is None else np.asarray(init, dtype=np.float64)
        self.threads, self.runs = threads, 0

    def thresholds(self, name: str) -> Array:
        """What a spike takes from the membrane: driven up it fires in the first tick, driven down it does not."""
        up = self.drive[name]
        membrane, _ = self._recorded(self.driven, name, {host_of(name): np.stack((up, -up))})
        return np.asarray(membrane[1, 0] + 2.0 * up - membrane[0, 0])

    def biases(self, name: str, lost: Array) -> Array:
        """What the first tick adds without input. lost: (neurons,) what a spike takes."""
        membrane, spikes = self._recorded(self.plain, name, {})
        return np.asarray(membrane[0, 0] - self.start[self.neurons[name]] + lost * spikes[0, 0])

    def weights(self, source: str, target: str, lost: Array) -> Array:
        """(sources, targets) what one spike of each source adds to every membrane."""
        count = self.sources[source].size
        rest = self._charges(source, target, np.empty(0, dtype=np.int64), lost)
        parts = [
            self._charges(source, target, np.arange(first, min(first + CHUNK, count)), lost) - rest
            for first in range(0, count, CHUNK)
        ]
        return np.concatenate(parts)

    def _charges(self, source: str, target: str, sources: Index, lost: Array) -> Array:
        """(runs, targets) membranes when a spike of each source has arrived, with what their own spikes took."""
        runs = max(1, sources.size)
        given: NDArray
        if source in self.lines:
            given = np.zeros((runs, self.latency + 1, self.lines[source]), dtype=np.uint8)
            given[np.arange(sources.size), 0, sources] = 1
            program, name, at = self.plain, source, 0
        else:
            given = np.tile(-self.drive[source], (runs, 1))
            given[np.arange(sources.size), sources] *= -1.0
            program, name, at = self.driven, host_of(source), self.latency
        membrane, spikes = self._recorded(program, target, {name: given})
        return np.asarray(membrane[:, at] + lost * spikes[:, : at + 1].sum(axis=1))

    def _recorded(
        self, program: ChipProgram, name: str, given: Mapping[str, NDArray]
    ) -> tuple[Array, NDArray[np.int64]]:
        """Membranes and spikes (runs, ticks, neurons); lines not given are silent, hosts not given write 0."""
        runs = max((len(values) for values in given.values()), default=1)
        inputs: dict[str, NDArray] = {
            port.name: np.zeros((runs, self.latency + 1, port.size), dtype=np.uint8)
            if port.encoding == "spikes" else np.zeros((runs, port.size))
            for port in program.inputs
        }  # fmt: skip
        record = (f"{name}.{self.membrane}", f"{name}.spikes")
        run = emulate(program, {**inputs, **given}, record=record, threads=self.threads)
        self.runs += runs
        membrane = np.asarray(run.registers[record[0]], dtype=np.float64)
        spikes = np.zeros(membrane.shape, dtype=np.int64)
        np.add.at(spikes, tuple(run.spikes[name].T), 1)
        return membrane, spikes
