"""What a report shows beside its figures: spikes of one sample, responses, codes in use, what is on which core."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spikeloom.emulation.emulate import emulate
from spikeloom.emulation.inputs import check_inputs
from spikeloom.emulation.recording import Recording
from spikeloom.errors import SpikeloomError
from spikeloom.flows.conversion.chip_limits import firing_ceiling
from spikeloom.flows.conversion.layers.response_curve import response_curve
from spikeloom.flows.conversion.smaller.pruning import size_curves
from spikeloom.flows.convert import Conversion
from spikeloom.flows.validation.floor_plan import core_views
from spikeloom.flows.validation.layer_figures import activities, compared_rows, layer_scales, per_neuron
from spikeloom.network.projection import Convolution
from spikeloom.profile.schema import Profile
from spikeloom.program.program import ChipProgram
from spikeloom.report.metrics import neurobench_metrics
from spikeloom.report.validation import (
    CodeHistogram,
    Pictures,
    PruningView,
    Raster,
    ResponseView,
    WeightHistogram,
)

Array = NDArray[np.float64]
TRACED_SAMPLES = 32
RESPONSE_NUMBERS = 4_000_000
BINS = 24
WEIGHT_BINS = 41


@dataclass(frozen=True, eq=False)
class TracedRun:
    """Every spike of a few samples, evenly spread over the rows."""

    program: ChipProgram
    inputs: NDArray
    run: Recording

    @cached_property
    def input_spikes(self) -> NDArray[np.int64]:
        """(samples, lines) spikes of each input line."""
        encoded = check_inputs(self.program, self.inputs).encoded(0, len(self.inputs))
        spikes: NDArray[np.int64] = encoded.spikes.sum(axis=1, dtype=np.int64)
        return spikes

    @cached_property
    def neuron_spikes(self) -> NDArray[np.int64]:
        """(samples, neurons) spikes of each neuron over the whole run, global numbers."""
        return self._spikes_before(self.program.run_ticks)

    @cached_property
    def delivered_spikes(self) -> NDArray[np.int64]:
        """Those of them that arrive before the run ends, where nothing delays them further."""
        return self._spikes_before(self.program.run_ticks - self.program.profile.time.spike_latency_ticks)

    def _spikes_before(self, ticks: int) -> NDArray[np.int64]:
        counts = np.zeros((len(self.inputs), self.program.n_neurons), dtype=np.int64)
        for placed in self.program.populations:
            sample, tick, neuron = self.run.spikes[placed.name].T
            early = tick < ticks
            np.add.at(counts, (sample[early], placed.neurons[neuron[early]]), 1)
        return counts

    @property
    def host_values(self) -> NDArray | None:
        """(samples, channels) what the host multiplies, where it computes the first layer."""
        if not self.program.hosts:
            return None
        checked = check_inputs(self.program, self.inputs)
        return next(checked.parts[port.name] for port in self.program.inputs if port.encoding == "current")

    def metrics(self) -> dict[str, float | None]:
        """NeuroBench's, of these samples."""
        return neurobench_metrics(
            self.program, self.input_spikes, self.neuron_spikes, self.delivered_spikes, self.host_values
        )


def trace(program: ChipProgram, inputs: NDArray, threads: int | None = None) -> TracedRun:
    """Run a few of these rows with every spike recorded."""
    picked = np.linspace(0, len(inputs) - 1, min(TRACED_SAMPLES, len(inputs))).astype(np.intp)
    names = tuple(f"{placed.name}.spikes" for placed in program.populations)
    run = emulate(program, inputs[picked], effects=(), record=names, threads=threads)
    return TracedRun(program, inputs[picked], run)


def pictures(conversion: Conversion, inputs: NDArray, run: Recording, traced: TracedRun) -> Pictures:
    """Everything that only pictures need."""
    profile = conversion.program.profile
    return Pictures(
        rasters={name: _raster(traced, name) for name in _spiking(conversion.program)},
        responses=_responses(conversion, inputs, run),
        codes={fit.name: _histogram(fit.codes) for fit in conversion.layers if fit.codes.dtype.kind == "i"},
        weights=_written(conversion),
        pruning=_pruning(conversion, inputs),
        cores=core_views(conversion.network, conversion.program, traced.input_spikes, traced.neuron_spikes),
        chip_cores=profile.limits.cores,
        neuron=_neuron(profile),
    )


def _spiking(program: ChipProgram) -> list[str]:
    """The populations that send spikes on; one that is read by a register alone sends none."""
    read = {placed.name for placed in program.populations for port in program.outputs
            if port.read != "spikes" and port.neurons is not None and port.neurons[0] in placed.neurons}  # fmt: skip
    return [placed.name for placed in program.populations if placed.name not in read]


def _raster(traced: TracedRun, name: str) -> Raster:
    """The spikes of the first traced sample."""
    placed = next(one for one in traced.program.populations if one.name == name)
    sample, tick, neuron = traced.run.spikes[name].astype(np.int64).T
    first = sample == 0
    steps = traced.program.profile.time.steps_per_tick
    window = (placed.depth / steps, placed.depth / steps + traced.program.ticks)
    return Raster(tick[first] / steps, neuron[first], placed.neurons.size, window)


def _written(conversion: Conversion) -> dict[str, WeightHistogram]:
    """What the synapses onto each layer are given, where the chip's weights are real numbers."""
    if conversion.program.profile.weights.formula != "float":
        return {}
    found: dict[str, list[NDArray]] = {}
    for projection in conversion.network.projections:
        found.setdefault(projection.target, []).append(_values(projection.weights))
    layers = {fit.name for fit in conversion.layers}
    return {name: _weights(np.concatenate(parts)) for name, parts in found.items() if name in layers}


def _values(weights: NDArray | csr_array | Convolution) -> NDArray:
    """The stored numbers; a kernel has each once."""
    if isinstance(weights, Convolution):
        return np.asarray(weights.codes).ravel()
    return np.asarray(weights.data if isinstance(weights, csr_array) else weights).ravel()


def _weights(weights: NDArray) -> WeightHistogram:
    """In bins that are as many on both sides of 0."""
    most = max(float(np.abs(weights).max(initial=0.0)), 1e-300)
    counts, edges = np.histogram(weights, bins=WEIGHT_BINS, range=(-most, most))
    return WeightHistogram(edges, counts.astype(np.int64))


def _histogram(codes: NDArray) -> CodeHistogram:
    values, counts = np.unique(codes, return_counts=True)
    return CodeHistogram(values.astype(np.int64), counts.astype(np.int64))


def _responses(conversion: Conversion, inputs: NDArray, run: Recording) -> dict[str, ResponseView]:
    """Of every layer that sends spikes on: what it should send, and what it sends."""
    picked = compared_rows(conversion, len(inputs), RESPONSE_NUMBERS)
    scales, ceiling = layer_scales(conversion), firing_ceiling(conversion.program.profile)
    sent = activities(conversion, inputs[picked], run, picked)[:-1]
    views = {}
    for fit, (wanted, got), scale in zip(conversion.layers, sent, scales, strict=False):
        rates = per_neuron(scale, got)
        views[fit.name] = _binned(np.clip(wanted * rates, 0.0, ceiling).ravel(), (got * rates).ravel())
    return views


def _binned(wanted: Array, got: Array) -> ResponseView:
    """Quantiles of what came, in bins of what was wanted; silence has a bin of its own."""
    edges = np.linspace(0.0, max(float(wanted.max()), 1e-9), BINS)
    which = np.digitize(wanted, edges, right=True)
    full = [k for k in range(BINS) if (which == k).sum() >= 5]
    rows = [np.quantile(got[which == k], (0.1, 0.5, 0.9)) for k in full]
    low, middle, high = np.array(rows).reshape(-1, 3).T
    return ResponseView(np.array([wanted[which == k].mean() for k in full]), low, middle, high)


def _pruning(conversion: Conversion, inputs: NDArray) -> dict[str, PruningView]:
    """Of the layers that were made smaller, what any other size would have cost, on a few of these rows."""
    if not conversion.pruned:
        return {}
    picked = compared_rows(conversion, len(inputs), RESPONSE_NUMBERS)
    curves = size_curves(conversion.ann, inputs[picked])
    return {layer.name: PruningView(curves[layer.name], int(layer.kept.size)) for layer in conversion.pruned}


def _neuron(profile: Profile) -> tuple[Array, Array] | None:
    """Input over threshold, and spikes a tick, of a neuron with default parameters."""
    try:
        curve = response_curve(profile)
    except SpikeloomError:  # a neuron whose defaults leave a register, or that needs more than one input
        return None
    if curve.rates[0] > 0.0:  # it rests above a threshold that one synapse reaches: there is no curve from 0
        return None
    return curve.inputs / curve.threshold, curve.rates
