"""Does taking nodes out change only what it says, and are the derivatives right?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from spikeloom.ann.activation import ACTIVATIONS, activate, activation_slope
from spikeloom.ann.gradients import gradients, pulled_back, run_layers
from spikeloom.ann.graph import AnnLayer
from spikeloom.ann.surgery import columns_by_node, keep_nodes, node_width

RNG = np.random.default_rng(4)


def layers_of(activation: str = "tanh", number: float = 0.0) -> tuple[AnnLayer, ...]:
    """Convolution, padded and strided convolution behind a pool, dense behind a pool, dense."""
    shapes = [
        ((1, 3, 3, 4), (8, 9, 1), (6, 7, 4), {}),
        (
            (4, 2, 2, 3),
            (6, 7, 4),
            (3, 4, 3),
            {"input_pool": (2, 1), "stride": (1, 2), "padding": (0, 2, 1, 0), "dilation": (1, 2)},
        ),
        ((12, 5), (3, 4, 3), (5,), {}),
        ((5, 2), (5,), (2,), {}),
    ]
    layers = []
    for k, (weights, given, out, more) in enumerate(shapes):
        if k == 2:
            weights = (36, 5)
        layers.append(AnnLayer(f"l{k}", RNG.normal(size=weights) / 3, RNG.normal(size=weights[-1]) / 3,
                               activation if k < 3 else "identity", given, out,
                               activation_number=number if k < 3 else 0.0, **more))  # type: ignore[arg-type]  # fmt: skip
    return tuple(layers)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_nodes_without_weight_can_go_and_nothing_changes(index: int) -> None:
    layers = list(layers_of())
    behind, kept = layers[index + 1], np.array([0, 2])
    columns = columns_by_node(behind).reshape(-1, node_width(behind))
    matrix = behind.matrix.copy()
    gone = np.setdiff1d(np.arange(len(columns)), kept)
    matrix[columns[gone].ravel()] = 0.0
    layers[index + 1] = replace(behind, weights=matrix.reshape(behind.weights.shape))
    fewer = keep_nodes(tuple(layers), index, kept, matrix[columns[kept].ravel()], behind.bias)
    x = RNG.normal(size=(5, 72))
    assert fewer[index].output_shape[-1] == 2
    np.testing.assert_allclose(run_layers(fewer, x)[1][-1], run_layers(tuple(layers), x)[1][-1], atol=1e-12)


def test_pulling_back_is_the_transpose_of_the_linear_map() -> None:
    for layer in layers_of():
        x = RNG.normal(size=(3, layer.n_inputs))
        other = RNG.normal(size=(3, layer.n_outputs))
        forth = layer.preactivation(x) - layer.preactivation(np.zeros_like(x))
        assert (forth * other).sum() == pytest.approx((x * pulled_back(layer, other)).sum(), rel=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_of_activations_are_their_derivatives(name: str) -> None:
    number = {"leaky_relu": 0.2, "clip": 1.5}.get(name, 0.0)
    z = np.array([-3.0, -0.5, 0.3, 1.0, 2.0])
    rise = (activate(z + 1e-6, name, number) - activate(z - 1e-6, name, number)) / 2e-6
    assert activation_slope(z, name, number) == pytest.approx(rise, rel=1e-6, abs=1e-9)


def test_gradients_are_differences_of_the_loss() -> None:
    layers, x = layers_of("sigmoid"), RNG.normal(size=(4, 72))
    wanted = RNG.normal(size=(4, 2))

    def loss(changed: tuple[AnnLayer, ...]) -> float:
        return float(((run_layers(changed, x)[1][-1] - wanted) ** 2).sum())

    seen, preactivations = run_layers(layers, x)
    found = gradients(layers, seen, preactivations, 2.0 * (preactivations[-1] - wanted))
    for k, layer in enumerate(layers):
        for field, slope in (
            ("weights", found[k].weights.reshape(layer.weights.shape)),
            ("bias", found[k].bias),
        ):
            direction = RNG.normal(size=slope.shape)
            changes = []
            for step in (1e-6, -1e-6):
                moved = replace(layer, **{field: getattr(layer, field) + step * direction})
                changes.append(loss((*layers[:k], moved, *layers[k + 1 :])))
            rise = (changes[0] - changes[1]) / 2e-6
            assert (slope * direction).sum() == pytest.approx(rise, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("activation", ["relu", "clip", "sigmoid", "tanh", "leaky_relu"])
def test_gradients_in_float32_stay_float32_and_are_those_of_float64(activation: str) -> None:
    number = {"clip": 1.5, "leaky_relu": 0.2}.get(activation, 0.0)
    layers, x, found = layers_of(activation, number), RNG.normal(size=(4, 72)), []
    for numbers in (x, x.astype(np.float32)):
        seen, preactivations = run_layers(layers, numbers)
        assert {array.dtype for array in (*seen, *preactivations)} == {numbers.dtype}
        found.append(gradients(layers, seen, preactivations, preactivations[-1]))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one.weights, other.weights, atol=1e-4 * np.abs(one.weights).max())
