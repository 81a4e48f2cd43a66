"""Does `Lowering` itself refuse what no checked ONNX model can bring, but another reader might?"""

from __future__ import annotations

import numpy as np
import pytest
from spikeloom.ann.lower import Lowering
from spikeloom.ann.lowered import MAX_NUMBERS
from spikeloom.ann.steps import Activation, AveragePool, Convolution, Dense, Reshape, Step
from spikeloom.errors import AnnError

WHERE = "module net.conv"


def convolution(channels: int = 2, side: int = 3, padding: int = 0) -> Convolution:
    kernels = np.ones((channels, side, side, 4))
    return Convolution(WHERE, "conv", kernels, np.zeros(4), (1, 1), (padding,) * 4)


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        (convolution(channels=3), "channels"),
        (convolution(side=9), "larger than the padded image"),
        (convolution(padding=MAX_NUMBERS), "too large"),
        (Reshape(WHERE, "reshape", (5,)), "how many numbers"),
        (AveragePool(WHERE, "pool", (3, 1)), "divide"),
        (Dense(WHERE, "fc", np.ones((98, 2)), np.zeros(2)), "flat vector"),
        (Activation(WHERE, "relu", "relu"), "no linear layer"),
    ],
)
def test_refused_by_its_own_name(step: Step, problem: str) -> None:
    with pytest.raises(AnnError, match=problem) as caught:
        Lowering("net", (2, 7, 7)).add(step)
    assert caught.value.subject == WHERE
    assert caught.value.remedy


def test_a_readout_of_too_many_numbers_is_refused() -> None:
    lowering = Lowering("net", (1, 128, 128))
    lowering.add(Convolution(WHERE, "conv", np.ones((1, 1, 1, 1)), np.zeros(1), (1, 1), (0, 0, 0, 0)))
    lowering.add(Activation(WHERE, "relu", "relu"))
    lowering.add(AveragePool(WHERE, "pool", (2, 2)))
    with pytest.raises(AnnError, match="too many numbers"):
        lowering.finish(None)


def test_weights_that_overflow_when_folded_are_refused() -> None:
    lowering = Lowering("net", (2,))
    lowering.add(Dense(WHERE, "fc", np.full((2, 2), 1e300), np.zeros(2)))
    with pytest.raises(AnnError, match="not finite"):
        lowering.add(Dense(WHERE, "fc2", np.full((2, 2), 1e300), np.zeros(2)))
