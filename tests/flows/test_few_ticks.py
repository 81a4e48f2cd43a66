"""Does what is done for few ticks keep the network, use a neuron's levels, and learn through real spikes?"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.emulation.emulate import emulate
from spikeloom.flows.conversion.answer_loss import answer_loss
from spikeloom.flows.conversion.balance import SHARES, balanced, unit_sizes
from spikeloom.flows.conversion.calibration import CalibrationSet, calibration_set
from spikeloom.flows.conversion.chain import convert_chains
from spikeloom.flows.conversion.checkpoint import Checkpoint
from spikeloom.flows.conversion.spiking_units import spiking_units
from spikeloom.flows.conversion.teaching import _Spiking, can_teach, teach
from spikeloom.flows.conversion.time_limit import TimeLimit
from spikeloom.flows.convert import Conversion, convert
from spikeloom.profile.catalog import load_profile

TICKS = 4


def uneven_ann(*, convolution: bool = False) -> Ann:
    """Units of very unlike size, biases as large as what the inputs bring."""
    rng = np.random.default_rng(11)
    sizes = np.geomspace(0.2, 5.0, 4)
    if convolution:
        layers: tuple[AnnLayer, ...] = (
            AnnLayer("conv", rng.normal(size=(1, 3, 3, 4)) * sizes, rng.normal(size=4), "relu", (8, 8, 1), (6, 6, 4)),
            AnnLayer("fc", rng.normal(size=(36, 8)) / 6, rng.normal(size=8), "relu", (6, 6, 4), (8,),
                     input_pool=(2, 2)),
            AnnLayer("out", rng.normal(size=(8, 3)), np.zeros(3), "identity", (8,), (3,)),
        )  # fmt: skip
        return Ann("conv", (8, 8, 1), layers, None, np.arange(64))
    wide = np.repeat(sizes, 5)
    layers = (
        AnnLayer("fc1", rng.normal(size=(6, 20)) * wide, -wide * rng.random(20), "relu", (6,), (20,)),
        AnnLayer("fc2", rng.normal(size=(20, 12)) / wide[:, None] / 3, -rng.random(12), "relu", (20,), (12,)),
        AnnLayer("out", rng.normal(size=(12, 3)), np.zeros(3), "identity", (12,), (3,)),
    )
    return Ann("uneven", (6,), layers, None, np.arange(6))


def rows(count: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(count).uniform(-1.0, 1.0, (count, *(shape or (6,))))


@lru_cache(maxsize=1)
def converted() -> Conversion:
    return convert(uneven_ann(), "ideal", calibration=rows(900), ticks=TICKS)


def calibrated(profile: str = "ideal") -> CalibrationSet:
    return calibration_set(uneven_ann(), load_profile(profile), rows(600), ticks=TICKS, encoding=None, seed=0)


@pytest.mark.parametrize("convolution", [False, True])
def test_units_get_sizes_of_their_own_and_answer_as_before(convolution: bool) -> None:
    ann = uneven_ann(convolution=convolution)
    plain = spiking_units(ann, rows(200, *ann.input_shape))
    own = balanced(plain, TICKS)
    given = ann.flatten(rows(200, *ann.input_shape))
    for layer, answer in zip(own.layers, own.answers, strict=True):
        assert isinstance(layer, AnnLayer)
        z = layer.preactivation(given)
        given = z if layer is own.layers[-1] else np.maximum(z, 0.0)
        np.testing.assert_allclose(given, answer, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        own.answers[-1], ann.predict(rows(200, *ann.input_shape)), rtol=1e-9, atol=1e-9
    )
    spread = [
        np.ptp(np.log(units.answers[0].reshape(len(given), -1, 4 if convolution else 20).max(axis=(0, 1))))
        for units in (plain, own)
    ]
    assert spread[0] > 2.0
    assert spread[1] < 0.5 * spread[0]


def test_a_units_size_is_the_best_of_those_tried() -> None:
    activations = np.maximum(np.random.default_rng(0).normal(size=(300, 5)), 0.0) ** 2
    activations[:, 4] = 0.0

    def error(size: float, unit: int) -> float:
        levels = np.arange(TICKS + 1) * size / TICKS
        nearest = np.abs(activations[:, unit, None] - levels).min(axis=1)
        return float(np.mean(nearest**2))

    sizes = unit_sizes(activations, TICKS)
    for unit in range(4):
        best = min(error(share * activations[:, unit].max(), unit) for share in SHARES)
        assert error(sizes[unit], unit) == pytest.approx(best, rel=1e-9)
    assert np.isfinite(sizes).all()


def test_a_clipped_unit_has_its_largest_activation_as_its_size() -> None:
    ann = uneven_ann()
    clipped = replace(ann.layers[0], activation="clip", activation_number=1.0)
    units = spiking_units(replace(ann, layers=(clipped, *ann.layers[1:])), rows(200))
    peaks, gains = units.answers[0].max(axis=0), balanced(units, TICKS).gains["fc1"]
    assert (peaks == 1.0).any()
    assert (peaks < 0.9).any()
    np.testing.assert_allclose(gains * peaks, 1.0)


def test_the_model_that_teaches_counts_the_spikes_of_the_emulated_chip() -> None:
    data = calibrated()
    chain = convert_chains(
        data, ("copy",), "matching", None, lambda _: None, Checkpoint(None, ""), TimeLimit(None)
    )["copy"]
    x = rows(50)
    net = _Spiking(data, chain.candidates)
    seen, currents = net.run(net.layers, x)
    run = emulate(chain.program, x, record=["fc2.spikes"])
    sent = run.spikes["fc2"]
    window = sent[(sent[:, 1] >= 1) & (sent[:, 1] < 1 + TICKS)]
    counts = np.zeros((50, 12))
    np.add.at(counts, (window[:, 0], window[:, 2]), 1.0)
    assert counts.sum() > 50
    np.testing.assert_allclose(seen[2][:, 0] * TICKS, counts, atol=1e-9)
    np.testing.assert_allclose(currents[-1] / net.unit, run.outputs, atol=1e-9)


def test_teaching_wins_on_rows_that_nothing_has_seen() -> None:
    conversion, unseen = converted(), rows(1500)
    wanted = conversion.ann.predict(unseen)
    outputs = {name: emulate(program, unseen).outputs for name, program in conversion.programs.items()}
    errors = {name: float(np.mean((got - wanted) ** 2)) for name, got in outputs.items()}
    losses = {name: answer_loss(got, wanted, float(np.std(wanted)))[0] for name, got in outputs.items()}
    assert conversion.chosen == "taught"
    layerwise = ("copy", "fit", "fit+gain", "iv")
    assert losses["taught"] < 0.8 * min(losses[name] for name in layerwise)
    assert errors["taught"] < min(errors[name] for name in layerwise)
    assert {fit.method for fit in conversion.layers} == {"taught"}
    assert all(fit.bound_tag == "none" for fit in conversion.layers)


def test_teaching_is_the_same_for_a_seed_and_keeps_the_start_without_steps() -> None:
    data = calibrated()
    chain = convert_chains(
        data, ("copy",), "matching", None, lambda _: None, Checkpoint(None, ""), TimeLimit(None)
    )["copy"]
    one, again = (teach(data, chain.candidates, steps=100) for _ in range(2))
    none = teach(data, chain.candidates, steps=0)
    for layer, candidate in zip(data.layers, chain.candidates, strict=True):
        assert np.array_equal(one[layer.name].weights, again[layer.name].weights)
        np.testing.assert_allclose(none[layer.name].weights, candidate.fit.quantised_weights, rtol=1e-12)


def test_the_slope_of_the_loss_is_its_derivative() -> None:
    rng = np.random.default_rng(4)
    outputs, wanted, off = rng.normal(size=(5, 3)), rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    for columns in (slice(0, 1), slice(None)):
        here, there, way = outputs[:, columns], wanted[:, columns], 1e-6 * off[:, columns]
        rise = answer_loss(here + way, there, 0.7)[0] - answer_loss(here - way, there, 0.7)[0]
        assert rise / 2 == pytest.approx(float((answer_loss(here, there, 0.7)[1] * way).sum()), rel=1e-6)
        assert answer_loss(there, there, 0.7)[0] == 0.0


def test_only_plain_integrators_with_continuous_weights_are_taught() -> None:
    assert can_teach(calibrated())
    assert not can_teach(calibrated("loihi1"))
    hard = load_profile("ideal", override={"operation.fire.reset": "zero"})
    assert not can_teach(calibration_set(uneven_ann(), hard, rows(100), ticks=TICKS, encoding=None, seed=0))
