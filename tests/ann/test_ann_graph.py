"""Does a layer compute what its fields say, and is every contradiction between them refused?"""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from spikeloom.ann import graph
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.errors import AnnError

RNG = np.random.default_rng(1)


def convolution(**changes: object) -> AnnLayer:
    """5 x 7 image of 2 channels after a 2 x 1 pool; kernels 2 x 3, unequal strides and paddings."""
    fields: dict[str, object] = {
        "name": "conv", "weights": RNG.standard_normal((2, 2, 3, 4)), "bias": RNG.standard_normal(4),
        "activation": "relu", "input_shape": (10, 7, 2), "output_shape": (6, 4, 4), "input_pool": (2, 1),
        "stride": (1, 2), "padding": (0, 1, 2, 2),
    }  # fmt: skip
    return AnnLayer(**{**fields, **changes})  # type: ignore[arg-type]


def dense(name: str = "fc", n_in: int = 3, n_out: int = 2) -> AnnLayer:
    return AnnLayer(name, np.ones((n_in, n_out)), np.zeros(n_out), "relu", (n_in,), (n_out,))


def slow_convolution(layer: AnnLayer, x: np.ndarray) -> np.ndarray:
    """One sample, index by index: pooling, zero padding and kernels as their definitions read."""
    height, width, channels = layer.input_shape
    down, right = layer.input_pool
    image = x.reshape(height, width, channels)
    pooled = {
        (y, z, c): image[y * down : (y + 1) * down, z * right : (z + 1) * right, c].mean()
        for y in range(height // down) for z in range(width // right) for c in range(channels)
    }  # fmt: skip
    out = np.zeros(layer.output_shape)
    for y, z, o in np.ndindex(layer.output_shape):
        out[y, z, o] = layer.bias[o]
        for c, ky, kx in np.ndindex(layer.weights.shape[:3]):
            place = (
                y * layer.stride[0] + ky - layer.padding[0],
                z * layer.stride[1] + kx - layer.padding[1],
                c,
            )
            out[y, z, o] += pooled.get(place, 0.0) * layer.weights[c, ky, kx, o]
    return out.ravel()


def test_convolution_is_its_definition() -> None:
    layer = convolution()
    x = RNG.standard_normal((3, layer.n_inputs))
    expected = np.stack([slow_convolution(layer, row) for row in x])
    np.testing.assert_allclose(layer.preactivation(x), expected, rtol=1e-12, atol=1e-12)


def test_unfold_and_matrix_have_the_same_row_order() -> None:
    layer = convolution()
    x = RNG.standard_normal((2, layer.n_inputs))
    patches = layer.unfold(x)
    assert patches.shape == (2, layer.positions, len(layer.matrix)) == (2, 24, 12)
    z = (patches @ layer.matrix + layer.bias).reshape(2, -1)
    np.testing.assert_allclose(z, layer.preactivation(x), rtol=1e-12, atol=1e-12)


def test_chunks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = convolution(), RNG.standard_normal((7, 140))
    whole = layer.preactivation(x)
    monkeypatch.setattr(graph, "_UNFOLD_NUMBERS", 600)  # two rows at a time
    np.testing.assert_array_equal(layer.preactivation(x), whole)


def test_dense_layer_pools_its_image() -> None:
    layer = AnnLayer("fc", np.eye(4), np.zeros(4), "identity", (2, 4, 2), (4,), (2, 2))
    x = np.arange(16.0)[np.newaxis]
    assert layer.pooled_shape == (1, 2, 2)
    assert layer.preactivation(x).tolist() == [[5.0, 6.0, 9.0, 10.0]]
    assert layer.unfold(x).shape == (1, 1, 4)
    assert (layer.positions, layer.is_convolution, layer.n_inputs, layer.n_outputs) == (1, False, 16, 4)


def test_layers_are_immutable_copies() -> None:
    weights = np.ones((3, 2))
    layer = replace(dense(), weights=weights)
    weights[0, 0] = 9
    assert layer.weights[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        layer.weights[0, 0] = 2
    with pytest.raises(FrozenInstanceError):
        layer.name = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": np.ones((2, 3, 4))},
        {"weights": np.ones((2, 0, 3, 4))},
        {"weights": np.full((2, 2, 3, 4), np.nan)},
        {"weights": np.ones((3, 2, 3, 4))},
        {"weights": np.ones((2, 9, 3, 4))},
        {"bias": np.ones(3)},
        {"bias": np.array([0, 0, 0, np.inf])},
        {"activation": "softplus"},
        {"input_shape": (140,)},
        {"input_shape": (10, 0, 2)},
        {"input_pool": (3, 1)},
        {"input_pool": (0, 1)},
        {"stride": (0, 2)},
        {"padding": (0, 1, -2, 2)},
        {"output_shape": (6, 4, 3)},
    ],
)
def test_contradictions_in_a_convolution_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(AnnError, match="layer 'conv'"):
        convolution(**changes)


@pytest.mark.parametrize("changes", [{"input_shape": (4,)}, {"output_shape": (3,)}, {"input_shape": ()}])
def test_contradictions_in_a_dense_layer_are_refused(changes: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(AnnError, match="layer 'fc'"):
        replace(dense(), **changes)  # type: ignore[arg-type]


def network(*layers: AnnLayer, order: object = (2, 0, 1)) -> Ann:
    return Ann("net", (3,), layers, None, np.array(order))


def test_network_runs_layer_by_layer() -> None:
    ann = network(
        dense("a"), AnnLayer("b", np.array([[1.0], [-2.0]]), np.array([0.5]), "identity", (2,), (1,))
    )
    x = np.array([[1.0, 2.0, 3.0], [-1.0, -2.0, -3.0]])
    assert ann.flatten(x).tolist() == [[3, 1, 2], [-3, -1, -2]]
    assert [z.tolist() for z in ann.preactivations(x)] == [[[6, 6], [-6, -6]], [[-5.5], [0.5]]]
    assert [a.tolist() for a in ann.forward(x)] == [[[6, 6], [0, 0]], [[-5.5], [0.5]]]
    assert ann.predict(x).tolist() == [[-5.5], [0.5]]


@pytest.mark.parametrize(
    ("layers", "order"),
    [
        ((), (0, 1, 2)),
        ((dense("a"), dense("a", 2)), (0, 1, 2)),
        ((dense("a"), dense("b", 3)), (0, 1, 2)),
        ((dense("a"),), (0, 1, 1)),
        ((dense("a"),), (0, 1)),
    ],
)
def test_a_broken_chain_is_refused(layers: tuple[AnnLayer, ...], order: tuple[int, ...]) -> None:
    with pytest.raises(AnnError, match="network 'net'"):
        network(*layers, order=order)


@pytest.mark.parametrize(
    "x",
    [
        np.ones(3),
        np.ones((2, 4)),
        np.float64(1),
        [[1.0, 2.0, np.nan]],
        [[1.0, 2.0, np.inf]],
        [["1", "2", "3"]],
        [[1j, 0, 0]],
        [[1.0, 2.0], [3.0]],
        [[None, 1.0, 2.0]],
    ],
)
def test_wrong_samples_are_refused(x: object) -> None:
    with pytest.raises(AnnError, match="input array") as caught:
        network(dense()).flatten(x)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert caught.value.remedy
