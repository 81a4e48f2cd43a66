"""What each layer did on the rows that judge, against what the ANN's layer does."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation.recording import Recording
from spikeloom.fit.problem import LayerFit
from spikeloom.flows.conversion.chip_limits import firing_ceiling
from spikeloom.flows.conversion.pairs import centre, is_pair
from spikeloom.flows.conversion.ramps import Ramps
from spikeloom.flows.convert import Conversion
from spikeloom.flows.validation.layer_sizes import layer_size
from spikeloom.report.validation import LayerFigures

Array = NDArray[np.float64]
CEILING = 0.999  # share of the largest rate from which on a neuron is saturated
NUMBERS = 40_000_000  # activations that are compared at most: rows beyond are left out, evenly


def layer_figures(conversion: Conversion, inputs: NDArray, run: Recording) -> tuple[LayerFigures, ...]:
    """The figures of every layer, first layer first."""
    picked = compared_rows(conversion, len(inputs))
    sent = dict(zip(_names(conversion), activities(conversion, inputs[picked], run, picked), strict=True))
    return tuple(
        _figures(conversion, index, run, *sent[name]) for index, name in enumerate(_names(conversion))
    )


def compared_rows(conversion: Conversion, rows: int, numbers: int = NUMBERS) -> NDArray[np.intp]:
    """Rows, evenly spread, of which so many activations can be held."""
    wide = sum(layer.n_outputs for layer in conversion.ann.layers)
    return np.linspace(0, rows - 1, min(rows, max(1, numbers // wide))).astype(np.intp)


def activities(
    conversion: Conversion, inputs: NDArray, run: Recording, picked: NDArray[np.intp]
) -> list[tuple[Array, Array]]:
    """For each layer (rows, neurons) what each neuron should send, and what it sends, in the ANN's units."""
    ann, z = conversion.ann, conversion.ann.preactivations(inputs)
    by_name = dict(zip((layer.name for layer in ann.layers), z, strict=True))
    found = []
    for fit, scale in zip(conversion.layers[:-1], layer_scales(conversion), strict=False):
        rates = _own_counts(conversion, fit, run)[picked] / conversion.program.ticks
        should = _in_neurons(by_name[fit.name], conversion, fit.name, rates.shape[1])
        found.append((should, rates / per_neuron(scale, rates)))
    return [*found, (ann.layers[-1].activate(z[-1]), run.outputs[picked])]


def _own_counts(conversion: Conversion, fit: LayerFit, run: Recording) -> NDArray:
    """(rows, neurons) spikes, without the copies that stand behind them where a neuron drives several axons."""
    counts = run.counts[fit.name]
    return counts[:, : fit.weights.shape[-1]] if conversion.program.profile.weights.table else counts


def _in_neurons(z: Array, conversion: Conversion, name: str, neurons: int) -> Array:
    """What each neuron of a layer stands for: a kept unit's activation, what it is above or below its centre, or a
    ramp of its pre-activation."""
    layer = next(layer for layer in conversion.ann.layers if layer.name == name)
    kept = {pruned.name: pruned.kept for pruned in conversion.pruned}.get(layer.name, slice(None))
    units: Array = z.reshape(len(z), -1, layer.output_shape[-1])[:, :, kept].reshape(len(z), -1)
    ends = _ramp_ends(conversion)[name]
    if ends.size:
        return Ramps(ends, np.ones(ends.size)).risen(units).reshape(len(z), -1)
    parts = [1.0, -1.0] if is_pair(conversion.ann, layer) else [1.0]
    units = layer.activate(units) - centre(conversion.ann, layer)
    signs = np.repeat(parts, neurons // (units.shape[1] * len(parts)))
    parts_of: Array = np.maximum(np.multiply.outer(units, signs).reshape(len(z), -1), 0.0)
    return parts_of


def _ramp_ends(conversion: Conversion) -> dict[str, Array]:
    """Of every layer the ends of its ramps, none where its neurons are no ramps, as in older files."""
    layers: list[dict[str, Any]] = conversion.program.report["layers"]
    return {layer["name"]: np.asarray(layer.get("ramp_ends", [])) for layer in layers}


def layer_scales(conversion: Conversion) -> list[Array]:
    """Spikes a tick for an activation of 1, layer by layer: one number, or one a channel."""
    layers: list[dict[str, Any]] = conversion.program.report["layers"]
    return [float(layer["scale"]) * np.asarray(layer["gains"]) for layer in layers]


def per_neuron(scale: Array, values: Array) -> Array:
    """The scale of every column of values (rows, neurons), which are numbered channels-last."""
    return np.tile(scale, values.shape[1] // scale.size)


def _names(conversion: Conversion) -> list[str]:
    return [fit.name for fit in conversion.layers]


def _figures(conversion: Conversion, index: int, run: Recording, wanted: Array, got: Array) -> LayerFigures:
    fit, program = conversion.layers[index], conversion.program
    counts = _own_counts(conversion, fit, run)
    spiking = index < len(conversion.layers) - 1 or program.outputs[0].read == "spikes"
    ceiling = CEILING * firing_ceiling(program.profile) * program.ticks
    dead = ~counts.any(axis=0)
    return LayerFigures(
        name=fit.name,
        **layer_size(program, fit.name),
        loss=fit.loss,
        bound=None if fit.bound_tag == "none" else fit.bound,
        bound_tag=fit.bound_tag,
        gap=None if fit.bound_tag == "none" or not np.isfinite(fit.gap) else fit.gap,
        rounding=fit.rounding_loss,
        plain_rounding=fit.plain_rounding_loss,
        correlation=_correlation(wanted, got),
        error=float(((got - wanted) ** 2).mean() / max(((wanted - wanted.mean(axis=0)) ** 2).mean(), 1e-300)),
        dead=int(dead.sum()) if spiking else 0,
        saturated=int(((counts >= ceiling).mean(axis=0) > 0.5).sum()) if spiking else 0,
        duplicates=_duplicates(counts[:, ~dead]) if spiking else 0,
        spikes=float(run.counts[fit.name].sum(axis=1).mean()),
    )


def _correlation(wanted: Array, got: Array) -> float:
    """Pearson's, over all neurons and rows together; 0 where one side never changes."""
    a, b = wanted - wanted.mean(), got - got.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 0 else 0.0


def _duplicates(counts: NDArray) -> int:
    """Columns that are equal to an earlier one."""
    different = {column.tobytes() for column in np.ascontiguousarray(counts.T)}
    return int(counts.shape[1]) - len(different)
