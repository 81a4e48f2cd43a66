"""Is a network for unknown chips judged by its yield on virtual ones, and chosen only if that is better?"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import FitError
from spikeloom.flows.conversion import robust
from spikeloom.flows.conversion.robust import LOOKED_AT, VIRTUAL, spread_of
from spikeloom.flows.conversion.row_draws import held_out_rows
from spikeloom.flows.convert import Conversion, convert
from spikeloom.flows.terminal.result_text import show_conversion
from spikeloom.profile.catalog import load_profile
from spikeloom.profile.schema import Profile

ROWS, SPREAD, CHIPS = np.random.default_rng(0).random((160, 12)), 0.3, 5


def uneven(of: str = "weight") -> Profile:
    scope = "synapse" if of == "weight" else "neuron"
    entry = {"name": "off", "kind": "mismatch", "of": of, "scope": scope, "distribution": "lognormal",
             "cv": SPREAD}  # fmt: skip
    return load_profile("ideal", override={"imperfection": [entry]})


@cache
def network() -> Ann:
    rng = np.random.default_rng(3)
    layers = (
        AnnLayer("fc1", rng.normal(size=(12, 16)) / 2, rng.normal(size=16) / 5, "relu", (12,), (16,)),
        AnnLayer("fc2", rng.normal(size=(16, 4)) / 3, np.zeros(4), "identity", (16,), (4,)),
    )
    return Ann("net", (12,), layers, None, np.arange(12))


def made(**options: Any) -> Conversion:
    return convert(network(), uneven(), calibration=ROWS, ticks=16, robust_chips=CHIPS, **options)


def test_both_networks_are_run_on_virtual_chips_and_the_better_yield_wins() -> None:
    told: list[tuple[str, int, int]] = []
    conversion = made(progress=lambda *one: told.append(one))
    assert [done for _, done, _ in told] == list(range(1, told[-1][2] + 1))
    assert told[-1][0] == "robust fc2"
    found: dict[str, Any] = conversion.program.report["robust"]
    usual = next(name for name in found["yield"] if name != "robust")
    held = ROWS[held_out_rows(len(ROWS), 0)]
    wanted = network().predict(held).argmax(axis=1)

    def agreement(name: str, **chip: Any) -> float:
        run = emulate(conversion.programs[name], held, **chip)
        return float((run.outputs.argmax(axis=1) == wanted).mean())

    assert found["perfect"] == agreement(usual, effects=())
    for name in (usual, "robust"):
        scores = [agreement(name, chip_seed=VIRTUAL + LOOKED_AT + k) for k in range(CHIPS)]
        assert found["mean"][name] == pytest.approx(np.mean(scores))
        assert found["yield"][name] == np.mean([found["perfect"] - score < 0.01 for score in scores])
    better = found["yield"]["robust"] > found["yield"][usual]
    assert conversion.chosen == ("robust" if better else usual)
    assert conversion.program.report["chosen"] == conversion.chosen
    assert set(conversion.candidates) == {"copy", "fit", "robust"} == set(conversion.programs)


@pytest.mark.parametrize(
    ("yields", "chosen"), [((0.4, 0.6), "robust"), ((0.6, 0.6), "fit"), ((0.6, 0.4), "fit")]
)
def test_a_yield_that_is_alike_leaves_the_usual_network(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    yields: tuple[float, float], chosen: str,
) -> None:  # fmt: skip
    """Chips whose score is perfect, or bad, in these shares; the usual network is asked first."""
    shares = iter(yields)

    def on_chips(program: Any, rows: Any, wanted: Any, chips: int, threads: Any) -> np.ndarray:
        good = round(next(shares) * chips)
        return np.where(np.arange(chips) < good, 1.0, 0.0)

    monkeypatch.setattr(robust, "_on_chips", on_chips)
    conversion = made()
    usual = next(name for name in conversion.program.report["robust"]["yield"] if name != "robust")
    assert conversion.chosen == ("robust" if chosen == "robust" else usual)
    assert all((fit.method == "robust") == (chosen == "robust") for fit in conversion.layers)
    show_conversion(conversion, len(ROWS), tmp_path / "x.spikeloom")
    assert "yield on 5 virtual chips" in capsys.readouterr().out


def test_the_spread_is_that_of_the_profile() -> None:
    program = convert(network(), uneven(), calibration=ROWS, ticks=16).program
    assert spread_of(program) == pytest.approx(SPREAD, rel=0.15)


@pytest.mark.parametrize("chips", [0, -1, 1.5, True, 1001])
def test_numbers_of_chips_that_are_none_are_refused(chips: Any) -> None:
    with pytest.raises(FitError, match="robust_chips: must be a whole number in range"):
        convert(network(), uneven(), calibration=ROWS, robust_chips=chips)


def test_where_no_weight_differs_or_no_mean_is_known_it_is_refused() -> None:
    for profile in (uneven("vth"), load_profile("loihi1")):
        with pytest.raises(FitError, match="has weights that are alike on every chip"):
            convert(network(), profile, calibration=ROWS, robust_chips=3)
    with pytest.raises(FitError, match="needs a loss whose mean over chips is known"):
        convert(network(), uneven(), calibration=ROWS, robust_chips=3, objective="l1")
