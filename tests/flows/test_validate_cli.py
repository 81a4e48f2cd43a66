"""Does `spikeloom validate` say what the function finds, in text that fits a terminal, in JSON and in a file?"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from spikeloom.cli import run

COLUMNS = 80


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """net.onnx with 3 classes, 90 samples with labels, and 60 others."""
    folder, rng = tmp_path_factory.mktemp("validate"), np.random.default_rng(4)
    weights = [numpy_helper.from_array(rng.normal(size=shape).astype(np.float32), name)
               for name, shape in (("w", (4, 6)), ("v", (6, 3)))]  # fmt: skip
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"], name="fc1"), helper.make_node("Relu", ["h"], ["a"]),
             helper.make_node("MatMul", ["a", "v"], ["z"], name="fc2"),
             helper.make_node("Softmax", ["z"], ["y"])]  # fmt: skip
    ports = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 3])]
    graph = helper.make_graph(nodes, "net", ports, outputs, weights)
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
        folder / "net.onnx",
    )
    samples = rng.random((90, 4)).astype(np.float32)
    np.savez(folder / "data.npz", x=samples, y=rng.integers(3, size=90), other=rng.random((60, 4)))
    return folder


def _command(folder: Path, *more: str) -> list[str]:
    data = folder / "data.npz"
    return ["validate", str(folder / "net.onnx"), "-p", "loihi1", "--inputs", f"{data}:x", "--labels", f"{data}:y",
            "--ticks", "8", *more]  # fmt: skip


def test_the_report_names_stages_layers_work_and_verdicts(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    target = folder / "report.json"
    assert run(_command(folder, "-o", str(target))) == 0
    text = capsys.readouterr().out
    for said in ("45 rows to calibrate, drawn from the same data by a fixed seed, 45 others", "emulated chip",
                 "ANN, in its own framework", "fc1", "synaptic operations", "secondary", "Brian2    equal",
                 "twin      equal", "report.json"):  # fmt: skip
        assert said in " ".join(text.split()) or said in text
    assert max(len(line) for line in text.splitlines()) <= COLUMNS
    facts = json.loads(target.read_text(encoding="utf-8"))
    assert facts["data"] == {"calibrated": 45, "judged": 45, "repeated": 0, "drawn": True}
    assert [stage["name"] for stage in facts["stages"]][:2] == ["ann", "imported"]
    assert facts["stages"][0]["score"] == facts["stages"][1]["score"]


def test_json_has_the_figures_without_the_arrays(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ("--calibration", f"{folder / 'data.npz'}:other", "--reference", "twin", "--json")
    assert run(_command(folder, *more)) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["data"] == {"calibrated": 60, "judged": 90, "repeated": 0, "drawn": False}
    assert list(facts["checks"]) == ["twin"]
    assert facts["score_name"] == "accuracy"
    assert "pictures" not in facts


def test_a_network_tuned_to_a_chip_is_scored_on_it_too(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [one if one != "loihi1" else "pcm_crossbar" for one in _command(folder)]
    more = ("--chip-seed", "3", "--chips", "2", "--reference", "twin", "--time-limit", "1000", "--json")
    assert run([*command, *more]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert [stage["name"] for stage in facts["stages"]][-3:] == ["in_the_loop", "imperfect", "calibrated"]
    assert list(facts["chips"]) == ["0", "1"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--time-limit", "-1"), "time_limit_s: must be a positive number of seconds"),
        (("--chip-seed", "1"), "has no chip instances to fit"),
        (("--reference", "nest"), "references: must be a list of known names"),
        (("-o", "report.pdf"), "must end in"),
        (("--labels", "none.npy"), "file none.npy: does not exist"),
    ],
)
def test_a_mistake_is_one_line(
    more: tuple[str, ...], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(_command(folder, *more)) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
