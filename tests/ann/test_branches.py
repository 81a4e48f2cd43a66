"""Are sums, concatenations and max pooling lowered exactly, and to which layers?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from onnx_models import ModelBuilder, assert_equal
from spikeloom.ann.graph import Ann
from spikeloom.ann.load import load_ann

SAME = [1, 1, 1, 1]
TILES = {"kernel_shape": [2, 2], "strides": [2, 2]}


def image() -> ModelBuilder:
    return ModelBuilder((2, 8, 8)).conv(3, pads=SAME).relu()  # "t1"


def normalised(builder: ModelBuilder) -> ModelBuilder:
    n = builder.shape[0]
    values = [builder.random(n) for _ in range(3)]
    return builder.add("BatchNormalization", *values, builder.constant(np.linspace(0.5, 2.0, n)))


def residual() -> ModelBuilder:
    """relu(bn(conv(relu(bn(conv x)))) + x)."""
    builder = normalised(normalised(image().conv(3, pads=SAME)).relu().conv(3, pads=SAME))
    return builder.add("Add", "t1").readout()


def halved() -> ModelBuilder:
    """The skip is a 1 x 1 convolution of stride 2, as where a network halves its image."""
    builder = image().conv(4, pads=SAME, strides=[2, 2]).relu().conv(4, pads=SAME)
    builder.last, left = "t1", builder.last
    return normalised(builder.conv(4, (1, 1), strides=[2, 2])).add("Add", left).readout()


def before_activation() -> ModelBuilder:
    """Normalisation and activation before the convolution: the sum itself is a linear layer with two readers."""
    builder = image().conv(3, pads=SAME)  # "t2"
    normalised(builder).relu().conv(3, pads=SAME).add("Add", "t2")
    return normalised(builder).readout()


def inception() -> ModelBuilder:
    builder = image().conv(2, pads=SAME).relu()
    builder.last, left = "t1", builder.last
    builder.conv(3, (1, 1)).relu().add("Concat", left, axis=1)
    return builder.pool(2, 2).conv(2).readout()


def flat_branches() -> ModelBuilder:
    builder = ModelBuilder((6,)).gemm(5).relu().gemm(4).relu()
    return builder.add("Concat", "t1", axis=1).add("Add", builder.random(9)).readout()


def from_the_input() -> ModelBuilder:
    builder = ModelBuilder((2, 8, 8)).conv(2, pads=SAME)
    return builder.add("Add", "x").readout()


def unlike_pools() -> ModelBuilder:
    builder = image().pool(2, 2)
    builder.last, left = "t1", builder.last
    return builder.conv(2, strides=[2, 2], pads=SAME).relu().add("Concat", left, axis=1).readout()


def a_line() -> ModelBuilder:
    builder = ModelBuilder((2, 12))
    builder.add("Conv", builder.random(3, 2, 3), builder.random(3), pads=[1, 1]).relu()
    builder.add("MaxPool", kernel_shape=[2], strides=[2])
    builder.add("Conv", builder.random(3, 3, 3), builder.random(3), pads=[1, 1]).add("Add", "t2")
    return builder.readout()


def channels_last() -> ModelBuilder:
    builder = ModelBuilder((8, 8, 2)).add("Transpose", perm=[0, 3, 1, 2]).conv(3).relu()
    builder.add("Transpose", perm=[0, 2, 3, 1])
    return builder.add("Concat", builder.last, axis=3).readout()


def maximum(*, first: bool, globally: bool = False, **windows: Any) -> ModelBuilder:
    builder, windows = ModelBuilder((2, 8, 8)).conv(3, pads=SAME), windows or TILES
    builder = builder.add("MaxPool", **windows).relu() if first else builder.relu().add("MaxPool", **windows)
    return builder.add("GlobalAveragePool").readout() if globally else builder.conv(2).readout()


def grouped_sum() -> ModelBuilder:
    builder = image()
    return builder.add("Conv", builder.random(3, 1, 3, 3), group=3, pads=SAME).add("Add", "t1").readout()


NETWORKS: dict[str, Callable[[], ModelBuilder]] = {
    "residual": residual,
    "halved": halved,
    "activation before the convolution": before_activation,
    "inception": inception,
    "flat branches": flat_branches,
    "a skip from the input": from_the_input,
    "unlike pools": unlike_pools,
    "a line": a_line,
    "channels last": channels_last,
    "max before the activation": lambda: maximum(first=True),
    "max behind the activation": lambda: maximum(first=False),
    "overlapping max before the activation": lambda: maximum(
        first=True, kernel_shape=[3, 3], strides=[2, 2], pads=SAME
    ),
    "overlapping max behind it": lambda: maximum(
        first=False, kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 0, 1]
    ),
    "max with gaps": lambda: maximum(first=False, kernel_shape=[2, 2], strides=[3, 3]),
    "max padded by a rule": lambda: maximum(
        first=False, kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"
    ),
    "max, then mean": lambda: maximum(first=False, globally=True),
    "a depthwise summand": grouped_sum,
}


def loaded(name: str) -> Ann:
    return load_ann(NETWORKS[name]().build())


@pytest.mark.parametrize("name", NETWORKS)
def test_branches_are_lowered_exactly(name: str) -> None:
    model, ann = NETWORKS[name]().build(), loaded(name)
    assert_equal(ann, model)
    assert ann.layers[-1].activation == "identity"


def test_a_sum_is_one_layer_of_several_sources() -> None:
    ann = loaded("residual")
    assert [len(layer.parts) for layer in ann.layers] == [1, 1, 2, 1]
    assert ann.sources[2] == (1, 0)
    assert [part.weights.shape for part in ann.layers[2].parts] == [(3, 3, 3, 3), (3, 1, 1, 3)]


def test_a_strided_skip_keeps_its_own_kernel() -> None:
    [layer] = [layer for layer in loaded("halved").layers if layer.merged]
    assert {part.stride for part in layer.parts} == {(1, 1), (2, 2)}


def test_a_concatenation_costs_no_layer() -> None:
    ann = loaded("inception")
    assert [layer.activation for layer in ann.layers] == ["relu"] * 4 + ["identity"]
    assert [part.source for part in ann.layers[3].parts] == [ann.layers[2].name, ann.layers[1].name]


def test_a_linear_tensor_with_several_readers_becomes_a_layer() -> None:
    assert [layer.activation for layer in loaded("activation before the convolution").layers].count(
        "identity"
    ) == 2
    assert loaded("a skip from the input").layers[0].activation == "identity"


def test_max_pooling_changes_places_with_the_activation() -> None:
    for name in ("max before the activation", "max behind the activation"):
        assert [layer.activation for layer in loaded(name).layers] == ["relu", "max", "relu", "identity"]


def test_the_patches_of_all_parts_stand_side_by_side() -> None:
    """What the fit is given: activity times matrix is the linear map."""
    layer = loaded("halved").layers[-2]
    x = np.random.default_rng(0).random((2, layer.n_inputs))
    z = layer.unfold(x) @ layer.matrix + layer.bias
    np.testing.assert_allclose(z.reshape(2, -1), layer.preactivation(x))
    twice = layer.with_matrix(2.0 * layer.matrix, 2.0 * layer.bias)
    np.testing.assert_allclose(twice.preactivation(x), 2.0 * layer.preactivation(x))
