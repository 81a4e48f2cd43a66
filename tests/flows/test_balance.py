"""Are channels of unlike strength brought to alike peaks, without a change in numbers, and does a chip gain by it?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.emulation.emulate import emulate
from spikeloom.flows.conversion import balance
from spikeloom.flows.conversion.balance import MOST, PEAK, balanced
from spikeloom.flows.conversion.spiking_units import INPUT, SpikingUnits, spiking_units
from spikeloom.flows.convert import convert
from spikeloom.flows.validation.layer_figures import layer_figures
from tolerances import SMALL_CONVERSION

STRENGTHS = np.array([1.0, 0.2, 0.15, 0.3])


def depthwise() -> Ann:
    """Channels of very unlike strength, each with a kernel of its own behind it, which makes up for that; a pool."""
    rng = np.random.default_rng(5)
    first = AnnLayer("first", rng.normal(0.1, 0.3, (1, 3, 3, 4)) * STRENGTHS, 0.2 * STRENGTHS, "relu", (8, 8, 1),
                     (8, 8, 4), padding=(1, 1, 1, 1))  # fmt: skip
    pool = AnnLayer(
        "pool", np.ones((1, 2, 2, 4)), np.zeros(4), "max", (8, 8, 4), (4, 4, 4), stride=(2, 2), groups=4
    )
    second = AnnLayer("second", rng.normal(0, 0.3, (1, 3, 3, 8)) / STRENGTHS.repeat(2), np.full(8, 0.5), "relu",
                      (4, 4, 4), (2, 2, 8), groups=4)  # fmt: skip
    pooled = AnnLayer(
        "mean", rng.normal(size=(8, 3)), np.zeros(3), "identity", (2, 2, 8), (3,), input_pool=(2, 2)
    )
    return Ann("depthwise", (8, 8, 1), (first, pool, second, pooled), None, np.arange(64))


def images(count: int) -> np.ndarray:
    """(count, 8, 8, 1) sums of a few waves, from 0 to 1."""
    rng, line = np.random.default_rng(count), np.arange(8)
    y, x, start = rng.uniform(0.2, 1.2, (3, count, 1, 1))
    return (0.5 + 0.5 * np.sin(y * line[:, None] + x * line + 6 * start))[..., None]


def outputs(units: SpikingUnits, x: np.ndarray) -> np.ndarray:
    """What the layers make of flat rows, as numbers."""
    values = {INPUT: x}
    for layer in units.layers:
        if isinstance(layer, AnnLayer):
            given = [values[part.source or INPUT] for part in layer.parts]
            z = layer.preactivation(np.concatenate(given, axis=1))
            values[layer.name] = z if layer is units.layers[-1] else np.maximum(z, 0.0)
        else:
            values[layer.name] = np.maximum(layer.drive(values), 0.0)
    return values[units.layers[-1].name]


def test_the_numbers_stay_and_the_peaks_are_alike() -> None:
    ann, x = depthwise(), images(50)
    plain = spiking_units(ann, x)
    alike = balanced(plain)
    np.testing.assert_allclose(outputs(alike, ann.flatten(x)), ann.predict(x), rtol=1e-9)
    peaks, gains = np.percentile(alike.answers[0].reshape(-1, 4), PEAK, axis=0), alike.gains["first"]
    np.testing.assert_allclose(peaks, peaks.max())
    assert sorted(gains)[0] == 1.0 < sorted(gains)[1]
    np.testing.assert_array_equal(alike.answers[-1], plain.answers[-1])
    for layer in alike.layers[1:-1]:
        np.testing.assert_array_equal(alike.gains[layer.name].size, 8 if layer.name == "second" else 4)


def test_a_channel_that_never_answers_is_left_alone() -> None:
    ann = depthwise()
    faint = replace(
        ann.layers[0], weights=ann.layers[0].weights * [1, 1, 1e-6, 1], bias=np.array([1, 1, 1e-6, 1])
    )
    alike = balanced(spiking_units(replace(ann, layers=(faint, *ann.layers[1:])), images(20)))
    assert alike.gains["first"][2] == MOST
    dead = replace(ann.layers[0], bias=np.array([0.1, -50.0, 0.0, 0.0]))
    alike = balanced(spiking_units(replace(ann, layers=(dead, *ann.layers[1:])), images(20)))
    assert alike.gains["first"][1] == 1.0
    silent = replace(ann.layers[0], bias=np.full(4, -50.0))
    alike = balanced(spiking_units(replace(ann, layers=(silent, *ann.layers[1:])), images(20)))
    np.testing.assert_array_equal(alike.gains["first"], 1.0)


def test_weak_channels_count_on_the_chip(monkeypatch: pytest.MonkeyPatch) -> None:
    ann, x = depthwise(), images(100)
    errors, figures = [], []
    for most in (MOST, 1.0):  # with 1 nothing is brought to alike peaks
        monkeypatch.setattr(balance, "MOST", most)
        conversion = convert(ann, "loihi1", calibration=x[:60], ticks=32)
        run, wanted = emulate(conversion.program, x[60:]), ann.predict(x[60:])
        errors.append(np.mean((run.outputs - wanted) ** 2))
        figures.append(layer_figures(conversion, x[60:], run)[0].error)
    assert errors[0] < 0.5 * errors[1]
    assert max(figures) < SMALL_CONVERSION  # both in the network's own units
