"""Does a network of the size of a MobileNet stay small: kernels shared all the way into the program's file?"""

from __future__ import annotations

import resource
import time
from pathlib import Path

import numpy as np
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.flows.conversion.dry_network import dry_network
from spikeloom.flows.explain import explain
from spikeloom.placement.place import place
from spikeloom.profile.catalog import load_profile
from tolerances import LARGE_NETWORK_BYTES, LARGE_NETWORK_FILE, LARGE_NETWORK_SECONDS

# (output channels, stride) of each pair of a depthwise and a pointwise convolution
PAIRS = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *[(128, 1)] * 5, (256, 2), (256, 1))


def mobile_network() -> Ann:
    """A first convolution of a 96 x 96 image, 13 pairs, a mean over the image and ten outputs."""
    rng = np.random.default_rng(1)
    layers = [_layer(rng, "conv", (96, 96, 3), (3, 3, 3, 8), stride=2)]
    for k, (out, stride) in enumerate(PAIRS, 1):
        channels = layers[-1].output_shape[2]
        layers.append(
            _layer(rng, f"depth{k}", layers[-1].output_shape, (1, 3, 3, channels), stride, channels)
        )
        layers.append(_layer(rng, f"point{k}", layers[-1].output_shape, (channels, 1, 1, out)))
    shape = layers[-1].output_shape
    layers.append(
        AnnLayer("out", rng.normal(size=(shape[2], 10)), np.zeros(10), "identity", shape, (10,), shape[:2])  # type: ignore[arg-type]
    )
    return Ann("mobile", (96, 96, 3), tuple(layers), None, np.arange(96 * 96 * 3))


def _layer(
    rng: np.random.Generator, name: str, image: tuple[int, ...], kernel: tuple[int, ...], stride: int = 1,
    groups: int = 1,
) -> AnnLayer:  # fmt: skip
    """A convolution that keeps the image's size but for its stride."""
    pad = kernel[1] // 2
    side = (image[0] + 2 * pad - kernel[1]) // stride + 1
    return AnnLayer(
        name, rng.normal(size=kernel), np.zeros(kernel[3]), "relu", image, (side, side, kernel[3]), (1, 1),
        (stride, stride), (pad,) * 4, groups=groups,
    )  # fmt: skip


def test_a_mobile_network_is_explained_and_placed_with_its_kernels_shared(tmp_path: Path) -> None:
    ann = mobile_network()
    assert 200_000 < sum(layer.weights.size for layer in ann.layers) < 250_000
    began = time.process_time()
    found = explain(ann, "loihi1")
    assert [problem.limit for problem in found.problems] == ["limits.cores"]  # of 128: the images are large
    assert found.alternatives == ("ideal",)
    assert [layer.neurons for layer in found.layers] == [layer.n_outputs for layer in ann.layers]
    program = place(dry_network(ann, load_profile("loihi1", override={"limits.cores": None})))
    assert time.process_time() - began < LARGE_NETWORK_SECONDS
    assert program.n_cores > 100
    assert program.arrays.codes.size == sum(layer.weights.size for layer in ann.layers)
    program.save(tmp_path / "mobile.spikeloom")
    assert (tmp_path / "mobile.spikeloom").stat().st_size < LARGE_NETWORK_FILE
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 < LARGE_NETWORK_BYTES
