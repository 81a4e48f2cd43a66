"""Conversion of small networks: encodings, objectives, profiles, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import AnnError, FitError, PlacementError, SpikeloomError
from spikeloom.flows.conversion import calibration
from spikeloom.flows.convert import convert
from spikeloom.flows.crosscheck import crosscheck
from spikeloom.profile.catalog import load_profile
from spikeloom.program.storage import load_program

RNG = np.random.default_rng(3)


def small_ann(outputs: int = 3, *, convolution: bool = False) -> Ann:
    """A random network of three layers; its first input channel may be negative."""
    rng = np.random.default_rng(7)
    if convolution:
        layers: tuple[AnnLayer, ...] = (
            AnnLayer("conv", rng.normal(size=(1, 3, 3, 4)) / 3, rng.normal(size=4) / 5, "relu", (8, 8, 1), (6, 6, 4)),
            AnnLayer("out", rng.normal(size=(36, outputs)) / 6, np.zeros(outputs), "identity", (6, 6, 4), (outputs,),
                     input_pool=(2, 2)),
        )  # fmt: skip
        return Ann("conv", (8, 8, 1), layers, None, np.arange(64))
    sizes = (6, 24, 16, outputs)
    layers = tuple(
        AnnLayer(f"fc{k + 1}", rng.normal(size=(n, m)) * np.sqrt(2 / n), rng.normal(size=m) / 10,
                 "relu" if k < 2 else "identity", (n,), (m,))
        for k, (n, m) in enumerate(zip(sizes, sizes[1:], strict=False))
    )  # fmt: skip
    return Ann("small", (6,), layers, None, np.arange(6))


def rows(count: int, *shape: int, low: float = -1.0) -> np.ndarray:
    return np.random.default_rng(count).uniform(low, 1.0, (count, *shape))


def error(conversion: Any, x: np.ndarray) -> float:
    wanted = conversion.ann.predict(x)
    got = emulate(conversion.program, x).outputs
    return float(np.mean((got - wanted) ** 2) / np.mean((wanted - wanted.mean(axis=0)) ** 2))


@pytest.mark.parametrize("encoding", ["rate", "bits", "current"])
@pytest.mark.parametrize("profile", ["loihi1", "ideal"])
def test_every_encoding_carries_signed_input_and_agrees_with_the_references(
    encoding: Any, profile: str
) -> None:
    conversion = convert(small_ann(), profile, calibration=rows(400, 6), ticks=32, encoding=encoding)
    unseen = rows(101, 6)
    assert error(conversion, unseen) < 0.15
    assert crosscheck(conversion.program, unseen[:2], reference="twin").equal
    assert crosscheck(conversion.program, unseen[:2], reference="brian2").equal


@pytest.mark.parametrize("variant", ["nengo", "lava", "brian"])
def test_every_variant_of_loihi1_runs_and_agrees_with_brian2(variant: str) -> None:
    conversion = convert(small_ann(), f"loihi1:{variant}", calibration=rows(200, 6), ticks=16)
    assert crosscheck(conversion.program, rows(3, 6), reference="brian2").equal


def test_a_pooled_convolution_converts() -> None:
    ann = small_ann(convolution=True)
    conversion = convert(ann, "loihi1", calibration=rows(150, 8, 8, 1, low=0.0), ticks=64)
    unseen = rows(60, 8, 8, 1, low=0.0)
    assert error(conversion, unseen) < 0.1
    assert crosscheck(conversion.program, unseen[:1], reference="brian2").equal


def test_images_with_channels_first_reach_the_right_lines(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    kernel = rng.normal(size=(2, 3, 3, 4)) / 4
    layers = (AnnLayer("conv", kernel, np.zeros(4), "relu", (5, 5, 2), (3, 3, 4)),
              AnnLayer("out", rng.normal(size=(36, 3)) / 6, np.zeros(3), "identity", (3, 3, 4), (3,)))  # fmt: skip
    channels_first = np.arange(50).reshape(2, 5, 5).transpose(1, 2, 0).ravel()
    ann = Ann("two channels", (2, 5, 5), layers, None, channels_first)
    conversion = convert(ann, "loihi1", calibration=rows(200, 2, 5, 5, low=0.0), ticks=64)
    unseen = rows(61, 2, 5, 5, low=0.0)
    assert error(conversion, unseen) < 0.1
    conversion.program.save(tmp_path / "two.spikeloom")
    again = emulate(load_program(tmp_path / "two.spikeloom"), unseen).outputs
    assert np.array_equal(again, emulate(conversion.program, unseen).outputs)


def test_few_ticks_score_all_candidates_on_the_whole_net() -> None:
    conversion = convert(small_ann(), "loihi1", calibration=rows(400, 6), ticks=8)
    assert set(conversion.candidates) == {"copy", "fit", "fit+gain", "iv"}
    assert conversion.program.inputs[0].encoding == "bits"
    scores = conversion.candidates
    best = max(score["agreement"] for score in scores.values())
    slack = 2.0 * np.sqrt(best * (1.0 - best) / 80)  # every fifth of 400 rows judges
    assert scores[conversion.chosen]["agreement"] >= best - slack


def test_one_output_keeps_the_gain_and_an_environment_chooses() -> None:
    def environment(policy: Any) -> float:
        return -float(np.mean(np.abs(policy(rows(20, 6)))))

    conversion = convert(small_ann(1), "loihi1", calibration=rows(300, 6), ticks=16, environment=environment)
    assert "fit+gain" in conversion.candidates
    returns = {name: score["return"] for name, score in conversion.candidates.items()}
    assert returns[conversion.chosen] == max(returns.values())


@pytest.mark.parametrize("objective", ["l2", "l1", "linf"])
def test_other_objectives_have_bounds_that_hold(objective: Any) -> None:
    conversion = convert(small_ann(), "loihi1", calibration=rows(120, 6), ticks=32, objective=objective)
    assert conversion.layers
    for fit in conversion.layers:
        assert fit.loss >= fit.bound


def test_the_same_seed_gives_the_same_program() -> None:
    first, second = (
        convert(small_ann(), "loihi1", calibration=rows(150, 6), ticks=16, seed=5, threads=threads).program
        for threads in (1, 2)
    )
    for name in ("codes", "axon_weight", "format_mode"):
        assert np.array_equal(getattr(first.arrays, name), getattr(second.arrays, name))
    assert all(np.array_equal(first.arrays.params[p], second.arrays.params[p]) for p in first.arrays.params)


def test_progress_counts_every_layer_of_every_candidate() -> None:
    seen: list[tuple[int, int]] = []
    convert(small_ann(), "loihi1", calibration=rows(100, 6), ticks=16,
            progress=lambda stage, done, total: seen.append((done, total)))  # fmt: skip
    assert seen == [(k, 6) for k in range(1, 7)]


def test_a_network_too_large_names_the_layer_and_the_limit() -> None:
    profile = load_profile("loihi1", override={"limits.cores": 1, "limits.neurons_per_core": 20})
    with pytest.raises(PlacementError) as caught:
        convert(small_ann(), profile, calibration=rows(60, 6), ticks=16)
    assert "cores" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"calibration": rows(50, 5)}, AnnError, "wrong shape"),
        ({"calibration": np.vstack([rows(50, 6), np.full((1, 6), np.nan)])}, AnnError, "row 50 holds NaN"),
        ({"calibration": rows(3, 6)}, AnnError, "too few rows"),
        ({"calibration": np.zeros((50, 6))}, AnnError, "rows that are alike"),
        ({"calibration": [["a"] * 6] * 50}, AnnError, "not an array of numbers"),
        ({"ticks": 0}, FitError, "ticks"),
        ({"ticks": 2.5}, FitError, "ticks"),
        ({"chip_seed": 3}, FitError, "chip_seed 3"),
        ({"profile": "loihi9"}, SpikeloomError, "loihi9"),
        ({"objective": "l7"}, FitError, "objective"),
        ({"encoding": "morse"}, FitError, "encoding"),
        ({"gain": "more"}, FitError, "gain"),
    ],
)
def test_bad_arguments_are_one_line_errors(change: dict[str, Any], kind: type[Exception], words: str) -> None:
    given: dict[str, Any] = {"profile": "loihi1", "calibration": rows(50, 6)} | change
    with pytest.raises(kind) as caught:
        convert(small_ann(), given.pop("profile"), **given)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_signed_output_does_not_cost_the_other_layers_their_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    ann, profile = small_ann(), load_profile("loihi1")  # its widest layer has 24 units, its output is signed
    monkeypatch.setattr(calibration, "FEED_NUMBERS", 24 * (8 + len(ann.layers)) * 50)
    data = calibration.calibration_set(ann, profile, rows(80, 6), ticks=8, encoding=None, seed=0)
    assert len(data.rows) == 50


def test_a_readout_of_many_strong_lines_stays_in_its_register() -> None:
    """Forty lines of one sign over 64 ticks: at full range, even the lowest exponent would leave the membrane's."""
    rng = np.random.default_rng(2)
    layers = (
        AnnLayer("fc", rng.uniform(0.5, 1.0, (4, 40)), np.zeros(40), "relu", (4,), (40,)),
        AnnLayer("out", rng.uniform(0.5, 1.0, (40, 2)), np.zeros(2), "identity", (40,), (2,)),
    )
    x = np.random.default_rng(9).uniform(0.0, 1.0, (300, 4))
    conversion = convert(
        Ann("strong", (4,), layers, None, np.arange(4)), "loihi1", calibration=x[:250], ticks=64
    )
    run = emulate(conversion.program, x[250:], record=["out.v"])
    limit = load_profile("loihi1").params["vth"].max
    assert limit is not None
    assert 0.4 < np.abs(run.registers["out.v"]).max() / (limit * 64) < 0.9  # it fills the range and no more
    assert error(conversion, x[250:]) < 0.01
