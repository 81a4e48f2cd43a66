"""The bundled networks on loihi1 (hard reset, start at 0), judged on rows that the fit has never seen."""

from __future__ import annotations

import numpy as np
import pytest
from flows.conversions import converted, judged
from spikeloom.bundled.cartpole import episode_returns
from spikeloom.emulation.emulate import emulate
from tolerances import PLAIN_ROUNDING_SHARE

SEEDS, EPISODES = (101, 102, 103, 104, 105), 50


@pytest.mark.xdist_group("mlp")
def test_mlp_at_8_bits_keeps_its_answers() -> None:
    result, copy = judged("mlp"), judged("mlp", candidate="copy")
    print(f"chosen {result}; weight copy {copy}")
    assert result.accuracy >= result.ann_accuracy - 0.4
    assert result.agreement >= 98.5
    assert result.nmse <= 0.006


@pytest.mark.xdist_group("mlp")
def test_mlp_at_4_bits_is_nearly_as_good_as_at_8() -> None:
    coarse, fine = judged("mlp", 4), judged("mlp")
    assert coarse.accuracy >= coarse.ann_accuracy - 0.4
    assert coarse.nmse <= 1.25 * fine.nmse


@pytest.mark.xdist_group("cnn")
def test_cnn_at_8_bits_keeps_its_answers() -> None:
    result, copy = judged("cnn"), judged("cnn", candidate="copy")
    print(f"chosen {result}; weight copy {copy}")
    assert result.accuracy >= result.ann_accuracy - 1.0


@pytest.mark.xdist_group("cnn4")
def test_cnn_at_4_bits_keeps_its_answers() -> None:
    result = judged("cnn", 4)
    assert result.accuracy >= result.ann_accuracy - 1.5


@pytest.mark.parametrize(
    "name",
    [pytest.param("mlp", marks=pytest.mark.xdist_group("mlp")),
     pytest.param("cnn", marks=pytest.mark.xdist_group("cnn4"))],
)  # fmt: skip
def test_error_feedback_rounding_beats_plain_rounding(name: str) -> None:
    for fit in converted(name, 4).layers:
        share = fit.rounding_loss / fit.plain_rounding_loss
        # Of nine inputs, codes that are proven the best of all may still err by more than a third of plain ones.
        is_best = fit.proven_codes == fit.codes.shape[-1] and fit.rounding_gap == 0.0
        assert share <= PLAIN_ROUNDING_SHARE or (is_best and share < 0.5), (fit.name, share)
    assert np.mean([fit.rounding_loss / fit.plain_rounding_loss for fit in converted(name, 4).layers]) <= (
        PLAIN_ROUNDING_SHARE)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "bits"),
    [pytest.param("mlp", 8, marks=pytest.mark.xdist_group("mlp")),
     pytest.param("mlp", 4, marks=pytest.mark.xdist_group("mlp")),
     pytest.param("cnn", 8, marks=pytest.mark.xdist_group("cnn"))],
)  # fmt: skip
def test_every_bound_holds(name: str, bits: int) -> None:
    for fit in converted(name, bits).layers:
        assert fit.loss >= fit.bound, fit.name
        assert fit.quantised_loss >= fit.bound, fit.name


@pytest.mark.xdist_group("cartpole")
def test_the_policy_balances_as_long_as_the_ann() -> None:
    conversion = converted("cartpole")
    ann = episode_returns(conversion.ann.predict, SEEDS, EPISODES)
    chip = episode_returns(lambda x: emulate(conversion.program, x).outputs, SEEDS, EPISODES)
    assert ann.shape == chip.shape == (len(SEEDS), EPISODES)
    assert chip.mean() >= 0.95 * ann.mean()


@pytest.mark.xdist_group("mlp")
def test_the_weight_copy_is_always_among_the_candidates() -> None:
    conversion = converted("mlp")
    scores = conversion.candidates
    chosen, copy = scores[conversion.chosen], scores["copy"]
    close = [score["divergence"] for score in scores.values() if score["nmse"] <= copy["nmse"]]
    assert chosen["nmse"] <= copy["nmse"]
    assert chosen["divergence"] == min(close)
