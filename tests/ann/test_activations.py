"""Is each activation its definition, and is a layer with a wrong number refused?"""

from __future__ import annotations

import math

import numpy as np
import pytest
from spikeloom.ann.activation import ACTIVATIONS, SIGNED, activate
from spikeloom.ann.graph import AnnLayer
from spikeloom.errors import AnnError

DEFINITIONS = {
    "relu": lambda z, _: max(z, 0.0),
    "identity": lambda z, _: z,
    "leaky_relu": lambda z, slope: z if z > 0 else slope * z,
    "clip": lambda z, limit: min(max(z, 0.0), limit),
    "sigmoid": lambda z, _: 1.0 / (1.0 + math.exp(-z)),
    "tanh": lambda z, _: math.tanh(z),
}
NUMBERS = {"leaky_relu": 0.1, "clip": 6.0}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_is_its_definition(name: str) -> None:
    z = np.array([-30.0, -2.0, -0.1, 0.0, 0.5, 6.5])
    number = NUMBERS.get(name, 0.0)
    expected = [DEFINITIONS[name](value, number) for value in z]
    got = activate(z, name, number)
    assert got == pytest.approx(expected, rel=1e-12, abs=1e-15)
    assert (name in SIGNED) == bool((got < 0).any())
    far = activate(np.array([-1e4, 1e4]), name, number)
    assert np.isfinite(far).all()


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("leaky_relu", 0.0),
        ("leaky_relu", 1.0),
        ("clip", 0.0),
        ("clip", np.inf),
        ("clip", np.nan),
        ("relu", 0.1),
    ],
)
def test_a_wrong_number_is_refused(name: str, number: float) -> None:
    with pytest.raises(AnnError, match=f"wrong number for {name}"):
        AnnLayer("fc", np.ones((1, 1)), np.zeros(1), name, (1,), (1,), activation_number=number)


def test_a_layer_applies_its_activation() -> None:
    layer = AnnLayer("fc", np.ones((1, 1)), np.zeros(1), "clip", (1,), (1,), activation_number=2.0)
    assert layer.activate(np.array([[3.0], [-1.0], [1.5]])).tolist() == [[2.0], [0.0], [1.5]]
