"""Is a conversion judged on unseen rows alone, and does every figure say what its name says?"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import SpikeloomError
from spikeloom.flows.convert import Conversion, convert
from spikeloom.flows.rows import draw_calibration, judged_rows, row_hashes
from spikeloom.flows.validate import validate
from spikeloom.flows.validation.scoring import BOOTSTRAP, explained, make_scorer, wilson
from spikeloom.report.validation import Validation

TICKS, INPUTS, CLASSES = 12, 5, 3


def rows(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.0, 1.0, (count, INPUTS))


@cache
def converted(profile: str = "loihi1") -> Conversion:
    """A random network of two layers; units 0 and 1 are alike and unit 2 never fires."""
    rng = np.random.default_rng(5)
    first = rng.normal(size=(INPUTS, 10))
    bias = rng.normal(size=10) / 10
    first[:, 1], bias[1] = first[:, 0], bias[0]
    first[:, 2], bias[2] = -1.0, -1.0
    hidden = AnnLayer("fc1", first, bias, "relu", (INPUTS,), (10,))
    second = rng.normal(size=(10, CLASSES))
    last = AnnLayer("fc2", second, np.zeros(CLASSES), "identity", (10,), (CLASSES,))
    ann = Ann("net", (INPUTS,), (hidden, last), None, np.arange(INPUTS))
    return convert(ann, profile, calibration=rows(150, 1), ticks=TICKS, encoding="rate")


@cache
def labels() -> np.ndarray:
    """The ANN's answers on the judged rows, a tenth of them made wrong."""
    answers = converted().ann.predict(rows(80)).argmax(axis=1)
    answers[::10] = (answers[::10] + 1) % CLASSES
    return answers


@cache
def judged(profile: str = "loihi1") -> Validation:
    return validate(converted(profile), rows(80), labels())


def test_stages_run_from_the_ann_to_the_chip_with_the_scores_of_their_outputs() -> None:
    found, conversion = judged(), converted()
    assert [stage.name for stage in found.stages] == ["imported", "fitted", "quantised", "emulated"]
    assert found.stage("imported").score == pytest.approx(0.9)
    outputs = emulate(conversion.program, rows(80)).outputs
    right = (outputs.argmax(axis=1) == labels()).sum()
    emulated = found.stage("emulated")
    assert emulated.score == right / 80
    assert (emulated.low, emulated.high) == wilson(int(right), 80)
    wanted = conversion.ann.predict(rows(80))
    assert found.agreement == (outputs.argmax(axis=1) == wanted.argmax(axis=1)).mean()
    assert emulated.nmse == pytest.approx(((outputs - wanted) ** 2).mean() / wanted.var(axis=0).mean())
    with pytest.raises(SpikeloomError, match="stage none: does not exist"):
        found.stage("none")


def test_on_the_ideal_chip_nothing_is_lost_behind_the_fit() -> None:
    conversion, x = converted("ideal"), rows(20)
    on_the_grid, on_the_chip = conversion.ideal["quantised"], conversion.program
    assert np.array_equal(emulate(on_the_grid, x).outputs, emulate(on_the_chip, x).outputs)
    assert on_the_grid.profile.name == "ideal"
    assert converted("loihi1").ideal["fitted"].profile.name == "ideal+operation.fire.reset=zero"


def test_the_stages_before_the_chip_are_as_near_to_the_ann_as_the_chip_is() -> None:
    errors = {stage.name: stage.nmse for stage in judged().stages}
    assert errors["imported"] == 0.0
    assert 0.0 < errors["fitted"] < 2 * errors["emulated"]
    assert 0.0 < errors["quantised"] < 2 * errors["emulated"]


def test_copies_of_a_neuron_are_neither_duplicates_nor_other_units() -> None:
    """On ranc a neuron that drives four axons is there four times."""
    found = validate(converted("ranc"), rows(80), references=())
    first = found.layers[0]
    assert first.neurons == 4 * 10
    assert first.correlation > 0.95
    assert first.error < 0.2
    assert first.duplicates <= 2  # unit 1 is like unit 0; the one that never fires counts as dead
    copies = emulate(converted("ranc").program, rows(80)).counts["fc1"].reshape(80, 4, 10)
    assert (copies == copies[:, :1]).all()
    assert first.dead == (copies[:, 0].sum(axis=0) == 0).sum()


def test_rows_that_calibrated_are_found_and_not_scored() -> None:
    seen, fresh = rows(150, 1)[:7], rows(20)
    mixed = np.concatenate([fresh[:5], seen, fresh[5:]])
    found = validate(converted(), mixed, references=())
    assert (found.data.judged, found.data.repeated, found.data.calibrated) == (20, 7, 150)
    assert found.stages == validate(converted(), fresh, references=()).stages
    with pytest.raises(SpikeloomError, match="only rows that calibrated"):
        validate(converted(), seen, references=())


def test_a_hash_sees_numbers_not_types() -> None:
    whole = np.array([[0, 1], [2, 3]])
    assert (
        row_hashes(whole) == row_hashes(whole.astype(np.float32)) == row_hashes(np.array([[-0.0, 1], [2, 3]]))
    )
    assert len(set(row_hashes(rows(50)))) == 50


@pytest.mark.parametrize(("count", "expected"), [(2, 1), (101, 50), (9000, 2000)])
def test_calibration_is_drawn_by_a_fixed_seed_and_never_more_than_half(count: int, expected: int) -> None:
    drawn = draw_calibration(np.zeros((count, 1)))
    assert len(set(drawn.tolist())) == expected
    assert np.array_equal(drawn, draw_calibration(np.ones((count, 3))))
    assert np.array_equal(drawn, np.sort(drawn))


def test_a_single_row_cannot_be_split() -> None:
    with pytest.raises(SpikeloomError, match="too few"):
        draw_calibration(np.zeros((1, 4)))


def test_outputs_read_early_are_those_of_a_shorter_run() -> None:
    curve, conversion = judged().curve, converted()
    assert curve.ticks.tolist() == list(range(1, TICKS + 1))
    for tick, score in zip(curve.ticks.tolist(), curve.score, strict=True):
        outputs = emulate(conversion.program, rows(80), ticks=tick).outputs
        assert score == (outputs.argmax(axis=1) == labels()).mean()
    assert curve.score[-1] == judged().stage("emulated").score


def test_idle_neurons_and_spikes_are_those_of_the_counts() -> None:
    counts = emulate(converted().program, rows(80)).counts["fc1"]
    layer = judged().layers[0]
    alive = counts[:, counts.any(axis=0)]
    assert layer.dead == 10 - alive.shape[1] >= 1
    assert layer.duplicates == alive.shape[1] - len(np.unique(alive, axis=1).T) >= 1
    assert layer.spikes == pytest.approx(counts.sum(axis=1).mean())
    assert (layer.name, layer.neurons, layer.cores) == ("fc1", 10, 1)


def test_a_layer_that_answers_as_the_ann_correlates_and_errs_little() -> None:
    for layer in judged().layers:
        assert 0.9 < layer.correlation <= 1.0
        assert 0.0 < layer.error < 0.3
    assert judged().layers[-1].error == pytest.approx(judged().stage("emulated").nmse)


def test_both_references_agree_and_one_alone_may_be_asked() -> None:
    assert {name: check.equal for name, check in judged().checks.items()} == {"twin": True, "brian2": True}
    assert judged().ok
    assert list(validate(converted(), rows(5), references=["twin"]).checks) == ["twin"]


def test_work_is_that_of_the_run() -> None:
    run, work = emulate(converted().program, rows(80)), judged().work
    assert work.spikes == run.events["spikes"].mean()
    assert work.energy_j == pytest.approx((run.energy.total_j or 0.0) / 80)
    assert work.energy_status == "secondary"


def test_without_labels_the_score_is_the_agreement() -> None:
    found = validate(converted(), rows(30), references=())
    assert found.score_name == "agreement"
    assert all(stage.score == stage.agreement for stage in found.stages)


def test_numbers_are_scored_by_r2_and_own_scores_by_bootstrap() -> None:
    wanted = converted().ann.predict(rows(40))
    found = validate(converted(), rows(40), wanted, references=())
    assert found.score_name == "R2"
    assert found.interval == BOOTSTRAP
    last = found.stage("emulated")
    assert last.score == pytest.approx(1 - last.nmse)
    assert last.low < last.score < last.high <= 1.0

    def closeness(outputs: np.ndarray, labels: np.ndarray) -> float:
        return -float(np.abs(outputs - labels).mean())

    own = validate(converted(), rows(40), wanted, references=(), score=closeness)
    assert own.score_name == "closeness"
    assert own.stage("imported").score == 0.0
    assert own.stage("emulated").score < 0.0


def test_r2_is_one_for_the_truth_and_zero_for_the_mean() -> None:
    truth = rows(20)
    assert explained(truth, truth) == 1.0
    assert explained(np.broadcast_to(truth.mean(axis=0), truth.shape), truth) == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("right", "of", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)]
)
def test_wilson_gives_the_published_intervals(right: int, of: int, low: float, high: float) -> None:
    assert wilson(right, of) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (np.zeros(79, dtype=int), "labels: are not one a row"),
        (np.full(80, 3), "labels: name a class that has no output; got"),
        (np.full(80, 0.5), "labels: are neither"),
        (np.full((80, 1), 0.5), "labels: are not whole numbers"),
        (np.zeros((80, 2)), "labels: are neither"),
    ],
)
def test_labels_that_fit_nothing_are_refused(wrong: np.ndarray, said: str) -> None:
    with pytest.raises(SpikeloomError, match=said):
        validate(converted(), rows(80), wrong)


def test_wrong_choices_are_refused_by_name() -> None:
    with pytest.raises(SpikeloomError, match="references: must be a list of known names; got nest"):
        validate(converted(), rows(5), references=["nest"])
    with pytest.raises(SpikeloomError, match="chips: must be a whole number"):
        validate(converted(), rows(5), chips=-1)
    with pytest.raises(SpikeloomError, match="score f: is not finite"):
        make_scorer(None, rows(5), _named_f).score(rows(5))
    with pytest.raises(SpikeloomError, match="inputs: need samples"):
        judged_rows(np.zeros(4), None, frozenset())


def _named_f(outputs: np.ndarray, labels: object) -> float:
    return float("nan")


_named_f.__name__ = "f"


def test_a_saved_report_holds_every_figure(tmp_path: Path) -> None:
    judged().save(tmp_path / "report.json")
    facts = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert facts["stages"][-1]["score"] == judged().stage("emulated").score
    assert facts["checks"]["brian2"]["equal"] is True
    assert facts["pictures"]["rasters"]["fc1"]["size"] == 10
    with pytest.raises(SpikeloomError, match="must end in"):
        judged().save(tmp_path / "report.pdf")
    with pytest.raises(SpikeloomError, match="cannot be written"):
        judged().save(tmp_path / "none" / "report.json")
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_pictures_show_what_was_run() -> None:
    views, conversion = judged().pictures, converted()
    run = emulate(conversion.program, rows(80)[:1], record=["fc1.spikes"])
    assert np.array_equal(
        np.stack([views.rasters["fc1"].ticks, views.rasters["fc1"].neurons], axis=1), run.spikes["fc1"][:, 1:]
    )
    assert sum(core.populations.get("fc1", 0) for core in views.cores) == 10
    assert views.codes["fc1"].counts.sum() == conversion.layers[0].codes.size
    response = views.responses["fc1"]
    assert (response.low <= response.middle).all()
    assert (response.middle <= response.high).all()
    assert views.cores[0].used["neurons"] == (10, 1024)


def test_neurons_that_share_a_signed_activation_are_held_against_their_parts() -> None:
    layers = (replace(converted().ann.layers[0], activation="tanh"), converted().ann.layers[1])
    ann = replace(converted().ann, layers=layers)
    conversion = convert(
        ann, "loihi1", calibration=rows(150, 1), ticks=24, encoding="rate", neurons_per_unit=2
    )
    found = validate(conversion, rows(40), references=())
    assert found.layers[0].neurons == 40
    assert found.layers[0].correlation > 0.9
    assert found.layers[0].error < 0.2


def test_clocks_are_those_of_a_run_in_cycles() -> None:
    cycles = emulate(converted().program, rows(80)[:4], timing="cycle").cycles
    assert cycles is not None
    assert judged().work.clocks == cycles.total.mean() > 0
    assert judged().work.clocks_are == "linear, modelled"


def test_a_difference_is_no_success() -> None:
    broken = {name: replace(check, equal=False) for name, check in judged().checks.items()}
    assert not replace(judged(), checks=broken).ok


def test_a_pruned_layer_is_held_against_the_nodes_that_were_kept() -> None:
    conversion = convert(
        converted().ann, "loihi1", calibration=rows(150, 1), ticks=TICKS, encoding="rate", sizes={"fc1": 6}
    )
    found = validate(conversion, rows(40), references=())
    assert found.layers[0].neurons == 6
    assert found.layers[0].correlation > 0.9
