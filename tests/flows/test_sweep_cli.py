"""Does `spikeloom sweep` run every point of a GRID.toml, and go on where it was stopped?"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from spikeloom.cli import run
from spikeloom.flows.sweep import SweepTable
from spikeloom.flows.terminal.sweep_text import yield_lines

GRID = """
[validate]
ann = "net.onnx"
inputs = "data.npz:x"
labels = "data.npz:y"
profile = "loihi1"
seed = 3
[grid]
ticks = [4, 8]
"profile.weights.bits" = [4, 8]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """net.onnx of one hidden layer, its data, and grid.toml."""
    folder, rng = tmp_path_factory.mktemp("sweep"), np.random.default_rng(4)
    weights = [numpy_helper.from_array(rng.normal(size=shape).astype(np.float32), name)
               for name, shape in (("w", (4, 5)), ("v", (5, 3)))]  # fmt: skip
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"], name="fc1"), helper.make_node("Relu", ["h"], ["a"]),
             helper.make_node("MatMul", ["a", "v"], ["y"], name="fc2")]  # fmt: skip
    ports = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size])
        for name, size in (("x", 4), ("y", 3))
    ]
    graph = helper.make_graph(nodes, "net", ports[:1], ports[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "net.onnx")
    np.savez(folder / "data.npz", x=rng.random((60, 4)), y=rng.integers(3, size=60))
    (folder / "grid.toml").write_text(GRID, encoding="utf-8")
    return folder


def test_a_grid_gives_a_table_and_is_not_run_twice(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["sweep", str(folder / "grid.toml"), "-o", str(folder / "out"), "--workers", "1"]
    assert run(command) == 0
    text = capsys.readouterr().out
    assert text.split()[:4] == ["ticks", "profile.weights.bits", "score", "agreement"]
    rows = [
        json.loads(line) for line in (folder / "out" / "table.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert [(row["ticks"], row["profile.weights.bits"]) for row in rows] == [(4, 4), (4, 8), (8, 4), (8, 8)]
    assert all(row["score_low"] <= row["score"] <= row["score_high"] for row in rows)
    assert len({row["profile_hash"] for row in rows}) == 2
    facts = json.loads((folder / "out" / "manifest.json").read_text(encoding="utf-8"))["facts"]
    assert facts["fixed"] == {"profile": "loihi1", "seed": 3}
    assert {"ann", "inputs", "labels", "calibration"} <= set(facts)
    for path in (folder / "out" / "points").iterdir():  # what is there is taken, not run again
        entry = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**entry, "result": {"score": 7}}), encoding="utf-8")
    assert run([*command, "--json"]) == 0
    assert [row["score"] for row in json.loads(capsys.readouterr().out)["rows"]] == [7, 7, 7, 7]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("ticks =", "tocks =", "has an unknown key 'tocks'"),
        ('ann = "net.onnx"', "", "ann is missing"),
        ('inputs = "data.npz:x"', 'inputs = "none.npy"', "does not exist"),
        ("[grid]", "[grid", "is not TOML"),
        ("ticks = [4, 8]", 'labels = ["a"]', "labels cannot be an axis"),
    ],
)
def test_a_grid_file_that_is_wrong_is_one_line(
    old: str, new: str, said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "wrong.toml").write_text(GRID.replace(old, new), encoding="utf-8")
    assert run(["sweep", str(folder / "wrong.toml"), "-o", str(folder / "wrong")]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (folder / "wrong").exists()


def test_the_yield_counts_chips_that_lose_less_than_a_point(tmp_path: Path) -> None:
    rows = tuple({"ticks": 8, "chip_seed": k, "score": 0.9 - loss, "score_without_imperfections": 0.9}
                 for k, loss in enumerate((0.0, 0.009, 0.02, -0.01)))  # fmt: skip
    lines = yield_lines(SweepTable(rows, tmp_path), ["ticks", "chip_seed"])
    assert lines == ["75 % of 4 chips lose less than 1 point (95 %: 30 to 95 %) at ticks 8"]
    assert yield_lines(SweepTable(rows, tmp_path), ["ticks"]) == []
