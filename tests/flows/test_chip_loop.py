"""Is what is measured on a chip what the chip has, and does a network tuned to it answer like on the perfect one?"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from flows.conversions import small_image_net
from spikeloom.emulation.emulate import emulate
from spikeloom.emulation.instance import ChipChoice, instance_of
from spikeloom.errors import FitError
from spikeloom.flows.conversion.synapse_list import SynapseList
from spikeloom.flows.conversion.tuning.chip_loop import tuned_by_synapses
from spikeloom.flows.conversion.tuning.chip_probe import probe_chip
from spikeloom.flows.conversion.tuning.neuron_tuning import tuned_by_neurons
from spikeloom.flows.convert import Conversion, convert
from spikeloom.flows.crosscheck import crosscheck
from spikeloom.profile.catalog import load_profile
from spikeloom.profile.schema import Profile
from tolerances import FLOAT64

CHIP = 3
ROWS = np.random.default_rng(0).random((150, 7, 7, 1))


def uneven(spread: float = 0.2) -> Profile:
    """The ideal chip with mismatch of weights, thresholds and biases."""
    kinds = (("weights", "weight", "synapse"), ("thresholds", "vth", "neuron"), ("biases", "bias", "neuron"))
    entries = [
        {
            "name": name,
            "kind": "mismatch",
            "of": of,
            "scope": scope,
            "distribution": "lognormal",
            "cv": spread,
        }
        for name, of, scope in kinds
    ]
    return load_profile("ideal", override={"imperfection": entries})


@cache
def converted(chip_seed: int | None = None) -> Conversion:
    return convert(small_image_net(), uneven(), calibration=ROWS, ticks=32, chip_seed=chip_seed)


def error(got: np.ndarray, wanted: np.ndarray) -> float:
    return float(((got - wanted) ** 2).mean() / wanted.var())


def test_every_synapse_is_listed_where_it_is() -> None:
    program = converted().program
    synapses = SynapseList.of(program)
    lines = len(program.arrays.input_fan_start) - 1
    (conv, fc) = (placed.neurons.astype(np.int64) for placed in program.populations[:2])
    assert synapses.weights.size == 108 * 4 + 108 * 10 + 10 * 3
    matrix = synapses.matrix(np.arange(lines), conv).toarray()
    assert ((matrix != 0).sum(axis=0) == 4).all()
    fully = synapses.matrix(lines + conv, fc).toarray().reshape(6, 6, 3, 10)
    assert np.array_equal(fully[0::2], fully[1::2])  # a window of the pool has one weight
    assert np.array_equal(fully[:, 0::2], fully[:, 1::2])


def test_what_is_measured_is_what_the_chip_has() -> None:
    program = converted().program
    synapses = SynapseList.of(program)
    found = probe_chip(program, synapses, CHIP)
    names = tuple(entry.name for entry in program.profile.imperfection)
    truth = instance_of(program, ChipChoice(CHIP, 0.0, names))
    assert truth.synapses is not None
    assert found.weights == pytest.approx(truth.synapses.weights, rel=FLOAT64, abs=FLOAT64)
    assert np.abs(found.weights / synapses.weights - 1.0).max() > 0.3
    assert found.biases == pytest.approx(truth.params["bias"], rel=FLOAT64, abs=FLOAT64)
    firing = np.concatenate([placed.neurons for placed in program.populations[:2]])
    assert found.thresholds[firing] == pytest.approx(truth.params["vth"][firing], rel=FLOAT64)
    assert found.runs == 49 + 108 + 10 + 3 + 2 * 2 + 3  # sources, a rest each, thresholds, biases


def test_a_noisy_measurement_is_off_by_what_it_was_told() -> None:
    program = converted().program
    synapses = SynapseList.of(program)
    exact = probe_chip(program, synapses, CHIP)
    noisy = probe_chip(program, synapses, CHIP, noise=0.01, seed=1)
    off = (noisy.weights - exact.weights) / np.abs(synapses.weights)
    assert 0.009 < off.std() < 0.011


def test_a_tuned_network_answers_like_the_perfect_chip_and_only_on_its_own() -> None:
    program = converted().program
    unseen = np.random.default_rng(5).random((100, 7, 7, 1))
    perfect = emulate(program, unseen, effects=()).outputs
    nominal = error(emulate(program, unseen, chip_seed=CHIP).outputs, perfect)
    exact, noisy = tuned_by_synapses(program, CHIP), tuned_by_synapses(program, CHIP, noise=0.01)
    neurons = tuned_by_neurons(program, ROWS, CHIP)
    assert emulate(exact.program, unseen).outputs == pytest.approx(perfect, abs=1e-6)
    assert error(emulate(noisy.program, unseen).outputs, perfect) < 0.05 * nominal
    assert error(emulate(neurons.program, unseen).outputs, perfect) < 0.5 * nominal
    assert error(emulate(exact.program, unseen, chip_seed=CHIP + 1).outputs, perfect) > 0.5 * nominal


def test_a_conversion_for_a_chip_is_tuned_to_it_says_what_that_took_and_is_still_proven() -> None:
    conversion = converted(CHIP)
    chip: dict[str, Any] = conversion.program.report["chip"]
    assert (conversion.program.chip_seed, chip["chosen"]) == (CHIP, "synapses")
    assert chip["nmse"]["synapses"] < chip["nmse"]["neurons"] < chip["nmse"]["nominal"]
    assert chip["runs"] == {"synapses": 177, "neurons": chip["runs"]["neurons"], "nominal": 0}
    assert crosscheck(conversion.program, ROWS[:2], reference="twin").equal


@pytest.mark.parametrize(
    ("profile", "words"),
    [("ideal", "has no chip instances to fit"), ("loihi1", "has no chip instances to fit")],
)
def test_chips_that_are_all_alike_have_no_instance_to_fit(profile: str, words: str) -> None:
    with pytest.raises(FitError, match=words):
        convert(converted().ann, profile, calibration=ROWS, chip_seed=0)


def test_the_progress_counts_both_ways_of_tuning() -> None:
    told: list[tuple[str, int, int]] = []
    net = converted().ann
    convert(
        net, uneven(), calibration=ROWS[:40], ticks=16, chip_seed=1, progress=lambda *one: told.append(one)
    )
    assert [stage for stage, _, _ in told[-2:]] == ["chip 1 by synapses", "chip 1 by neurons"]
    assert [done for _, done, _ in told] == list(range(1, told[-1][2] + 1))


@pytest.mark.parametrize("chip_seed", [-1, 2**32, True, 1.5])
def test_chip_seeds_that_are_none_are_refused(chip_seed: Any) -> None:
    with pytest.raises(FitError, match="chip_seed: must be a whole number of 32 bits"):
        convert(converted().ann, uneven(), calibration=ROWS, chip_seed=chip_seed)


def test_a_neuron_that_does_not_subtract_its_threshold_is_tuned_without_its_synapses() -> None:
    entries = [{"name": "w", "kind": "mismatch", "of": "weight", "scope": "synapse", "distribution": "normal",
                "cv": 0.1}]  # fmt: skip
    profile = load_profile("ideal", override={"imperfection": entries, "operation.fire.reset": "zero"})
    conversion = convert(converted().ann, profile, calibration=ROWS, chip_seed=0)
    chip: dict[str, Any] = conversion.program.report["chip"]
    assert (set(chip["nmse"]), chip["chosen"]) == ({"neurons", "nominal"}, "neurons")
