"""Does a trained network go onto each chip, near to the ANN, within every register, as the twin computes it?"""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import spikeloom as sl
from numpy.typing import NDArray
from spikeloom.ann.graph import Ann
from spikeloom.ann.load import load_ann
from spikeloom.flows.conversion.layers import layer_search
from spikeloom.flows.conversion.layers.layer_task import LayerTask
from spikeloom.flows.conversion.layers.wrap_room import ENOUGH, bias_within_register, filled
from spikeloom.network.chip_layer import Synapses

# Ticks, and share of the test rows on which the chip says what the ANN says, at least (one row is 0.011).
CHIPS = {
    "open_core": (32, 0.97),
    "xylo_a2": (32, 0.97),
    "pcm_crossbar": (32, 0.97),
    "pcm_crossbar:adc": (32, 0.97),
    "tinyodin": (64, 0.95),
    "odin": (64, 0.95),
    "brainscales2": (48, 0.95),
    "dynap_se2": (128, 0.93),
    "ranc": (32, 0.95),
    "truenorth": (32, 0.95),
    "truenorth:strict": (32, 0.95),
}
Rows = NDArray[np.float64]


@pytest.fixture(scope="module")
def wine() -> tuple[Ann, Rows, Rows]:
    """A classifier of wines 13-16-3, the rows it learned from, and others."""
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    from sklearn.datasets import load_wine
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier

    x, y = load_wine(return_X_y=True)
    train, test, labels, _ = train_test_split(x, y, test_size=0.5, random_state=0, stratify=y)
    low, high = train.min(axis=0), train.max(axis=0)
    train, test = ((rows - low) / (high - low) for rows in (train, test))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = MLPClassifier((16,), max_iter=600, learning_rate_init=0.01, random_state=0).fit(train, labels)
    return load_ann(model), train, test


@pytest.mark.parametrize("chip", CHIPS)
def test_a_network_loses_little(chip: str, wine: tuple[Ann, Rows, Rows]) -> None:
    ann, train, test = wine
    ticks, alike = CHIPS[chip]
    conversion = sl.convert(ann, chip, calibration=train, ticks=ticks)
    run = sl.emulate(conversion.program, test, effects=())
    assert np.mean(run.outputs.argmax(axis=1) == ann.predict(test).argmax(axis=1)) >= alike
    assert {
        name: int(count.sum()) for name, count in run.rules.items() if ".wrap" in name and count.any()
    } == {}

    few = min(ticks, 40)  # the twin takes its time
    check = sl.crosscheck(conversion.program, test[:1], reference="twin", effects=(), ticks=few)
    assert check.equal, check.first_divergence
    assert check.compared["spikes"] > 5


@pytest.mark.parametrize(
    ("chip", "reason"),
    [
        ("brainscales2_matrix", "a threshold that no program"),
    ],
)
def test_a_chip_that_no_fit_knows_is_refused_by_name(
    chip: str, reason: str, wine: tuple[Ann, Rows, Rows]
) -> None:
    with pytest.raises(sl.FitError, match=f"profile {chip}: has {reason}.*SpikingNetwork"):
        sl.convert(wine[0], chip, calibration=wine[1])


def test_copies_of_a_neuron_count_once_in_a_validation(wine: tuple[Ann, Rows, Rows]) -> None:
    ann, train, test = wine
    conversion = sl.convert(ann, "ranc", calibration=train, ticks=16)
    report = sl.validate(conversion, test[:20], references=())
    assert conversion.network.populations["fc1"].size == 4 * 16  # an axon of each type for the layer behind
    assert [layer.name for layer in report.layers] == ["fc1", "fc2"]
    assert 0.9 < report.layers[0].correlation <= 1.0


def test_types_of_axons_survive_an_interruption(tmp_path: Path, wine: tuple[Ann, Rows, Rows]) -> None:
    ann, train, test = wine
    first, again = (
        sl.convert(
            ann, "ranc", calibration=train, ticks=16, axons_per_source=2, checkpoint=tmp_path / "half.npz"
        )
        for _ in range(2)
    )
    assert [fit.typed.sets.shape[1] for fit in again.layers if fit.typed] == [2, 2]
    outputs = [sl.emulate(one.program, test[:5]).outputs for one in (first, again)]
    assert np.array_equal(*outputs)


def test_a_membrane_that_wraps_has_room_left_on_the_calibration_rows(wine: tuple[Ann, Rows, Rows]) -> None:
    ann, train, test = wine
    conversion = sl.convert(ann, "ranc", calibration=train, ticks=24, axons_per_source=1)
    run = sl.emulate(conversion.program, train, record=["fc1.v", "fc2.v"])
    most = [int(np.abs(v).max()) for v in run.registers.values()]
    assert min(most) > 64 and max(most) <= 0.85 * 256
    assert not sl.emulate(conversion.program, test).rules["v.wrap"].any()


def test_a_bias_that_would_leave_the_register_is_not_taken(
    wine: tuple[Ann, Rows, Rows], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[LayerTask, layer_search.Candidate]] = []
    measured = layer_search._with_measured_bias
    monkeypatch.setattr(
        layer_search, "_with_measured_bias", lambda *given: seen.append(given) or measured(*given)
    )
    sl.convert(wine[0], "ranc", calibration=wine[1], ticks=24, axons_per_source=1)
    task, synapses = seen[0][0], Synapses.of(seen[0][1].fit)
    lower = synapses.bias - np.where(np.arange(synapses.bias.size) % 2, 0.5, 0.0)
    bias = bias_within_register(task, synapses, lower)
    assert filled(task, replace(synapses, bias=lower)).max() > 1.0
    assert filled(task, replace(synapses, bias=bias)).max() <= ENOUGH
    assert (bias != lower).any() and np.isin(bias - synapses.bias, lower - synapses.bias).all()


def test_where_a_source_has_one_sign_a_neuron_has_a_copy_for_either(wine: tuple[Ann, Rows, Rows]) -> None:
    ann, train, test = wine
    conversion = sl.convert(ann, "odin", calibration=train, ticks=24)
    network = conversion.network
    first, behind = (next(p for p in network.projections if p.source == name) for name in ("input", "fc1"))
    assert network.profile.event is not None
    assert network.profile.event.receptors[first.receptor] == "virtual"  # brings its own sign
    assert (behind.weights[:16] >= 0).all() and (behind.weights[16:] <= 0).all()
    assert np.array_equal(behind.weights[:16] + behind.weights[16:], conversion.layers[1].codes)
    counts = sl.emulate(conversion.program, test[:10]).counts["fc1"]
    assert counts.any() and np.array_equal(counts[:, :16], counts[:, 16:])


def test_where_two_copies_of_each_neuron_are_too_many_each_has_one_sign(
    tmp_path: Path, wine: tuple[Ann, Rows, Rows]
) -> None:
    ann, train, test = wine
    small = sl.load_profile("odin", override={"limits.neurons_per_core": 32})
    half = tmp_path / "half.npz"
    conversion, again = (
        sl.convert(ann, small, calibration=train, ticks=16, checkpoint=half) for _ in range(2)
    )
    assert conversion.network.populations["fc1"].size == 16
    behind = next(p for p in conversion.network.projections if p.source == "fc1").weights
    assert not ((behind > 0).any(axis=1) & (behind < 0).any(axis=1)).any()
    assert (behind > 0).any() and (behind < 0).any()
    signs, read = conversion.layers[1].signs, again.layers[1].signs
    assert conversion.layers[0].signs is None  # events of the input bring their own
    assert signs is not None and read is not None and np.array_equal(signs.signs, read.signs)
    assert conversion.layers[1].report() == again.layers[1].report()
    assert sl.crosscheck(conversion.program, test[:1], reference="twin").equal
    assert sl.explain(ann, small).fits


def test_one_sign_can_be_asked_for_and_not_even_that_fits_a_smaller_core(
    wine: tuple[Ann, Rows, Rows],
) -> None:
    ann, train, _ = wine
    conversion = sl.convert(ann, "odin", calibration=train, ticks=16, axons_per_source=1)
    assert conversion.network.populations["fc1"].size == 16
    smaller = sl.load_profile("odin", override={"limits.neurons_per_core": 16})
    with pytest.raises(sl.PlacementError, match="neurons.*limits.neurons_per_core"):
        sl.convert(ann, smaller, calibration=train, ticks=16)


def test_plain_rounding_is_made_when_asked_for_and_never_chosen(wine: tuple[Ann, Rows, Rows]) -> None:
    ann, train, _ = wine
    coarse = sl.load_profile("loihi1", override={"weights.bits": 2})
    without = sl.convert(ann, coarse, calibration=train)
    with_it = sl.convert(ann, coarse, calibration=train, plain_rounding=True)
    assert set(with_it.programs) - set(without.programs) == {"plain"}
    assert with_it.chosen == without.chosen
    assert with_it.candidates["plain"]["nmse"] > with_it.candidates[with_it.chosen]["nmse"]
