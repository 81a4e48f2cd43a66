"""Are integer weights, solved against the gains of one chip, legal, and as good as they are on the perfect chip?"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from flows.conversions import small_image_net
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import FitError
from spikeloom.flows.conversion.synapse_list import SynapseList
from spikeloom.flows.conversion.tuning.chip_loop import ways_to_tune
from spikeloom.flows.conversion.tuning.code_tuning import tuned_by_codes
from spikeloom.flows.conversion.tuning.layer_groups import groups_of, weights_of
from spikeloom.flows.conversion.tuning.neuron_tuning import tuned_by_neurons
from spikeloom.flows.convert import Conversion, convert
from spikeloom.flows.crosscheck import crosscheck
from spikeloom.profile.catalog import load_profile
from spikeloom.profile.schema import Profile

CHIP, SPREAD = 3, 0.2
ROWS = np.random.default_rng(0).random((150, 7, 7, 1))
UNSEEN = np.random.default_rng(5).random((100, 7, 7, 1))


def hybrid(scope: str = "synapse", **changes: Any) -> Profile:
    """The ideal neuron behind synapses of four bits, with mismatch of weights, thresholds and biases."""
    kinds = (("weights", "weight", scope), ("thresholds", "vth", "neuron"), ("biases", "bias", "neuron"))
    entries = [
        {
            "name": name,
            "kind": "mismatch",
            "of": of,
            "scope": which,
            "distribution": "lognormal",
            "cv": SPREAD,
        }
        for name, of, which in kinds
    ]
    integers = {"chip.synapse": "digital", "weights.formula": "int", "weights.bits": 4,
                "weights.mode": [{"name": "signed", "min": -7, "max": 7}]}  # fmt: skip
    return load_profile("ideal", override={"imperfection": entries, **integers, **changes})


@cache
def converted() -> Conversion:
    return convert(small_image_net(), hybrid(), calibration=ROWS, ticks=32, chip_seed=CHIP)


def error(outputs: np.ndarray) -> float:
    wanted = small_image_net().predict(UNSEEN)
    return float(((outputs - wanted) ** 2).mean() / wanted.var())


def test_a_conversion_for_a_chip_solves_its_codes_anew_and_is_still_proven() -> None:
    conversion = converted()
    chip: dict[str, Any] = conversion.program.report["chip"]
    assert (conversion.program.chip_seed, chip["chosen"]) == (CHIP, "codes")
    assert chip["nmse"]["codes"] < chip["nmse"]["neurons"] < chip["nmse"]["nominal"]
    rows = 150 - 30  # a fifth judges
    probes = 49 + 108 + 10 + 3 + 2 * 2 + 3  # sources, a rest each, thresholds, biases
    assert chip["runs"]["codes"] == probes + 3 * rows  # two layers that fire, and the outputs read anew
    assert crosscheck(conversion.program, ROWS[:2], reference="twin").equal


def test_on_its_own_chip_it_is_nearly_as_good_as_the_perfect_one_and_on_no_other() -> None:
    """Within half as much again of what four bits cost without mismatch, a small part of what mismatch costs."""
    conversion = converted()
    plain, tuned = conversion.programs["chip nominal"], conversion.program
    perfect, nominal = (
        error(emulate(plain, UNSEEN, effects=()).outputs),
        error(emulate(plain, UNSEEN).outputs),
    )
    assert error(emulate(tuned, UNSEEN).outputs) < 1.5 * perfect < 0.1 * nominal
    assert error(emulate(tuned, UNSEEN, chip_seed=CHIP + 1).outputs) > 10 * perfect


def test_codes_stay_codes_and_every_synapse_in_its_place() -> None:
    plain, tuned = converted().programs["chip nominal"], converted().program
    before, after = SynapseList.of(plain), SynapseList.of(tuned)
    assert np.array_equal(before.source, after.source)
    assert np.array_equal(before.target, after.target)
    assert tuned.arrays.codes.dtype == np.int32
    assert np.abs(after.weights).max() <= 7
    assert np.abs(after.weights).max() == 7
    same = tuned_by_codes(plain, converted().ideal["fitted"], ROWS, CHIP).program
    again = tuned_by_codes(plain, converted().ideal["fitted"], ROWS, CHIP, threads=2).program
    assert np.array_equal(same.arrays.codes, again.arrays.codes)


def test_one_percent_of_noise_in_what_is_measured_costs_little() -> None:
    plain, perfect = converted().programs["chip nominal"], converted().ideal["fitted"]
    noisy = tuned_by_codes(plain, perfect, ROWS, CHIP, noise=0.01, seed=1)
    neurons = tuned_by_neurons(plain, ROWS, CHIP)
    assert error(emulate(noisy.program, UNSEEN).outputs) < error(emulate(neurons.program, UNSEEN).outputs)


def test_neurons_are_grouped_by_their_sources() -> None:
    program = converted().program
    synapses, lines = SynapseList.of(program), program.n_inputs
    conv, fc, _ = (placed.neurons.astype(np.int64) for placed in program.populations)
    groups = list(groups_of(synapses, conv))
    assert (len(groups), {group.synapses.shape for group in groups}) == (36, {(4, 3)})
    (dense,) = groups_of(synapses, fc)
    assert np.array_equal(dense.sources, lines + np.sort(conv))
    assert (synapses.source[dense.synapses] == dense.sources[:, None]).all()
    assert (synapses.target[dense.synapses] == dense.neurons).all()


def test_another_network_s_weights_are_refused() -> None:
    conversion = converted()
    program, other = conversion.program, conversion.ideal["fitted"]
    fewer = SynapseList.of(program)
    cut = SynapseList(fewer.source[1:], fewer.target[1:], fewer.weights[1:])
    with pytest.raises(FitError, match="has other synapses than the chip's"):
        weights_of(other, program, cut)


def test_where_a_gain_hangs_on_the_sign_of_a_weight_only_neurons_are_tuned() -> None:
    assert ways_to_tune(hybrid()) == ("codes", "neurons")
    assert ways_to_tune(hybrid("row")) == ("neurons",)
    assert ways_to_tune(hybrid(**{"operation.fire.reset": "zero"})) == ("neurons",)
