"""Is a NIR graph carried over as it is, exported and read again with the same spikes, and refused by node name?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("nir", reason="nir is not installed")

import nir  # noqa: E402
from nir_simulator import simulate  # noqa: E402
from spikeloom import cli  # noqa: E402
from spikeloom.emulation.emulate import emulate  # noqa: E402
from spikeloom.errors import NetworkError, ProgramError, SpikeloomError  # noqa: E402
from spikeloom.exporters.export import export  # noqa: E402
from spikeloom.flows.crosscheck import crosscheck  # noqa: E402
from spikeloom.flows.load_network import load_network  # noqa: E402
from spikeloom.network.network import SpikingNetwork  # noqa: E402
from spikeloom.placement.place import place  # noqa: E402
from spikeloom.profile.catalog import load_profile  # noqa: E402
from tolerances import NIR_COUNTS, NIR_WEIGHT  # noqa: E402

DT = 1e-3
TICKS = 40


def graph(nodes: list[Any], shape: tuple[int, ...], **metadata: Any) -> Any:
    """A chain of nodes between an input and an output."""
    named = {"x": nir.Input({"input": np.array(shape)})}
    named |= {f"n{k}": node for k, node in enumerate(nodes)} | {"y": nir.Output({"output": np.array([1])})}
    names = list(named)
    return nir.NIRGraph(named, list(zip(names, names[1:], strict=False)), metadata=metadata, type_check=False)


def written(folder: Path, made: Any) -> Path:
    path = folder / "net.nir"
    nir.write(str(path), made)
    return path


def neurons(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    one, threshold = np.ones(shape), rng.uniform(0.5, 1.5, shape)
    if kind == "IF":
        return nir.IF(r=one / DT, v_threshold=threshold)
    if kind == "LIF":
        return nir.LIF(tau=20 * DT * one, r=20 * one, v_leak=0.1 * one, v_threshold=threshold)
    return nir.CubaLIF(tau_syn=4 * DT * one, tau_mem=20 * DT * one, r=20 * one, v_leak=0 * one,
                       v_threshold=threshold, w_in=2 * one)  # fmt: skip


def chains(kind: str) -> dict[str, tuple[list[Any], tuple[int, ...]]]:
    rng = np.random.default_rng(4)
    normal = lambda *shape: rng.normal(size=shape)  # noqa: E731
    each = lambda *shape: neurons(kind, shape, rng)  # noqa: E731
    conv = nir.Conv2d((5, 6), normal(4, 2, 3, 2), (1, 2), (1, 0), (1, 1), 1, normal(4) / 9)
    wide = nir.Conv2d((4, 4), normal(4, 1, 2, 2), 1, "same", (2, 1), 2, np.zeros(4))
    pair = lambda *values: np.array(values)  # noqa: E731
    return {
        "dense": ([nir.Affine(normal(5, 6), normal(5) / 9), each(5), nir.Linear(normal(3, 5)), each(3)], (6,)),
        "scaled and delayed": ([nir.Delay(np.full(6, 2 * DT)), nir.Scale(normal(6)), nir.Linear(normal(5, 6)),
                                each(5), nir.Delay(np.full(5, 3 * DT)), nir.Linear(normal(3, 5)), each(3)], (6,)),
        "direct": ([each(6), nir.Scale(normal(6)), each(6)], (6,)),
        "image": ([conv, each(4, 5, 3), nir.Flatten({"input": pair(4, 5, 3)}, 0), nir.Linear(normal(3, 60)),
                   each(3)], (2, 5, 6)),
        "groups": ([wide, each(4, 4, 4), nir.SumPool2d(pair(2, 2), pair(2, 2), pair(0, 0)),
                    nir.Flatten({"input": pair(4, 2, 2)}, 0), nir.Linear(normal(2, 16)), each(2)], (2, 4, 4)),
        "pools": ([nir.AvgPool2d(pair(2, 2), pair(2, 2), pair(0, 0)), each(2, 2, 3),
                   nir.SumPool2d(pair(2, 2), pair(1, 1), pair(0, 1)), each(2, 1, 4)], (2, 4, 6)),
        "line": ([nir.Conv1d(8, normal(3, 2, 3), 2, 1, 1, 1, normal(3) / 9), each(3, 4),
                  nir.Flatten({"input": pair(3, 4)}, 0), nir.Linear(normal(2, 12)), each(2)], (2, 8)),
    }  # fmt: skip


def spikes_of(chip_program: Any, name: str, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Spikes on the chip as (ticks, *shape), channels-first."""
    run = emulate(chip_program, x, record=[f"{name}.spikes"])
    last = (*shape[1:], shape[0])
    found = np.zeros((chip_program.run_ticks, int(np.prod(shape))))
    rows = run.spikes[name]
    found[rows[:, 1], rows[:, 2]] = 1
    return np.moveaxis(found.reshape(-1, *last), -1, 1) if len(shape) > 1 else found


def compared(kind: str, name: str, profile: str, folder: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """(simulated, emulated) spikes of each neuron node over the ticks that both have."""
    nodes, shape = chains(kind)[name]
    program = place(load_network(written(folder, graph(nodes, shape)), profile, dt=DT), ticks=TICKS)
    x = (np.random.default_rng(6).random((TICKS, *shape)) < 0.4).astype(float)
    places = [k for k, node in enumerate(nodes) if type(node).__name__ in ("IF", "LIF", "CubaLIF")]
    wanted = simulate(nodes, x, DT)
    lines = (np.moveaxis(x, 1, -1) if len(shape) > 1 else x).reshape(1, TICKS, -1)
    got = [spikes_of(program, f"n{k}", lines, nodes[k].v_threshold.shape) for k in places]
    return [(a[:TICKS], b[:TICKS]) for a, b in zip(wanted, got, strict=True)]


@pytest.mark.parametrize("name", chains("IF"))
def test_a_chain_of_integrators_is_carried_over_exactly(name: str, tmp_path: Path) -> None:
    """On the ideal chip, up to its reset by subtraction: so with membranes that are cleared."""
    cleared = load_profile("ideal", override={"operation.fire.reset": "zero"})
    for wanted, got in compared("IF", name, cleared, tmp_path):  # type: ignore[arg-type]
        assert wanted.any()
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("kind", ["LIF", "CubaLIF"])
@pytest.mark.parametrize("name", ["dense", "image"])
def test_leaky_neurons_fire_as_often_on_loihi(kind: str, name: str, tmp_path: Path) -> None:
    wanted, got = compared(kind, name, "loihi1", tmp_path)[0]
    assert wanted.any()
    assert np.abs(got.sum(axis=0) - wanted.sum(axis=0)).mean() <= NIR_COUNTS * wanted.sum(axis=0).mean()


def test_the_table_says_what_became_of_each_number(tmp_path: Path) -> None:
    nodes, shape = chains("CubaLIF")["dense"]
    network = load_network(written(tmp_path, graph(nodes, shape)), "loihi1", dt=DT)
    rows = {(row.owner, row.parameter): row for row in network.fidelity}
    kept = rows["population n1", "share of the current kept"]
    assert kept.values.tolist() == pytest.approx([0.75] * 5)
    assert kept.registers.tolist() == [1023] * 5
    assert kept.error == pytest.approx(0.0, abs=1e-12)
    weight = rows["projection x -> n1", "weight"]
    np.testing.assert_allclose(weight.values, nodes[0].weight.T * 2 / 4, rtol=1e-12)
    assert 0 < weight.error <= NIR_WEIGHT * np.abs(weight.values).max()
    report = place(network).report["fidelity"]
    assert len(report) == len(rows)
    assert json.loads(json.dumps(report)) == report


def test_a_reset_that_differs_is_told(tmp_path: Path) -> None:
    nodes, shape = chains("IF")["dense"]
    path = written(tmp_path, graph(nodes, shape, dt=DT))
    notes = [row.note for row in load_network(path, "ideal").fidelity if row.parameter == "reset"]
    assert notes == ["zero in the graph, subtract on the chip"] * 2
    assert all(row.parameter != "reset" for row in load_network(path, "loihi1").fidelity)


def random_network(profile: str, seed: int) -> SpikingNetwork:
    """Two populations, a loop between them, delays of many kinds, and a readout."""
    rng = np.random.default_rng(seed)
    network = SpikingNetwork(profile)
    x = network.input(
        "x", 10, encoding="rate", scale=rng.uniform(0.5, 1, 5), signed=True, order=rng.permutation(5)
    )
    if network.profile.is_analog:
        a = network.population(
            "a", 8, vth=rng.uniform(0.5, 2, 8), bias=rng.normal(size=8) / 9, init={"v": rng.random(8)}
        )
        b = network.population("b", 4, vth=1.0)
        weights, shared = (lambda *shape: rng.normal(size=shape)), [{}] * 4
    else:
        a = network.population(
            "a", 8, vth=rng.integers(9, 40, 8), bias=rng.integers(-9, 9, 8), bias_exp=3,
            refractory=1 + (profile == "loihi1"),
            decay_u=rng.integers(0, 4096, 8), decay_v=rng.integers(0, 900, 8),
        )  # fmt: skip
        b = network.population("b", 4, vth=20, decay_v=rng.integers(0, 2) * 100)
        weights = lambda *shape: rng.integers(-60, 60, size=shape) * 2  # noqa: E731
        shared = [{"w_exp": rng.integers(-2, 4, 8)}, {}, {"w_exp": 2}, {}]
    network.connect(x, a, weights(10, 8), **shared[0])
    network.connect(a, b, weights(8, 4), delays=rng.integers(0, 3, (8, 4)), **shared[1])
    network.connect(b, a, weights(4, 8), **shared[2])
    network.connect(x, b, weights(10, 4), delays=2, **shared[3])
    network.output(a)
    network.output(b, read="v", scale=rng.uniform(1, 2, 4), offset=1.0)
    return network


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("profile", ["loihi1", "loihi1:lava", "ideal"])
def test_export_and_import_give_the_same_spikes_and_registers(
    profile: str, seed: int, tmp_path: Path
) -> None:
    program = place(random_network(profile, seed), ticks=24)
    paths = export(program, "nir", tmp_path / "out")
    again = place(load_network(paths[0], profile), ticks=24)
    x = np.random.default_rng(seed).uniform(-1, 1, (5, 5))
    record = ["a.spikes", "b.spikes", "a.v", "b.v"]
    first, second = emulate(program, x, record=record), emulate(again, x, record=record)
    assert len(first.spikes["a"]) > 20
    for name in ("a", "b"):
        np.testing.assert_array_equal(first.spikes[name], second.spikes[name])
        np.testing.assert_array_equal(first.registers[f"{name}.v"], second.registers[f"{name}.v"])
    np.testing.assert_array_equal(first.outputs, second.outputs)
    assert crosscheck(again, x[:1], reference="twin").equal


def test_the_command_exports_and_says_what_nir_cannot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place(random_network("loihi1", 0), ticks=8).save(tmp_path / "net.spikeloom")
    folder = tmp_path / "out"
    assert cli.run(["export", str(tmp_path / "net.spikeloom"), "--format", "nir", "-o", str(folder)]) == 0
    assert "2 files" in " ".join(capsys.readouterr().out.split())  # a long path wraps
    assert (folder / "network.nir").is_file()
    told = json.loads((folder / "fidelity.json").read_text())
    assert any("hop between populations takes 1 ticks" in line for line in told["not_said"])
    assert any("how inputs become spikes: rate" in line for line in told["not_said"])
    assert {row["parameter"] for row in told["parameters"]} == {"v_threshold", "bias", "tau_syn", "tau_mem"}


ONE = np.ones(2)
REFUSED: dict[str, tuple[str, str, Callable[[], Any]]] = {
    "unknown node": ("n0", "not supported", lambda: graph([nir.LI(ONE, ONE, ONE)], (2,))),
    "no neurons": ("graph", "no spiking neurons", lambda: graph([nir.Linear(np.ones((2, 2)))], (2,))),
    "no tick": ("n0", "length of a tick", lambda: graph([nir.LIF(ONE, ONE, ONE, ONE)], (2,))),
    "delay without a tick": (
        "n1", "length of a tick", lambda: graph([nir.Delay(ONE), nir.IF(ONE, ONE)], (2,))),
    "short time constant": (
        "n0", "shorter than a tick", lambda: graph([nir.LIF(ONE * 0.5, ONE, ONE, ONE)], (2,), dt=1.0)),
    "no time constant": ("n0", "not positive", lambda: graph([nir.LIF(ONE * 0, ONE, ONE, ONE)], (2,), dt=1.0)),
    "wrong size": (
        "n1", "does not take", lambda: graph([nir.Linear(np.ones((3, 2))), nir.IF(ONE, ONE)], (2,))),
    "wrong matrix": (
        "n0", "flat vector", lambda: graph([nir.Linear(np.ones((2, 3))), nir.IF(ONE, ONE)], (2,))),
    "readout without neurons": (
        "y", "not read from spiking neurons", lambda: graph([nir.IF(ONE, ONE), nir.Linear(np.ones((2, 2)))], (2,))),
    "no tick length": ("dt", "positive", lambda: graph([nir.LIF(ONE, ONE, ONE, ONE)], (2,), dt=0.0)),
}  # fmt: skip


@pytest.mark.parametrize(("subject", "problem", "build"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_by_the_nodes_name(
    subject: str, problem: str, build: Callable[[], Any], tmp_path: Path
) -> None:
    with pytest.raises(SpikeloomError, match=problem) as caught:
        load_network(written(tmp_path, build()), "loihi1")
    assert subject in caught.value.subject
    assert "\n" not in str(caught.value)


def test_what_the_chip_cannot_do_is_refused(tmp_path: Path) -> None:
    leaky = written(tmp_path, graph([nir.LIF(ONE * 9, ONE, ONE, ONE)], (2,), dt=1.0))
    with pytest.raises(NetworkError, match="keeps all of its value"):
        load_network(leaky, "ideal")
    with pytest.raises(NetworkError, match="is not a NIR graph, or damaged"):
        leaky.write_bytes(leaky.read_bytes()[:700])
        load_network(leaky, "ideal")
    with pytest.raises(NetworkError, match="does not exist"):
        load_network(tmp_path / "none.nir", "ideal")


def test_bad_exports_are_refused(tmp_path: Path) -> None:
    program = place(random_network("ideal", 0), ticks=8)
    with pytest.raises(ProgramError, match="format: is unknown"):
        export(program, "onnx", tmp_path)  # type: ignore[arg-type]
    with pytest.raises(ProgramError, match="cannot be made"):
        export(program, "nir", tmp_path / "a" / "b")
