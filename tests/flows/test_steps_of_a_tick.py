"""Where a chip divides its tick into steps: are curves and rasters those of ticks?"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import spikeloom as sl
from spikeloom.emulation.recording import Recording
from spikeloom.flows.validation.pictures import _neuron, _raster, trace
from spikeloom.flows.validation.scoring import make_scorer
from spikeloom.flows.validation.tick_curve import output_record, tick_curve

TICKS = 10


@cache
def program(read: str) -> sl.ChipProgram:
    rng = np.random.default_rng(1)
    network = sl.SpikingNetwork("brainscales2")
    source = network.input("in", 6)
    hidden, out = network.population("hidden", 8), network.population("out", 3)
    network.connect(source, hidden, rng.integers(-10, 40, (6, 8)))
    network.connect(hidden, out, rng.integers(0, 40, (8, 3)))
    network.output(out, read=read)
    return sl.place(network, ticks=TICKS)


@cache
def rows() -> np.ndarray:
    rng = np.random.default_rng(2)
    return (rng.random((40, TICKS, 6)) < rng.uniform(0.1, 0.8, (40, 1, 6))).astype(np.uint8)


def recorded(read: str) -> Recording:
    return sl.emulate(program(read), rows(), effects=(), record=output_record(program(read)))


@pytest.mark.parametrize("read", ["spikes", "v"])
def test_the_curve_ends_at_the_score_of_the_run_and_an_earlier_tick_at_that_of_a_shorter_one(
    read: str,
) -> None:
    run = recorded(read)
    wanted = run.outputs + np.random.default_rng(3).normal(size=run.outputs.shape)
    scorer = make_scorer(None, wanted, None)
    curve = tick_curve(program(read), run, scorer)
    assert curve.ticks.tolist() == list(range(1, TICKS + 1))
    assert curve.score[-1] == scorer.value(run.outputs)
    if read == "spikes":  # the shorter run's window ends later than its last tick begins, as the whole one's
        short = sl.emulate(program(read), rows()[:, :6], ticks=6, effects=())
        assert curve.score[5] == scorer.value(short.outputs * TICKS / 6)


def test_a_neuron_that_rests_above_the_threshold_of_its_curve_has_no_picture() -> None:
    assert _neuron(sl.load_profile("brainscales2")) is None
    drive, rate = _neuron(sl.load_profile("loihi1")) or ([], [])
    assert drive[0] == rate[0] == 0.0


def test_a_raster_has_its_spikes_and_its_window_in_ticks() -> None:
    traced = trace(program("spikes"), rows())
    view = _raster(traced, "hidden")
    spikes = traced.run.spikes["hidden"]
    assert view.ticks.max() < TICKS + 1 < spikes[:, 1].max()
    assert view.window[1] - view.window[0] == TICKS
