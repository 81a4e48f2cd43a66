"""Does pruning to sizes or a budget give the sizes, keep the answers, and reach the chip?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.ann.load import load_ann
from spikeloom.bundled.load import load_bundle
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import FitError
from spikeloom.flows.conversion.dry_network import dry_network
from spikeloom.flows.conversion.smaller import answering, distillation, pruning
from spikeloom.flows.conversion.smaller.answering import Answering
from spikeloom.flows.conversion.smaller.budget import Budget, _at_sizes, sizes_within
from spikeloom.flows.conversion.smaller.distillation import distil
from spikeloom.flows.conversion.smaller.pruning import prune_network, size_curves
from spikeloom.flows.conversion.time_limit import TimeLimit
from spikeloom.flows.convert import convert
from spikeloom.flows.explain import explain
from spikeloom.placement.place import place
from spikeloom.profile.catalog import load_profile


def redundant_ann() -> Ann:
    """Of 20 hidden nodes eight say something of their own, the others mix two of them."""
    rng = np.random.default_rng(2)
    own = rng.normal(size=(6, 8))
    first = np.hstack([own, own[:, :1] * rng.uniform(0.5, 2.0, 12)])
    layers = (
        AnnLayer("fc1", first, np.full(20, 0.1), "relu", (6,), (20,)),
        AnnLayer("fc2", rng.normal(size=(20, 10)) / 3, np.zeros(10), "relu", (20,), (10,)),
        AnnLayer("out", rng.normal(size=(10, 3)) / 2, np.zeros(3), "identity", (10,), (3,)),
    )
    return Ann("redundant", (6,), layers, None, np.arange(6))


def samples(count: int) -> np.ndarray:
    return np.random.default_rng(count).uniform(-1.0, 1.0, (count, 6))


def share_lost(ann: Ann, smaller: Ann, x: np.ndarray) -> float:
    wanted = ann.predict(x)
    return float(np.mean((smaller.predict(x) - wanted) ** 2) / np.var(wanted))


def test_nodes_that_others_stand_in_for_go_without_loss() -> None:
    ann = redundant_ann()
    smaller, found = prune_network(ann, samples(300), {"fc1": 10})
    (fc1,) = found
    assert (fc1.name, fc1.of, fc1.kept.size, fc1.proven) == ("fc1", 20, 10, True)
    assert smaller.layers[0].output_shape == (10,)
    assert share_lost(ann, smaller, samples(200)) < 0.01
    rivals = [
        share_lost(ann, _keeping(ann, np.random.default_rng(k).choice(20, 10, False)), samples(200))
        for k in range(5)
    ]
    assert share_lost(ann, smaller, samples(200)) < min(rivals)


def _keeping(ann: Ann, kept: np.ndarray) -> Ann:
    """The network with these nodes of fc1 and the other nodes' weights struck out."""
    fc1, fc2, out = ann.layers
    layers = (
        AnnLayer("fc1", fc1.weights[:, kept], fc1.bias[kept], "relu", (6,), (kept.size,)),
        AnnLayer("fc2", fc2.weights[kept], fc2.bias, "relu", (kept.size,), (10,)),
        out,
    )
    return Ann("struck", (6,), layers, None, np.arange(6))


def test_a_smaller_network_converts_and_says_what_it_kept() -> None:
    ann = redundant_ann()
    conversion = convert(ann, "loihi1", calibration=samples(300), ticks=32, sizes={"fc1": 10, "fc2": 8})
    assert conversion.ann is ann
    assert [fit.kept.size for fit in conversion.layers] == [10, 8, 3]
    assert np.array_equal(conversion.layers[0].kept, conversion.pruned[0].kept)
    assert [layer["nodes"] for layer in conversion.program.report["pruned"]] == [10, 8]
    wanted = ann.predict(samples(101))
    got = emulate(conversion.program, samples(101)).outputs
    assert np.mean((got - wanted) ** 2) / np.var(wanted) < 0.2


def test_channels_are_pruned_and_the_bundled_cnn_keeps_its_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = load_bundle("cnn")
    monkeypatch.setattr(answering, "STEPS", 40)
    ann = load_ann(bundle.onnx_path)
    smaller, found = prune_network(ann, bundle.calibration[:600], {"conv1": 7, "conv2": 12})
    assert smaller.layers[0].output_shape[-1] == 7
    assert smaller.layers[2].input_shape[-1] == 12
    assert [layer.of for layer in found] == [8, 16]
    assert found[0].proven
    answers = [net.predict(bundle.inputs[:400]).argmax(axis=1) for net in (ann, smaller)]
    assert np.mean(answers[0] == answers[1]) > 0.9


def test_half_of_the_bundled_mlp_is_nearly_as_good_and_distilling_helps_at_a_quarter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answering, "STEPS", 100)
    bundle = load_bundle("mlp")
    ann, rows = load_ann(bundle.onnx_path), bundle.calibration
    accuracy = lambda net: 100 * float(np.mean(net.predict(bundle.inputs).argmax(axis=1) == bundle.labels))  # noqa: E731
    half, _ = prune_network(ann, rows, {"fc1": 100, "fc2": 50})
    quarter, _ = prune_network(ann, rows, {"fc1": 50, "fc2": 25})
    taught = distil(quarter, ann, rows, steps=300)
    assert accuracy(ann) - accuracy(half) < 1.0
    assert accuracy(ann) - accuracy(quarter) < 3.0
    assert share_lost(ann, taught, bundle.inputs) < share_lost(ann, quarter, bundle.inputs)


def test_distilling_is_never_worse_on_the_rows_held_out_and_the_same_for_a_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answering, "STEPS", 0)
    ann = redundant_ann()
    smaller, _ = prune_network(ann, samples(300), {"fc1": 4})
    taught, again = (distil(smaller, ann, samples(300), steps=60, seed=3) for _ in range(2))
    assert share_lost(ann, taught, samples(200)) < share_lost(ann, smaller, samples(200))
    for one, other in zip(taught.layers, again.layers, strict=True):
        assert np.array_equal(one.weights, other.weights)


def test_the_layer_and_the_one_behind_learn_the_answers_and_no_other_one_moves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ann, sizes = redundant_ann(), {"fc1": 4}
    taught, found = prune_network(ann, samples(300), sizes)
    monkeypatch.setattr(answering, "STEPS", 0)
    solved, same = prune_network(ann, samples(300), sizes)
    assert found[0].report() == same[0].report()  # the choice and its bound are those of the squared error
    assert share_lost(ann, taught, samples(200)) < share_lost(ann, solved, samples(200))
    assert np.array_equal(solved.layers[0].weights, ann.layers[0].weights[:, found[0].kept])
    moved = [not np.array_equal(*(net.layers[k].weights for net in (taught, solved))) for k in range(3)]
    assert moved == [True, True, False]


def test_answers_are_learned_before_the_last_activation() -> None:
    linear = redundant_ann()
    curved = replace(linear, layers=(*linear.layers[:2], replace(linear.layers[2], activation="tanh")))
    one, other = (prune_network(ann, samples(300), {"fc1": 6})[0] for ann in (linear, curved))
    assert all(np.array_equal(a.weights, b.weights) for a, b in zip(one.layers, other.layers, strict=True))


def test_kept_nodes_take_over_what_the_others_said() -> None:
    ann, sizes = redundant_ann(), {"fc1": 4}
    learner = Answering.of(ann, samples(300), 0)
    _, (fc1,) = prune_network(ann, samples(300), sizes)
    fewer = _keeping(ann, fc1.kept).layers
    behind = learner.learned(fewer, 1)
    both = learner.learned(behind, 0)
    lost = [share_lost(ann, replace(ann, layers=layers), samples(200)) for layers in (fewer, behind, both)]
    assert lost[2] < 0.9 * lost[1] < 0.9 * lost[0]


def test_all_that_moved_learn_once_more_beside_what_the_others_are_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ann, learn, made = redundant_ann(), Answering.learned, []

    def recorded(self: Answering, layers: tuple[AnnLayer, ...], index: int) -> tuple[AnnLayer, ...]:
        made.append((index, learn(self, layers, index)))
        return made[-1][1]

    monkeypatch.setattr(Answering, "learned", recorded)
    smaller, _ = prune_network(ann, samples(1000), {"fc1": 6, "fc2": 6})
    assert [index for index, _ in made] == [0, 1, 1, 2, 0, 1, 2]
    once = replace(ann, layers=made[3][1])
    assert share_lost(ann, smaller, samples(200)) < 0.95 * share_lost(ann, once, samples(200))


def test_a_layer_that_could_know_its_rows_by_heart_is_taught_mixtures_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ann, asked = redundant_ann(), []
    monkeypatch.setattr(answering, "learned", lambda layers, lesson: asked.append(lesson.teacher) or layers)
    for count in (39, 40):  # of 3 answers each, beside the 120 weights of fc1
        Answering.of(ann, samples(count), 0).learned(ann.layers, 0)
    Answering.of(ann, samples(40), 0).learned(ann.layers, 1)
    assert asked == [ann.layers, (), ()]


def test_layers_learn_from_no_more_numbers_than_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    ann, lessons = redundant_ann(), []
    monkeypatch.setattr(answering, "learned", lambda layers, lesson: lessons.append(lesson) or layers)
    monkeypatch.setattr(answering, "NUMBERS", 200)
    learner = Answering.of(ann, samples(100), 0)
    for index in (0, 1):
        learner.learned(ann.layers, index)
    assert [lesson.x.shape for lesson in lessons] == [(33, 6), (10, 20)]
    assert all(lesson.x.dtype == np.float32 for lesson in lessons)
    answers = np.maximum(lessons[1].x @ ann.layers[1].weights, 0.0) @ ann.layers[2].weights
    np.testing.assert_allclose(lessons[1].wanted, answers, rtol=1e-4, atol=1e-5)


def test_images_that_run_in_chunks_give_the_same_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = load_bundle("cnn")
    ann, rows = load_ann(bundle.onnx_path), bundle.calibration[:60]
    monkeypatch.setattr(pruning, "ROWS", 500)
    whole = pruning._selection(ann, ann.layers, 0, ann.flatten(rows), 0)
    monkeypatch.setattr(pruning, "CHUNK", 7)
    parts = pruning._selection(ann, ann.layers, 0, ann.flatten(rows), 0)
    np.testing.assert_allclose(parts.gram, whole.gram, rtol=1e-12)
    np.testing.assert_allclose(parts.moment, whole.moment, rtol=1e-9)


def test_the_trained_network_is_asked_about_mixtures_where_the_rows_are_fewer_than_the_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ann, asked = redundant_ann(), []
    monkeypatch.setattr(
        distillation, "learned", lambda layers, lesson: asked.append(lesson.teacher) or layers
    )
    weights = sum(layer.matrix.size for layer in ann.layers)
    for count in (weights - 1, weights):
        distil(ann, ann, samples(count))
    assert asked == [ann.layers, ()]


def test_curves_say_what_sizes_would_cost() -> None:
    curves = size_curves(redundant_ann(), samples(300))
    assert {name: curve.size for name, curve in curves.items()} == {"fc1": 21, "fc2": 11}
    assert curves["fc1"][8] < 0.02 < curves["fc1"][2]


@pytest.mark.parametrize(
    "budget", [Budget(neurons=23), Budget(synapses=150), Budget(neurons=30, synapses=200)]
)
def test_a_budget_is_kept_and_not_wasted(budget: Budget) -> None:
    ann = redundant_ann()
    sizes = sizes_within(ann, budget, load_profile("loihi1"))

    def used(fc1: int, fc2: int) -> tuple[int, int]:
        return fc1 + fc2 + 3, 6 * fc1 + fc1 * fc2 + 3 * fc2

    neurons, synapses = used(**sizes)
    assert budget.neurons is None or neurons <= budget.neurons
    assert budget.synapses is None or synapses <= budget.synapses
    more = used(sizes["fc1"] + 2, sizes["fc2"] + 1)
    over = [limit is not None and got > limit
            for got, limit in zip(more, (budget.neurons, budget.synapses), strict=True)]  # fmt: skip
    assert any(over)
    assert sizes_within(ann, Budget(neurons=1000), load_profile("loihi1")) == {"fc1": 20, "fc2": 10}


def test_a_budget_of_cores_is_kept_by_the_placed_network() -> None:
    ann, profile = redundant_ann(), load_profile("loihi1", override={"limits.neurons_per_core": 8})
    assert explain(ann, profile).cores == 6
    conversion = convert(ann, profile, calibration=samples(120), budget=Budget(cores=4))
    assert conversion.program.n_cores <= 4
    more = {name: size + 1 for name, size in sizes_within(ann, Budget(cores=4), profile).items()}
    assert place(dry_network(_at_sizes(ann, more), profile)).n_cores > 4
    with pytest.raises(FitError, match="over its budget with one node a layer"):
        sizes_within(ann, Budget(cores=2), profile)


def test_a_proof_ends_when_the_time_is_over_and_keeps_a_bound_that_holds() -> None:
    ann = redundant_ann()
    limit = TimeLimit(1e-9)
    _, cut = prune_network(ann, samples(300), {"fc1": 10}, limit=limit)
    _, whole = prune_network(ann, samples(300), {"fc1": 10})
    assert limit.is_over
    assert (cut[0].proven, whole[0].proven) == (False, True)
    assert 0.0 < cut[0].bound <= whole[0].error <= cut[0].error


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"sizes": {"fc9": 3}}, "layer 'fc9': is not in the network"),
        ({"sizes": {"fc1": 21}}, "limit 1 to 20"),
        ({"sizes": {"fc1": 0}}, "limit 1 to 20"),
        ({"sizes": {"fc1": 2.5}}, "limit 1 to 20"),
        ({"sizes": {"out": 2}}, "gives the outputs"),
        ({"sizes": {"fc1": 4}, "budget": Budget(neurons=20)}, "exclude one another"),
        ({"budget": Budget(neurons=4)}, "over its budget"),
        ({"distil": True}, "for a pruned network"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(FitError, match=words):
        convert(redundant_ann(), "loihi1", calibration=samples(60), **given)


@pytest.mark.parametrize("given", [{}, {"neurons": 0}, {"synapses": 2.5}, {"neurons": True}])
def test_empty_budgets_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(FitError, match="budget"):
        Budget(**given)


def test_too_few_rows_are_a_warning() -> None:
    _, found = prune_network(redundant_ann(), samples(30), {"fc1": 10})
    assert "30 rows for 10 columns" in found[0].warning
