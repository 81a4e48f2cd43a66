"""Does the command line do what the public functions do, and say so in text that fits a terminal, or JSON?"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import spikeloom
from onnx import TensorProto, helper, numpy_helper
from spikeloom.cli import app, run
from spikeloom.reference.compare import CrossCheck, Divergence

COMMANDS = (
    "demo",
    "profiles",
    "check",
    "convert",
    "emulate",
    "explain",
    "crosscheck",
    "validate",
    "sweep",
    "export",
)
COLUMNS = 80
TICKS = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with net.onnx (4 inputs, 6 hidden neurons, 12 outputs), x.npy and pair.npz."""
    folder, rng = tmp_path_factory.mktemp("cli"), np.random.default_rng(1)
    values = {"w": (4, 6), "b": (6,), "v": (6, 12), "c": (12,)}
    weights = [numpy_helper.from_array(rng.normal(size=s).astype(np.float32), n) for n, s in values.items()]
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"], name="fc1"),
        helper.make_node("Relu", ["h"], ["a"], name="relu1"),
        helper.make_node("Gemm", ["a", "v", "c"], ["y"], name="fc2"),
    ]
    ports = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 12])]
    graph = helper.make_graph(nodes, "net", ports, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "net.onnx")
    samples = rng.random((100, 4)).astype(np.float32)
    np.save(folder / "x.npy", samples)
    np.savez(folder / "pair.npz", few=samples[:5], all=samples)
    return folder


@pytest.fixture(scope="module")
def program(folder: Path) -> Path:
    """The program that `convert` makes of net.onnx."""
    target = folder / "net.spikeloom"
    command = f"convert net.onnx -p loihi1 --calibration x.npy --ticks {TICKS} --seed 3 -o net.spikeloom"
    assert run(in_folder(command, folder)) == 0
    return target


@pytest.fixture(autouse=True)
def narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever terminal the tests are started from, they print as into a pipe."""
    for name in ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    yield


def in_folder(command: str, folder: Path) -> list[str]:
    """The words of a command line, with the files of `folder` in place of their names."""
    a_file = re.compile(r"^(?=[\w.]+\.(onnx|np[yz]|spikeloom)\b)")
    return [a_file.sub(f"{folder}/", word) for word in shlex.split(command)]


def said(capsys: pytest.CaptureFixture[str], arguments: list[str], code: int = 0) -> str:
    """What a command prints on stdout; nothing may appear on stderr."""
    capsys.readouterr()
    assert run(arguments) == code
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def said_json(capsys: pytest.CaptureFixture[str], arguments: list[str], code: int = 0) -> dict[str, Any]:
    """The one JSON object that a command prints."""
    text = said(capsys, [*arguments, "--json"], code)
    assert text.count("\n") == 1
    payload = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert isinstance(payload, dict)
    return payload


def test_convert_gives_what_the_function_gives(folder: Path, program: Path) -> None:
    rows = np.load(folder / "x.npy")
    expected = spikeloom.convert(folder / "net.onnx", "loihi1", calibration=rows, ticks=TICKS, seed=3)
    by_hand, by_command = (
        spikeloom.emulate(each, rows).outputs for each in (expected.program, spikeloom.load_program(program))
    )
    assert np.array_equal(by_hand, by_command)
    assert spikeloom.load_program(program).ticks == TICKS


def test_convert_reports_every_layer_and_candidate(
    folder: Path, program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = f"convert net.onnx -p loihi1 --calibration x.npy --ticks {TICKS} -o again.spikeloom"
    command = in_folder(command, folder)
    payload = said_json(capsys, command)
    assert payload["wrote"] == str(folder / "again.spikeloom")
    assert [layer["name"] for layer in payload["layers"]] == ["fc1", "fc2"]
    assert payload["chosen"] in payload["candidates"]
    assert "copy" in payload["candidates"]
    for layer in payload["layers"]:
        assert layer["loss"] >= layer["bound"]
        assert layer["cores"] == 1
    text = said(capsys, command)
    assert all(name in text for name in ("fc1", "fc2", "copy", "again.spikeloom", f"{TICKS} ticks"))


def test_convert_tunes_to_a_chip_and_takes_layers_from_a_checkpoint(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = f"convert net.onnx -p pcm_crossbar --chip-seed 3 --calibration x.npy --ticks {TICKS}"
    command += " --checkpoint done.npz"
    text = said(capsys, in_folder(f"{command} -o one.spikeloom", folder))
    assert re.search(r"tuned +to chip 3 by (synapses|neurons|nominal);", text)
    assert said(capsys, in_folder(f"{command} -o one.spikeloom", folder)) == text
    assert spikeloom.load_program(folder / "one.spikeloom").chip_seed == 3


def test_settings_reach_the_profile_and_the_program(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = f"convert net.onnx -p loihi1:lava --set weights.bits=4 --calibration x.npy --ticks {TICKS}"
    assert run(in_folder(f"{command} -o four.spikeloom", folder)) == 0
    assert spikeloom.load_program(folder / "four.spikeloom").profile.name == "loihi1:lava+weights.bits=4"


def test_emulate_gives_and_writes_what_the_function_gives(
    folder: Path, program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = spikeloom.emulate(spikeloom.load_program(program), np.load(folder / "x.npy")[:5])
    command = "emulate net.spikeloom --inputs pair.npz:few --record fc1.spikes -o run.npz"
    payload = said_json(capsys, in_folder(command, folder))
    assert np.array_equal(np.array(payload["outputs"]), recording.outputs)
    assert payload["wrote"] == str(folder / "run.npz")
    with np.load(folder / "run.npz", allow_pickle=False) as written:
        assert np.array_equal(written["outputs"], recording.outputs)
        assert any("fc1" in name for name in written.files)
    text = said(capsys, in_folder("emulate net.spikeloom --inputs pair.npz:few", folder))
    assert "5 samples" in text
    assert "run.npz" not in text


def test_emulate_takes_other_ticks(folder: Path, program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loaded, rows = spikeloom.load_program(program), np.load(folder / "x.npy")[:5]
    expected = spikeloom.emulate(loaded, rows, ticks=3).outputs
    payload = said_json(capsys, in_folder("emulate net.spikeloom --inputs pair.npz:few --ticks 3", folder))
    assert np.array_equal(np.array(payload["outputs"]), expected)


@pytest.mark.parametrize("reference", ["twin", "brian2"])
def test_crosscheck_says_equal_and_how_much_was_compared(
    reference: str, folder: Path, program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = f"crosscheck net.spikeloom --inputs x.npy --reference {reference} --samples 2"
    command = in_folder(command, folder)
    payload = said_json(capsys, command)
    assert payload["equal"] is True
    assert payload["first_divergence"] is None
    assert payload["compared"]["samples"] == 2
    assert payload["compared"]["register_values"] > 0
    assert "equal" in said(capsys, command)


def test_crosscheck_that_differs_says_where_and_fails(
    folder: Path, program: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    divergence = Divergence(sample=1, tick=5, core=0, neuron=2, register="v", expected=7, got=8)
    result = CrossCheck(False, {"samples": 2}, divergence)
    monkeypatch.setattr(spikeloom, "crosscheck", lambda *_, **__: result, raising=False)
    command = in_folder("crosscheck net.spikeloom --inputs x.npy", folder)
    assert "tick 5" in said(capsys, command, code=1)
    assert said_json(capsys, command, code=1)["first_divergence"]["register"] == "v"


def test_profiles_lists_every_profile(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, ["profiles"])
    assert [line.split()[0] for line in text.splitlines()[1:]] == spikeloom.list_profiles()
    listed = said_json(capsys, ["profiles"])["profiles"]
    assert [row["profile"] for row in listed] == spikeloom.list_profiles()


def test_profiles_shows_limits_levels_operations_and_sources(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, ["profiles", "loihi1", "--set", "weights.bits=4"])
    facts = ("1,024 neurons per core", "-256 to 224 in steps of 32", "decay_mul", "unverified (weights.bits)")
    for expected in facts:
        assert expected in text
    shown = said_json(capsys, ["profiles", "loihi1:lava"])
    assert (shown["name"], shown["regs"]["v"]["overflow"]) == ("loihi1:lava", "saturate")


@pytest.mark.parametrize(
    "arguments", [["loihi1"], ["loihi1:lava"], ["loihi1", "--set", "operation.fire.cmp=ge"]]
)
def test_a_printed_profile_loads_as_the_same_chip(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(capsys, ["profiles", *arguments, "--toml"])
    file = tmp_path / ("my.toml" if 'id = "my"' in text else "loihi1.toml")
    file.write_text(text, encoding="utf-8")
    loaded, expected = spikeloom.load_profile(file), said_json(capsys, ["profiles", *arguments])
    assert loaded.operation == spikeloom.load_profile(arguments[0]).operation or "operation" in arguments[-1]
    own = loaded.model_dump(mode="json", by_alias=True)
    assert {key: own[key] for key in ("operation", "regs", "weights", "limits")} == {
        key: expected[key] for key in ("operation", "regs", "weights", "limits")
    }


def test_check_passes_a_sound_profile_and_shows_what_was_compared(capsys: pytest.CaptureFixture[str]) -> None:
    payload = said_json(capsys, ["check", "loihi1", "--programs", "3", "--seed", "5"])
    assert (payload["profile"], payload["ok"], payload["findings"]) == ("loihi1", True, [])
    assert payload["compared"]["the twin"] == 3
    text = said(capsys, ["check", "loihi1", "--programs", "3", "--set", "weights.bits=4"])
    assert "numbers without a source: weights.bits" in text


def test_check_fails_a_profile_that_is_not_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, ["profiles", "loihi1", "--toml"]).replace('thr = "vth"', 'thr = "vht"')
    (tmp_path / "loihi1.toml").write_text(text, encoding="utf-8")
    assert "vht" in said(capsys, ["check", str(tmp_path / "loihi1.toml")], code=1)
    payload = said_json(capsys, ["check", str(tmp_path / "loihi1.toml")], code=1)
    assert payload["ok"] is False
    assert any("vht" in finding for finding in payload["findings"])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples_of_options_that_exist(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(capsys, [command, "--help"])
    examples = [line.split(" > ")[0] for line in text.splitlines() if line.startswith("    spikeloom ")]
    assert examples
    for example in examples:
        name, *words = shlex.split(example)[1:]
        assert name == command
        for option in (word for word in words if word.startswith("-")):
            assert re.search(rf"^ *(-\w, )?{option}\b|^ *{option},", text, re.MULTILINE), option


def test_help_is_the_default_and_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, [])
    assert text == said(capsys, ["--help"])
    assert all(f"\n  {command}" in text for command in COMMANDS)


@pytest.mark.parametrize(
    "command", ["profiles", "profiles loihi1", "profiles ideal", "emulate net.spikeloom --inputs x.npy"]
)
def test_text_fits_eighty_columns_without_colour(
    command: str, folder: Path, program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(capsys, in_folder(command, folder))
    assert max(len(line) for line in text.splitlines()) <= COLUMNS
    assert "\x1b" not in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"spikeloom {spikeloom.__version__}\n"


def test_the_package_runs_as_a_module() -> None:
    shown = subprocess.run([sys.executable, "-m", "spikeloom", "--version"], capture_output=True, check=True)
    assert shown.stdout.decode().strip() == f"spikeloom {spikeloom.__version__}"


def test_every_command_is_documented_here() -> None:
    assert {command.name or command.callback.__name__ for command in app.registered_commands} == set(COMMANDS)
