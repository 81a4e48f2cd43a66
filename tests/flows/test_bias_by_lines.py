"""Does a bias that comes by lines arrive whole, where spikes are counted and far from 0?"""

from __future__ import annotations

import numpy as np
import spikeloom as sl
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.network.constant_lines import RATES, largest_line_bias, line_codes
from spikeloom.profile.catalog import load_profile


def test_lines_bring_every_bias_within_their_reach() -> None:
    profile = load_profile("tinyodin")
    most = largest_line_bias(profile)
    wanted = np.linspace(-most, most, 501)
    brought = np.array(RATES) @ line_codes(wanted, profile)
    assert np.abs(brought - wanted).max() <= 0.5 * RATES[-1] + 1e-12


def test_answers_far_below_zero_are_raised_by_as_much_as_the_lines_can_bring() -> None:
    rng = np.random.default_rng(0)
    hidden = AnnLayer("fc1", rng.normal(size=(6, 8)), np.zeros(8), "relu", (6,), (8,))
    logits = AnnLayer("fc2", rng.normal(size=(8, 3)) - 0.5, np.zeros(3), "identity", (8,), (3,))
    ann = Ann("small", (6,), (hidden, logits), None, np.arange(6))
    rows = rng.random((300, 6))
    conversion = sl.convert(ann, "tinyodin", calibration=rows[:200], ticks=64)
    got, wanted = sl.emulate(conversion.program, rows[200:]).outputs, ann.predict(rows[200:])
    assert np.mean((got - wanted) ** 2) < 0.015 * np.mean((wanted - wanted.mean(axis=0)) ** 2)
