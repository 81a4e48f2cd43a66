"""Is fan-in beyond a chip's limit split over helper neurons, within every limit, and what do these cost?"""

from __future__ import annotations

import numpy as np
import pytest
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import FitError
from spikeloom.flows.conversion.helpers import FAN_INS, split_fan_in
from spikeloom.flows.convert import Conversion, convert
from spikeloom.flows.crosscheck import crosscheck
from spikeloom.flows.explain import explain
from spikeloom.profile.catalog import load_profile
from tolerances import FLOAT64, SMALL_CONVERSION

FEW = {"limits.fan_in": 8}


def ann_of(*sizes: int, activation: str = "relu") -> Ann:
    rng = np.random.default_rng(sizes[0])
    layers = tuple(
        AnnLayer(
            f"fc{k}",
            rng.normal(size=(n, m)) * np.sqrt(2 / n),
            rng.normal(size=m) / 10,
            activation,
            (n,),
            (m,),
        )
        for k, (n, m) in enumerate(zip(sizes, sizes[1:], strict=False))
    )
    last = layers[-1]
    readout = AnnLayer(last.name, last.weights, last.bias, "identity", last.input_shape, last.output_shape)
    return Ann("dense", (sizes[0],), (*layers[:-1], readout), None, np.arange(sizes[0]))


def samples(count: int, size: int) -> np.ndarray:
    return np.random.default_rng(count).uniform(0.0, 1.0, (count, size))


def error(conversion: Conversion, x: np.ndarray) -> float:
    wanted, got = conversion.ann.predict(x), emulate(conversion.program, x).outputs
    return float(np.mean((got - wanted) ** 2) / np.mean((wanted - wanted.mean(axis=0)) ** 2))


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_split_network_computes_the_same(activation: str) -> None:
    ann, x = ann_of(12, 20, 5, activation=activation), samples(30, 12)
    split = split_fan_in(ann, load_profile("loihi1", override={"limits.fan_in": 16}))
    np.testing.assert_allclose(split.predict(x), ann.predict(x), rtol=FLOAT64, atol=FLOAT64)
    blocks = 2 if activation == "relu" else 3  # a tanh is a pair of neurons, so 20 of them are 40 lines
    assert [layer.name for layer in split.layers] == ["fc0", "fc1_helpers", "fc1"]
    helpers = split.layers[1]
    assert helpers.weights.shape == (20, blocks * 5)
    assert (helpers.weights != 0).sum(axis=0).max() == -(-20 // blocks)
    assert split_fan_in(ann, load_profile("loihi1")).layers == ann.layers


def test_helpers_keep_what_thin_layers_lose() -> None:
    ann, profile, x = (
        ann_of(48, 20, 4),
        load_profile("open_core", override={"limits.fan_in": 16}),
        samples(300, 48),
    )
    thin, split = (convert(ann, profile, calibration=x[:260], ticks=32, fan_in=way) for way in FAN_INS)
    assert error(split, x[260:]) < min(SMALL_CONVERSION, 0.2 * error(thin, x[260:]))
    assert all((fit.codes != 0).sum(axis=0).max() <= 16 for fit in split.layers)
    assert crosscheck(split.program, x[260:262], reference="twin").equal
    found, names = explain(ann, profile, fan_in="split"), [p.name for p in split.program.populations]
    assert found.fits
    assert [layer.name for layer in found.layers] == names == ["fc0_helpers", "fc0", "fc1_helpers", "fc1"]
    assert [cost.neurons for cost in found.helpers] == [layer.neurons for layer in found.layers[::2]]


def test_a_readout_of_many_on_a_chip_of_small_fan_in() -> None:
    x = samples(140, 10)
    conversion = convert(ann_of(10, 70, 3), "xylo_a2", calibration=x[:100], ticks=32, fan_in="split")
    assert [population.name for population in conversion.program.populations] == ["fc0", "fc1_helpers", "fc1"]
    assert error(conversion, x[100:]) < SMALL_CONVERSION
    assert crosscheck(conversion.program, x[100:101], reference="twin").equal


def test_what_helpers_cost_is_told_of_the_other_way_too() -> None:
    found = explain(ann_of(12, 14, 3), load_profile("loihi1", override=FEW))
    assert [layer.name for layer in found.layers] == ["fc0", "fc1"]
    assert [(c.layer, c.synapses, c.blocks, c.neurons, c.ticks) for c in found.helpers] == [
        ("fc0", 12, 2, 56, 1), ("fc1", 14, 2, 12, 1)]  # fmt: skip
    assert not explain(ann_of(12, 14, 3), "loihi1").helpers


def test_what_cannot_be_split_is_refused() -> None:
    profile, x = load_profile("loihi1", override={"limits.fan_in": 4}), samples(20, 12)
    with pytest.raises(FitError, match="more blocks of inputs than a neuron has synapses"):
        convert(ann_of(12, 14, 3), profile, calibration=x, fan_in="split")
    assert not explain(ann_of(12, 14, 3), profile, fan_in="split").fits
    with pytest.raises(FitError, match="prune first"):
        convert(ann_of(12, 14, 3), profile, calibration=x, fan_in="split", sizes={"fc0": 8})
    with pytest.raises(FitError, match="fan_in: is unknown"):
        convert(ann_of(12, 14, 3), profile, calibration=x, fan_in="both")  # type: ignore[arg-type]
