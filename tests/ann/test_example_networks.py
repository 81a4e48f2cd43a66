"""Are the networks of python/examples read, with the branches, pools and groups that they were trained with?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from spikeloom import cli
from spikeloom.ann.graph import Ann
from spikeloom.ann.load import load_ann
from spikeloom.flows.conversion.pools.max_pool import POOLS
from spikeloom.flows.explain import explain

FOLDER = Path(__file__).resolve().parents[2] / "python" / "examples" / "networks"
SMALL = 60_000  # bytes of a file


def network(name: str) -> Ann:
    path = FOLDER / f"{name}.onnx"
    assert path.stat().st_size < SMALL
    return load_ann(path)


def test_the_residual_network_has_a_sum_behind_a_pool() -> None:
    ann = network("residual")
    assert [layer.activation for layer in ann.layers] == ["relu", "max", "relu", "relu", "identity"]
    assert [len(layer.parts) for layer in ann.layers] == [1, 1, 1, 2, 1]


def test_the_depthwise_network_has_a_group_for_each_channel() -> None:
    assert [layer.groups for layer in network("depthwise").layers] == [1, 16, 1, 32, 1, 1]


def test_the_line_is_an_image_of_height_1() -> None:
    assert [layer.input_shape[0] for layer in network("line").layers] == [1, 1, 1, 1]


@pytest.mark.parametrize("pool", ["tree", "race", "or"])
def test_all_costs_of_a_pool_are_told(pool: str) -> None:
    """Fifteen neurons a window of 4 x 4, seventeen, or one; what is counted in the table is the one asked for."""
    found = explain(network("pooled"), "loihi1", pool=pool)  # type: ignore[arg-type]
    windows = 2 * 2 * 12
    assert [(cost.pool, cost.neurons, cost.sources) for cost in found.pools] == [
        ("tree", 15 * windows, 5), ("race", 17 * windows, 1), ("or", windows, 1)]  # fmt: skip
    assert found.fits
    pooling = {layer.name: layer.neurons for layer in found.layers[1:-1]}
    assert sum(pooling.values()) == {"tree": 15, "race": 17, "or": 1}[pool] * windows


def test_the_command_tells_every_form_of_a_pool(capsys: pytest.CaptureFixture[str]) -> None:
    for pool in POOLS:
        assert (
            cli.run(["explain", str(FOLDER / "pooled.onnx"), "-p", "loihi1", "--pool", pool, "--json"]) == 0
        )
        assert [cost["pool"] for cost in json.loads(capsys.readouterr().out)["pools"]] == list(POOLS)
