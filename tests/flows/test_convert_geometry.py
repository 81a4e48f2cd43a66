"""Conversion of convolutions of unusual geometry: lines, dilated kernels, groups."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import AnnError
from spikeloom.flows.convert import convert
from spikeloom.flows.crosscheck import crosscheck
from tolerances import SMALL_CONVERSION

LINE = (1, 16, 2)  # a line of 16 positions with two channels


def dilated_line() -> Ann:
    """Two channels, a kernel of three taps two apart, then a readout."""
    rng = np.random.default_rng(11)
    layers = (
        AnnLayer("conv", rng.normal(size=(2, 1, 3, 4)) / 2, rng.normal(size=4) / 5, "relu", LINE, (1, 8, 4),
                 stride=(1, 2), padding=(0, 1, 0, 2), dilation=(1, 2)),
        AnnLayer("out", rng.normal(size=(32, 3)) / 6, np.zeros(3), "identity", (1, 8, 4), (3,)),
    )  # fmt: skip
    return Ann("line", (2, 16), layers, None, np.arange(32).reshape(2, 16).T.ravel())


def test_a_dilated_line_converts_and_agrees_with_the_twin() -> None:
    x = np.random.default_rng(2).uniform(0, 1, (400, 2, 16))
    conversion = convert(dilated_line(), "loihi1", calibration=x[:350], ticks=32)
    got, wanted = emulate(conversion.program, x[350:]).outputs, conversion.ann.predict(x[350:])
    assert np.mean((got - wanted) ** 2) < SMALL_CONVERSION * np.mean((wanted - wanted.mean(axis=0)) ** 2)
    assert crosscheck(conversion.program, x[350:352], reference="twin").equal


def test_groups_are_refused_by_the_layers_name() -> None:
    ann = dilated_line()
    first = replace(ann.layers[0], weights=ann.layers[0].weights[:1], groups=2)
    with pytest.raises(AnnError, match="layer 'conv': grouped convolutions cannot be converted"):
        convert(replace(ann, layers=(first, ann.layers[1])), "loihi1", calibration=np.ones((20, 2, 16)))
