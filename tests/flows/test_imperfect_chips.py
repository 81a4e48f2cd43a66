"""Is a program judged on chips that the fit has not seen, and the yield counted against the perfect one?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from spikeloom.flows import imperfect_chips as module
from spikeloom.flows.imperfect_chips import imperfect_chips
from spikeloom.flows.scoring import make_scorer

LABELS = np.arange(200) % 2
RIGHT = np.eye(2)[LABELS]


def _spoilt(rows: int) -> np.ndarray:
    """Outputs of which so many rows are wrong."""
    return np.concatenate([1 - RIGHT[:rows], RIGHT[rows:]])


def _judged(
    monkeypatch: pytest.MonkeyPatch, effects: tuple[str, ...], chips: int, fitted: int | None = None
) -> Any:
    """Chip k gets k rows wrong; which chips were run is noted."""
    ran: list[int] = []

    def emulate(program: Any, inputs: Any, *, chip_seed: int | None = None, threads: Any = None) -> Any:
        if chip_seed is not None:
            ran.append(chip_seed)
        return SimpleNamespace(outputs=_spoilt(chip_seed or 0), effects=effects)

    monkeypatch.setattr(module, "emulate", emulate)
    program: Any = SimpleNamespace(chip_seed=fitted)
    found = imperfect_chips(program, RIGHT, RIGHT, make_scorer(LABELS, RIGHT, None), 1.0, chips, None)
    return found, ran


def test_the_fitted_chip_is_none_of_those_that_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    found, ran = _judged(monkeypatch, ("mismatch",), 4, fitted=2)
    assert ran == [0, 1, 3, 4]
    assert found.scores == {k: 1 - k / 200 for k in (0, 1, 3, 4)}
    assert found.yield_ == 0.5
    assert found.stage.score == pytest.approx(1 - 2 / 200)
    assert found.stage.low < found.stage.score < found.stage.high
    assert found.said == "4 chips that the fit has not seen, with mismatch"


def test_where_chips_are_alike_one_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    found, ran = _judged(monkeypatch, (), 20)
    assert ran == []
    assert (found.stage, found.yield_, dict(found.scores)) == (None, None, {})
    assert "every chip is alike" in found.said


def test_no_chips_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = _judged(monkeypatch, ("mismatch", "noise"), 0)
    assert found.yield_ is None
    assert "differ by mismatch, noise" in found.said
