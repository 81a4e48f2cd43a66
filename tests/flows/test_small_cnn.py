"""Does a convolution reach the chips of few lines, within their limits, and is it refused where it does not fit?"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import spikeloom as sl
from spikeloom.ann.graph import AnnLayer
from spikeloom.bundled.load import load_bundle
from spikeloom.flows.conversion.tuning.neuron_tuning import tuned_by_neurons
from spikeloom.network.chip_layer import Synapses
from spikeloom.network.from_fit import chip_layer

# Ticks, and share of the rows on which the chip says what the ANN says, at least, after so few to calibrate on.
CHIPS = {"brainscales2": (24, 0.65), "dynap_se2": (32, 0.6)}


@cache
def converted(chip: str) -> sl.Conversion:
    net = load_bundle("small_cnn")
    return sl.convert(net.onnx_path, chip, calibration=net.calibration[:150], ticks=CHIPS[chip][0])


@pytest.mark.parametrize("chip", CHIPS)
def test_a_convolution_goes_onto_neurons_in_continuous_time(chip: str) -> None:
    conversion, alike = converted(chip), CHIPS[chip][1]
    rows = load_bundle("small_cnn").inputs[:100]
    run = sl.emulate(conversion.program, rows, effects=())
    assert np.mean(run.outputs.argmax(axis=1) == conversion.ann.predict(rows).argmax(axis=1)) >= alike
    assert set(conversion.ideal) == {"fitted"}  # its own neurons, with real-valued weights
    real = sl.emulate(conversion.ideal["fitted"], rows).outputs
    assert np.mean(real.argmax(axis=1) == run.outputs.argmax(axis=1)) >= alike


def test_a_chip_with_mismatch_answers_once_its_neurons_are_calibrated() -> None:
    """Gain and offset of each neuron, by counts alone: its weights are codes, and it does not subtract."""
    conversion, rows = converted("brainscales2"), load_bundle("small_cnn").inputs[:200]
    program, wanted = conversion.program, conversion.ann.predict(rows).argmax(axis=1)
    tuned = tuned_by_neurons(program, conversion.calibration, 0)

    def agreement(one: sl.ChipProgram, **how: object) -> float:
        return float(np.mean(sl.emulate(one, rows, **how).outputs.argmax(axis=1) == wanted))

    assert agreement(program, chip_seed=0) < 0.5
    assert agreement(tuned.program) > agreement(program, effects=()) - 0.1
    assert tuned.program.chip_seed == 0
    moved = tuned.program.arrays.params
    for name in ("v_thr_lsb", "drive_lsb"):
        param = program.profile.params[name]
        assert param.min <= moved[name].min() and moved[name].max() <= param.max
        assert not np.array_equal(moved[name], program.arrays.params[name])


def test_a_chip_of_fewer_lines_refuses_it_by_its_limit() -> None:
    net = load_bundle("small_cnn")
    with pytest.raises(sl.PlacementError, match=r"limits.inputs\); got 100, limit 16 on xylo_a2"):
        sl.convert(net.onnx_path, "xylo_a2", calibration=net.calibration[:50], ticks=32)


def test_thresholds_behind_a_mean_stay_in_the_range_of_a_crossbar() -> None:
    profile, m = sl.load_profile("pcm_crossbar"), 3
    layer = AnnLayer("fc", np.zeros((2, m)), np.zeros(m), "relu", (4, 4, 1), (m,), input_pool=(2, 4))
    weak = Synapses("fc", np.full((2, m), 1e-3), np.ones(m), np.zeros(m))
    made = chip_layer(weak, layer, profile, ticks=16, peak=np.full(m, 1e-2))
    assert np.all(made.theta == profile.params["threshold"].max)
    [kernel] = made.weights
    assert kernel.codes == pytest.approx(1e-3 / 8 * 64.0)  # each of eight sources has its share
