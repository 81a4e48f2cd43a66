"""Is calibration data that cannot carry a fit refused by name, or named in a warning?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import AnnError, FitError, PlacementError
from spikeloom.flows.convert import convert
from spikeloom.profile.catalog import load_profile

ROWS = np.random.default_rng(1).uniform(-1.0, 1.0, (80, 5))


def ann_of(bias: float = 0.1) -> Ann:
    rng = np.random.default_rng(3)
    layers = (
        AnnLayer("fc1", rng.normal(size=(5, 8)), np.full(8, bias), "relu", (5,), (8,)),
        AnnLayer("fc2", rng.normal(size=(8, 3)), np.zeros(3), "identity", (8,), (3,)),
    )
    return Ann("small", (5,), layers, None, np.arange(5))


def with_nan() -> np.ndarray:
    rows = ROWS.copy()
    rows[7, 2] = np.nan
    return rows


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (np.zeros((40, 5)), "rows that are alike"),
        (np.tile(ROWS[:1], (40, 1)), "rows that are alike; got 40"),
        (with_nan(), "row 7 holds NaN or infinity"),
        (ROWS[:9], "has too few rows; got 9, limit 10"),
        (ROWS[:, :4], "has the wrong shape"),
    ],
)
def test_rows_that_cannot_be_fitted_to_are_refused(rows: np.ndarray, words: str) -> None:
    with pytest.raises(AnnError, match=words):
        convert(ann_of(), "loihi1", calibration=rows, ticks=16)


def test_a_layer_without_an_active_unit_is_refused_by_name() -> None:
    with pytest.raises(FitError, match="fc1: has no active unit on the calibration rows"):
        convert(ann_of(bias=-100.0), "loihi1", calibration=ROWS, ticks=16)


@pytest.mark.parametrize("level", [0.0, 0.7])
def test_inputs_that_never_change_are_a_warning_and_do_no_harm(level: float) -> None:
    rows = np.where(np.arange(5) < 2, level, ROWS)
    conversion = convert(ann_of(), "loihi1", calibration=rows, ticks=32)
    dead = [text for text in conversion.warnings if "inputs never change on these rows" in text]
    assert [text.partition(" of ")[0] for text in dead if text.startswith("fc1")] == [
        "fc1: 4"
    ]  # pairs of lines
    assert conversion.candidates[conversion.chosen]["nmse"] < 0.2


def test_rows_too_few_for_a_fit_are_a_warning_also_where_the_copy_is_chosen() -> None:
    conversion = convert(ann_of(), "loihi1", calibration=ROWS[:20], ticks=16)
    assert any("calibration rows for" in text and "stay at the copy" in text for text in conversion.warnings)
    enough = convert(ann_of(), "loihi1", calibration=np.tile(ROWS, (2, 1)), ticks=16)
    assert not any("stay at the copy" in text for text in enough.warnings)


def test_a_layer_that_its_limits_ruin_is_a_warning() -> None:
    narrow = load_profile("loihi1", override={"params.vth.max": 1})
    conversion = convert(ann_of(), narrow, calibration=ROWS, ticks=16)
    assert any("the emulated layer errs by" in text for text in conversion.warnings)
    sound = convert(ann_of(), "loihi1", calibration=ROWS, ticks=16)
    assert not any("the emulated layer errs by" in text for text in sound.warnings)


def test_a_readout_holds_the_answers_that_few_rows_ask_for() -> None:
    rng, ann = np.random.default_rng(5), ann_of(bias=0.0)
    strength = np.where(np.arange(1000) % 200 == 1, 1.0, 0.02)[:, None]  # as a controller, which mostly rests
    rows, strong = strength * rng.uniform(0.5, 1.0, (1000, 5)), rng.uniform(0.5, 1.0, (200, 5))
    conversion = convert(ann, "loihi1", calibration=rows, ticks=32, seed=2)
    wanted, got = ann.predict(strong), emulate(conversion.program, strong).outputs
    slopes = (got * wanted).sum(axis=0) / (wanted**2).sum(axis=0)
    np.testing.assert_allclose(slopes, 1.0, atol=0.1)  # a register at its end makes them smaller


@pytest.mark.parametrize(
    ("chip", "low"), [("loihi1", 100_000), ("tinyodin", 200)]
)  # thresholds begin above what the weights of the layer ask for
def test_a_threshold_that_no_exponent_brings_into_range_names_its_layer(chip: str, low: int) -> None:
    name = {"loihi1": "vth", "tinyodin": "thr"}[chip]
    narrow = load_profile(chip, override={f"params.{name}.min": low, f"params.{name}.max": low + 1})
    with pytest.raises(
        PlacementError, match=r"threshold of layer 'fc1': does not fit .* at any exponent"
    ) as caught:
        convert(ann_of(), narrow, calibration=ROWS, ticks=16)
    assert caught.value.limit == (low, low + 1)


def test_a_grid_without_two_signs_is_refused_by_the_name_of_its_profile() -> None:
    one_bit = load_profile("loihi1", override={"weights.bits": 1})
    with pytest.raises(FitError, match="weights.bits=1: has no weight mode that holds both signs"):
        convert(ann_of(), one_bit, calibration=ROWS, ticks=16)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"sizes": {"fc1": 9}}, "layer 'fc1': cannot be pruned to this size; got 9, limit 1 to 8"),
        ({"sizes": {"fc1": 0}}, "layer 'fc1': cannot be pruned to this size; got 0, limit 1 to 8"),
        ({"sizes": {"fc3": 4}}, "layer 'fc3': is not in the network; limit fc1, fc2"),
        ({"sizes": {"fc2": 2}}, "layer 'fc2': gives the outputs and cannot be pruned"),
        ({"ticks": 0}, "ticks"),
        ({"objective": "l3"}, "objective"),
    ],
)
def test_choices_that_cannot_be_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(FitError, match=words):
        convert(ann_of(), "loihi1", calibration=ROWS, **given)
