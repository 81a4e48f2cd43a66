"""Does `explain` name the limit that truly binds, and count what a placement then takes?"""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from spikeloom import cli
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.bundled.load import load_bundle
from spikeloom.errors import AnnError, PlacementError
from spikeloom.flows.convert import convert
from spikeloom.flows.explain import explain
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.profile.catalog import load_profile

RNG = np.random.default_rng(8)


def dense(*sizes: int) -> Ann:
    """A chain of dense layers fc1, fc2, ... with ReLU between them."""
    layers = tuple(
        AnnLayer(f"fc{k}", RNG.normal(size=(n, m)), np.zeros(m), "relu" if k < len(sizes) - 1 else "identity",
                 (n,), (m,))
        for k, (n, m) in enumerate(zip(sizes, sizes[1:], strict=False), 1)
    )  # fmt: skip
    return Ann("net", sizes[:1], layers, None, np.arange(sizes[0]))


def pooled_input() -> Ann:
    """The largest of windows of the input, which has no neurons that could take it."""
    layers = (
        AnnLayer(
            "pool", np.ones((1, 2, 2, 2)), np.zeros(2), "max", (6, 6, 2), (3, 3, 2), stride=(2, 2), groups=2
        ),
        AnnLayer("fc", RNG.normal(size=(18, 3)), np.zeros(3), "identity", (3, 3, 2), (3,)),
    )
    return Ann("net", (6, 6, 2), layers, None, np.arange(72))


def branches() -> SpikingNetwork:
    """Two ways of different length to one population, on a chip without delays."""
    network = SpikingNetwork(
        load_profile("loihi1", override={"time.delay_scope": "none", "time.delay_max": 0})
    )
    x = network.input("x", 2)
    a, b, c = (network.population(name, 2, vth=100) for name in "abc")
    for source, target in ((x, a), (a, b), (b, c), (a, c)):
        network.connect(source, target, np.ones((2, 2), dtype=int))
    return network


def thresholds() -> SpikingNetwork:
    """More different thresholds than one core holds, and cores for one of the two halves."""
    network = SpikingNetwork(load_profile("loihi1", override={"limits.cores": 1}))
    network.population("many", 20, vth=np.arange(1, 21))
    return network


def convolution() -> Ann:
    """A kernel that sees 36 inputs, and a readout."""
    layers = (
        AnnLayer("conv", np.ones((4, 3, 3, 2)), np.zeros(2), "relu", (6, 6, 4), (4, 4, 2)),
        AnnLayer("fc", np.ones((32, 5)), np.zeros(5), "identity", (4, 4, 2), (5,)),
    )
    return Ann("image", (6, 6, 4), layers, None, np.arange(144))


SMALL = {"limits.memory.synapse.bits": 8192}
# name: (subject, limit, overrides of loihi1, network)
MISFITS: dict[str, tuple[str, str, dict[str, object], Callable[[], Ann | SpikingNetwork]]] = {
    "synapses onto a neuron": ("conv", "limits.fan_in", {"limits.fan_in": 30}, lambda: convolution()),
    "synapses of a neuron": ("fc1", "limits.fan_out", {"limits.fan_out": 30}, lambda: dense(20, 10, 31)),
    "synapses of a line": ("input", "limits.fan_out", {"limits.fan_out": 30}, lambda: dense(20, 31, 5)),
    "axons into a core": (
        "fc2", "limits.in_axons_per_core", {"limits.in_axons_per_core": 90}, lambda: dense(20, 91, 5)),
    "axons out of a neuron": (
        "fc1", "limits.out_axons_per_core", {"limits.out_axons_per_core": 2, "limits.neurons_per_core": 10},
        lambda: dense(4, 2, 30)),
    "memory of one neuron": ("fc1", "limits.memory.synapse", SMALL, lambda: dense(200, 5)),
    "cores": (
        "fc1", "limits.cores", {"limits.cores": 3, "limits.neurons_per_core": 10}, lambda: dense(20, 40, 5)),
    "cores, for memory": ("fc1", "limits.cores", {**SMALL, "limits.cores": 2}, lambda: dense(60, 60, 5)),
    "input lines": ("input", "limits.inputs", {"limits.inputs": 19}, lambda: dense(20, 10, 5)),
    "outputs": ("fc2", "limits.outputs", {"limits.outputs": 4}, lambda: dense(20, 10, 5)),
    "delays": ("a -> c", "time.delay_max", {}, branches),
    "thresholds of a core": ("many", "limits.cores", {}, thresholds),
    "no way to do it": ("pool", "", {}, pooled_input),
}  # fmt: skip


@pytest.mark.parametrize(("subject", "limit", "overrides", "build"), MISFITS.values(), ids=MISFITS.keys())
def test_the_limit_that_binds_is_named(
    subject: str, limit: str, overrides: dict[str, object], build: Callable[[], Ann | SpikingNetwork]
) -> None:
    network = build()
    profile = (
        network.profile if isinstance(network, SpikingNetwork) else load_profile("loihi1", override=overrides)
    )
    found = explain(network, profile)
    assert not found.fits
    assert found.cores is None
    [problem] = found.problems
    assert subject in problem.subject
    assert problem.limit == limit
    assert problem.remedy or problem.allowed is not None
    if isinstance(network, SpikingNetwork):
        with pytest.raises(PlacementError) as caught:
            place(network)
        assert caught.value.limit_name == limit
    else:
        calibration = np.abs(RNG.normal(size=(60, *network.input_shape)))
        with pytest.raises((AnnError, PlacementError)):
            convert(network, profile, calibration=calibration, ticks=16)


def test_every_problem_is_told_at_once() -> None:
    profile = load_profile("loihi1", override={"limits.fan_out": 30, "limits.outputs": 4})
    found = explain(dense(40, 40, 35, 5), profile)
    assert [(problem.subject, problem.limit) for problem in found.problems] == [
        ("population fc1", "limits.fan_out"), ("output fc3", "limits.outputs"),
    ]  # fmt: skip
    assert "ideal" in found.alternatives


def test_what_splits_a_layer_is_its_binding_limit() -> None:
    overrides = {"limits.memory.synapse.bits": 1 << 15, "limits.neurons_per_core": 30}
    found = explain(dense(100, 50, 50, 5), load_profile("loihi1", override=overrides))
    assert found.fits
    assert [layer.binding for layer in found.layers] == [
        "limits.memory.synapse", "limits.neurons_per_core", "limits.memory.synapse",
    ]  # fmt: skip
    assert all(layer.used is not None and 0 < layer.used <= 1 for layer in found.layers)


def test_the_counts_are_those_of_a_conversion() -> None:
    layers = (
        AnnLayer("conv", RNG.normal(size=(1, 3, 3, 4)), np.zeros(4), "tanh", (8, 8, 1), (6, 6, 4)),
        AnnLayer("fc", RNG.normal(size=(36, 12)), np.zeros(12), "relu", (6, 6, 4), (12,), (2, 2)),
        AnnLayer("out", RNG.normal(size=(12, 3)), np.zeros(3), "identity", (12,), (3,)),
    )
    ann = Ann("net", (8, 8, 1), layers, None, np.arange(64))
    profile = load_profile("loihi1", override={"limits.neurons_per_core": 40, **SMALL})
    found = explain(ann, profile)
    program = convert(ann, profile, calibration=np.abs(RNG.normal(size=(60, 8, 8, 1))), ticks=16).program
    assert found.fits
    assert found.cores == program.n_cores > 3
    assert [layer.neurons for layer in found.layers] == [
        placed.neurons.size for placed in program.populations
    ]
    assert sum(layer.axons or 0 for layer in found.layers) == program.arrays.axon_template.size
    lengths = np.add.reduceat(program.arrays.run_length, program.arrays.template_run_start[:-1])
    assert sum(layer.synapses for layer in found.layers) == lengths[program.arrays.axon_template].sum()


def test_the_command_prints_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    path = str(load_bundle("mlp").onnx_path)
    assert cli.run(["explain", path, "-p", "loihi1"]) == 0
    assert "fits, on 5 cores" in capsys.readouterr().out
    assert cli.run(["explain", path, "-p", "loihi1", "--set", "limits.cores=2", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["fits"], told["cores"], told["problems"][0]["limit"]) == (False, None, "limits.cores")
    assert told["layers"][0]["binding"] == "limits.memory.synapse"
    assert cli.run(["explain", path, "-p", "loihi1", "--set", "limits.fan_out=100"]) == 1
    assert "(limits.fan_out); got 200, limit 100" in " ".join(capsys.readouterr().out.split())
