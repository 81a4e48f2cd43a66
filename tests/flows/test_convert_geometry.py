"""Conversion of convolutions of unusual geometry: lines, dilated kernels, groups."""

from __future__ import annotations

import numpy as np
import pytest
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.emulation.emulate import emulate
from spikeloom.flows.convert import convert
from spikeloom.flows.crosscheck import crosscheck
from spikeloom.network.projection import Convolution
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


@pytest.mark.parametrize("groups", [2, 4])
def test_grouped_kernels_are_fitted_group_by_group(groups: int) -> None:
    """Four channels in two groups, and depthwise; one of them is dead."""
    rng = np.random.default_rng(5)
    bias = np.array([0.1, 0.0, -9.0, 0.2])
    layers = (
        AnnLayer("first", rng.normal(size=(1, 2, 2, 4)), np.full(4, 0.1), "relu", (6, 6, 1), (5, 5, 4)),
        AnnLayer("grouped", rng.normal(size=(4 // groups, 3, 3, 4)) / 2, bias, "relu", (5, 5, 4), (3, 3, 4),
                 groups=groups),
        AnnLayer("out", rng.normal(size=(36, 3)) / 6, np.zeros(3), "identity", (3, 3, 4), (3,)),
    )  # fmt: skip
    ann = Ann("grouped", (6, 6, 1), layers, None, np.arange(36))
    x = rng.uniform(0, 1, (300, 6, 6, 1))
    conversion = convert(ann, "loihi1", calibration=x[:250], ticks=32)
    got, wanted = emulate(conversion.program, x[250:]).outputs, ann.predict(x[250:])
    assert np.mean((got - wanted) ** 2) < SMALL_CONVERSION * np.mean((wanted - wanted.mean(axis=0)) ** 2)
    fit = conversion.layers[1]
    assert fit.codes.shape == (36 // groups, 4)
    assert fit.bound <= fit.loss
    kernels = conversion.network.projections[1].weights
    assert isinstance(kernels, Convolution)
    assert kernels.codes.size == 144 // groups  # no synapse between channels of different groups
    assert crosscheck(conversion.program, x[250:251], reference="twin").equal
