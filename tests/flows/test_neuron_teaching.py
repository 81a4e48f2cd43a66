"""Do gains and offsets of all neurons, taught together, do more than each matched alone, and by the right slopes?"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from flows.conversions import small_image_net
from flows.test_chip_loop import CHIP, error, uneven
from spikeloom.emulation.emulate import emulate
from spikeloom.flows.conversion.answer_loss import answer_loss
from spikeloom.flows.conversion.synapse_list import with_values
from spikeloom.flows.conversion.tuning import neuron_teaching, neuron_tuning
from spikeloom.flows.conversion.tuning.bench import Bench, Tuned
from spikeloom.flows.conversion.tuning.neuron_teaching import can_teach_neurons
from spikeloom.flows.conversion.tuning.neuron_tuning import tuned_by_neurons
from spikeloom.flows.conversion.tuning.perfect_run import SAMPLES, PerfectRun
from spikeloom.flows.conversion.tuning.upstream import driven_only_by, upstream_of
from spikeloom.flows.convert import convert
from spikeloom.profile.catalog import load_profile
from spikeloom.program.program import ChipProgram
from tolerances import SLOPE_BY_DIFFERENCE

ROWS = np.random.default_rng(0).random((1000, 7, 7, 1))
UNSEEN = np.random.default_rng(5).random((300, 7, 7, 1))


@cache
def program() -> ChipProgram:
    return convert(small_image_net(), uneven(), calibration=ROWS[:150], ticks=32).program


@cache
def perfect() -> PerfectRun:
    return PerfectRun.of(program(), ROWS)


def test_knobs_taught_together_leave_less_error_than_knobs_matched_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = emulate(program(), UNSEEN, effects=()).outputs
    taught: list[Tuned] = [tuned_by_neurons(program(), perfect(), chip) for chip in (3, 4)]
    monkeypatch.setattr(neuron_tuning, "can_teach_neurons", lambda _: False)
    alone = [tuned_by_neurons(program(), perfect(), chip) for chip in (3, 4)]
    left = [[error(emulate(one.program, UNSEEN).outputs, wanted) for one in some] for some in (taught, alone)]
    assert all(mine < theirs for mine, theirs in zip(*left, strict=True))
    assert np.mean(left[0]) < 0.9 * np.mean(left[1])
    assert taught[0].runs == alone[0].runs + 20 * 100 + 2 * SAMPLES


def test_slopes_are_those_of_a_long_run() -> None:
    """In a long run a count is all but straight in a knob, so that the loss has the slope of its differences."""
    ticks, rows = 4000, np.arange(4)
    long = replace(program(), ticks=ticks, chip_seed=None)
    port = long.outputs[0]
    long = replace(long, outputs=(replace(port, scale=np.asarray(port.scale) * 32 / ticks),))
    wanted = emulate(program(), ROWS[:4], effects=()).outputs + 0.3
    bench = _Perfect(long, ROWS[:4], None)
    lesson = neuron_teaching._Lesson.of(long, wanted)
    found = lesson.slopes(bench, rows)
    theta, bias = (long.arrays.params[name] for name in ("vth", "bias"))

    def loss(**params: np.ndarray) -> float:
        outputs = emulate(with_values(long, None, params), ROWS[:4], effects=()).outputs
        return answer_loss(outputs, wanted, lesson.spread)[0]

    least = 0.1 * min(float(np.abs(each).max()) for each in found[:2])
    strongest = [int(np.argmax(np.abs(each * (np.arange(each.size) < 118)))) for each in found[:2]]
    for neuron in {*strongest, 110, 117}:
        step = 0.01 * (np.arange(theta.size) == neuron)
        by_threshold = (loss(vth=theta * np.exp(step)) - loss(vth=theta * np.exp(-step))) / 0.02
        by_bias = (loss(bias=bias + step * theta) - loss(bias=bias - step * theta)) / 0.02
        for got, slope in ((found[0][neuron], by_threshold), (found[1][neuron], by_bias)):
            assert got == pytest.approx(slope, rel=SLOPE_BY_DIFFERENCE, abs=SLOPE_BY_DIFFERENCE * least)


class _Perfect(Bench):
    """A bench of the perfect chip."""

    def _run(self, given, rows):  # type: ignore[no-untyped-def]
        return emulate(given, rows, effects=())


def test_few_samples_are_no_lesson_and_threads_change_nothing() -> None:
    few = tuned_by_neurons(program(), ROWS[:49], CHIP)
    one, two = (tuned_by_neurons(program(), ROWS[:200], CHIP, threads=threads) for threads in (1, 2))
    assert one.runs > few.runs
    for name in ("vth", "bias"):
        assert np.array_equal(one.program.arrays.params[name], two.program.arrays.params[name])
    assert np.array_equal(one.program.outputs[0].scale, two.program.outputs[0].scale)


def test_a_lesson_that_makes_it_worse_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(replace(program(), chip_seed=CHIP), ROWS[:300], None)
    before = bench.program
    monkeypatch.setattr(neuron_teaching, "RATE", 3.0)
    neuron_teaching.teach_neurons(bench, perfect().outputs[:300])
    assert bench.program is before


def test_neurons_that_do_more_than_add_up_are_not_taught() -> None:
    assert can_teach_neurons(program())
    reset = load_profile("ideal", override={"operation.fire.reset": "zero"})
    assert not can_teach_neurons(replace(program(), profile=reset))
    assert not can_teach_neurons(replace(program(), profile=load_profile("loihi1")))


def test_a_population_counts_the_same_where_nothing_follows_it() -> None:
    conv, fc, _ = program().populations
    drivers = upstream_of(program(), fc)
    assert np.array_equal(np.flatnonzero(drivers), np.sort(conv.neurons))
    assert not upstream_of(program(), conv).any()
    whole = emulate(program(), UNSEEN[:20], chip_seed=CHIP)
    for placed in (conv, fc):
        cut = driven_only_by(program(), upstream_of(program(), placed))
        run = emulate(cut, UNSEEN[:20], chip_seed=CHIP)
        assert np.array_equal(run.counts[placed.name], whole.counts[placed.name])
        assert run.events["synaptic_operations"].sum() < whole.events["synaptic_operations"].sum()
