"""Is every wrong command line refused in one line on stderr, with exit code 2 and nothing left behind?"""

from __future__ import annotations

import os
import pickle
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import spikeloom
from onnx import TensorProto, helper, numpy_helper
from spikeloom.cli import run
from spikeloom.errors import SpikeloomError

CONVERT = "convert net.onnx -p loihi1 --calibration x.npy -o out.spikeloom"
MISTAKES = {
    "no command of that name": ("convrt net.onnx", "convrt"),
    "unknown option": (f"{CONVERT} --tick 3", "--tick"),
    "missing option": ("convert net.onnx -p loihi1 -o out.spikeloom", "--calibration"),
    "missing argument": ("check", "PROFILE"),
    "no ticks": (f"{CONVERT} --ticks 0", "--ticks"),
    "ticks that are no number": (f"{CONVERT} --ticks many", "--ticks"),
    "unknown objective": (f"{CONVERT} --objective l7", "--objective"),
    "unknown bundled network": ("demo --only rnn", "rnn"),
    "unknown profile": (CONVERT.replace("loihi1", "loihi9"), "loihi9"),
    "unknown variant": (CONVERT.replace("loihi1", "loihi1:rust"), "rust"),
    "profile that is no TOML": (CONVERT.replace("loihi1", "damaged.toml"), "damaged.toml"),
    "profile that is missing": (CONVERT.replace("loihi1", "absent.toml"), "absent.toml"),
    "setting without a value": (f"{CONVERT} --set weights.bits", "KEY=VALUE"),
    "setting of an unknown field": (f"{CONVERT} --set weights.bitz=4", "weights.bits"),
    "setting of the wrong kind": (f"{CONVERT} --set weights.bits=many", "weights.bits"),
    "setting given twice": (f"{CONVERT} --set weights.bits=4 --set weights.bits=5", "weights.bits"),
    "toml of all profiles": ("profiles --toml", "profile"),
    "network that is missing": (CONVERT.replace("net.onnx", "absent.onnx"), "absent.onnx"),
    "network that is damaged": (CONVERT.replace("net.onnx", "damaged.onnx"), "damaged.onnx"),
    "network in a pickle": (CONVERT.replace("net.onnx", "net.pkl"), "net.pkl"),
    "network that is a folder": (CONVERT.replace("net.onnx", "folder.onnx"), "folder.onnx"),
    "samples that are missing": (CONVERT.replace("x.npy", "absent.npy"), "absent.npy"),
    "samples that are damaged": (CONVERT.replace("x.npy", "damaged.npy"), "damaged.npy"),
    "samples cut off": (CONVERT.replace("x.npy", "short.npy"), "short.npy"),
    "samples in a text file": (CONVERT.replace("x.npy", "x.csv"), "x.csv"),
    "samples that are objects": (CONVERT.replace("x.npy", "objects.npy"), "Python objects"),
    "samples that are text": (CONVERT.replace("x.npy", "text.npy"), "text.npy"),
    "samples with NaN": (CONVERT.replace("x.npy", "nan.npy"), "sample 7"),
    "samples of the wrong shape": (CONVERT.replace("x.npy", "wide.npy"), "shape"),
    "samples with one axis": (CONVERT.replace("x.npy", "flat.npy"), "first axis"),
    "no samples": (CONVERT.replace("x.npy", "none.npy"), "at least one"),
    "several arrays and no name": (CONVERT.replace("x.npy", "pair.npz"), "pair.npz:NAME"),
    "no array of that name": (CONVERT.replace("x.npy", "pair.npz:c"), "it holds a, b"),
    "damaged archive": (CONVERT.replace("x.npy", "damaged.npz:a"), "damaged.npz"),
    "archive with objects": (CONVERT.replace("x.npy", "objects.npz:a"), "Python objects"),
    "output of another kind": (CONVERT.replace("out.spikeloom", "out.zip"), "must end in .spikeloom"),
    "output in no folder": (CONVERT.replace("out.spikeloom", "nowhere/out.spikeloom"), "nowhere"),
    "output below a file": (CONVERT.replace("out.spikeloom", "x.npy/out.spikeloom"), "x.npy"),
    "output that is a folder": (CONVERT.replace("out.spikeloom", "folder.spikeloom"), "is a folder"),
    "program that is missing": ("emulate absent.spikeloom --inputs x.npy", "absent.spikeloom"),
    "program that is damaged": ("emulate damaged.spikeloom --inputs x.npy -o run.npz", "damaged.spikeloom"),
    "program cut off": ("crosscheck short.spikeloom --inputs x.npy", "short.spikeloom"),
    "inputs of the wrong shape": ("emulate good.spikeloom --inputs wide.npy -o run.npz", "shape"),
    "inputs with NaN": ("emulate good.spikeloom --inputs nan.npy -o run.npz", "sample 7"),
    "inputs that the recording would replace": (
        "emulate good.spikeloom --inputs one.npz -o one.npz",
        "input",
    ),
    "recording of another kind": ("emulate good.spikeloom --inputs x.npy -o run.txt", "must end in .npz"),
    "no population of that name": ("emulate good.spikeloom --inputs x.npy --record fc9.v -o run.npz", "fc9"),
    "no register of that name": ("emulate good.spikeloom --inputs x.npy --record fc1.w -o run.npz", "fc1.w"),
    "no reference of that name": ("crosscheck good.spikeloom --inputs x.npy --reference nest", "nest"),
    "no samples to check": ("crosscheck good.spikeloom --inputs x.npy --samples 0", "--samples"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with good, damaged and unsuitable files."""
    folder = tmp_path_factory.mktemp("bad")
    _write_networks(folder)
    _write_samples(folder)
    (folder / "damaged.toml").write_text("schema = = 1\n")
    for name in ("folder.onnx", "folder.spikeloom"):
        (folder / name).mkdir()
    good = folder / "good.spikeloom"
    spikeloom.convert(
        folder / "net.onnx", "loihi1", calibration=np.load(folder / "x.npy"), ticks=16
    ).program.save(good)
    content = good.read_bytes()
    (folder / "short.spikeloom").write_bytes(content[: len(content) // 2])
    (folder / "damaged.spikeloom").write_bytes(b"no program at all")
    return folder


def _write_networks(folder: Path) -> None:
    rng = np.random.default_rng(1)
    weights = [numpy_helper.from_array(rng.normal(size=(4, 3)).astype(np.float32), "w")]
    ports = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", size])
        for name, size in (("x", 4), ("y", 3))
    ]
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"], name="fc1")]
    graph = helper.make_graph(nodes, "net", ports[:1], ports[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "net.onnx")
    (folder / "damaged.onnx").write_bytes(b"\xff" + (folder / "net.onnx").read_bytes()[:40])
    (folder / "net.pkl").write_bytes(pickle.dumps(weights[0].SerializeToString()))


def _write_samples(folder: Path) -> None:
    x = np.random.default_rng(2).random((50, 4)).astype(np.float32)
    with_nan, objects = x.copy(), x.astype(object)
    with_nan[7, 2] = np.nan
    arrays = {"x": x, "nan": with_nan, "wide": np.ones((50, 5)), "flat": np.ones(4), "none": np.ones((0, 4))}
    for name, array in (arrays | {"objects": objects, "text": x.astype(str)}).items():
        np.save(folder / f"{name}.npy", array, allow_pickle=True)
    np.savez(folder / "pair.npz", a=x, b=x)
    np.savez(folder / "one.npz", a=x)
    np.savez(folder / "objects.npz", a=objects)
    np.savetxt(folder / "x.csv", x)
    (folder / "short.npy").write_bytes((folder / "x.npy").read_bytes()[:-40])
    (folder / "damaged.npy").write_bytes(b"\x00" * 300)
    archive = bytearray((folder / "pair.npz").read_bytes())
    archive[90:140] = bytes(50)
    (folder / "damaged.npz").write_bytes(archive)


def files(folder: Path) -> dict[str, int]:
    """Every file of a folder with the time of its last change."""
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line(
    mistake: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command, named = MISTAKES[mistake]
    monkeypatch.chdir(folder)
    before = files(folder)
    assert run(shlex.split(command)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert named in captured.err
    assert files(folder) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_is_refused_before_any_work(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.chmod(0o555)
    command = f"emulate {folder}/good.spikeloom --inputs absent.npy -o {tmp_path}/run.npz"
    assert run(shlex.split(command)) == 2
    assert "may not be written" in capsys.readouterr().err


def test_output_is_checked_before_the_input_is_read(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spikeloom, "load_ann", pytest.fail, raising=False)
    command = f"convert net.onnx -p loihi1 --calibration {folder}/x.npy -o nowhere/out.spikeloom"
    assert run(shlex.split(command)) == 2
    assert "nowhere" in capsys.readouterr().err


def _raises(error: BaseException) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (KeyboardInterrupt(), 130, ""),
        (SpikeloomError("layer fc1", "is too\nlarge"), 2, "error: layer fc1: is too large\n"),
        (MemoryError(), 2, "error: out of memory; give fewer samples at a time\n"),
        (OSError(28, "No space left on device", "out"), 2, "error: file out: No space left on device\n"),
        (
            ZeroDivisionError("x"),
            3,
            "error: a bug: ZeroDivisionError: x; SPIKELOOM_TRACEBACK=1 shows where\n",
        ),
    ],
)
def test_what_goes_wrong_inside_has_its_own_exit_code_and_no_traceback(
    error: BaseException,
    code: int,
    line: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SPIKELOOM_TRACEBACK", raising=False)
    monkeypatch.setattr(spikeloom, "check_profile", _raises(error), raising=False)
    assert run(["check", "loihi1"]) == code
    assert capsys.readouterr() == ("", line)


def test_a_bug_shows_its_traceback_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKELOOM_TRACEBACK", "1")
    monkeypatch.setattr(spikeloom, "check_profile", _raises(ZeroDivisionError()), raising=False)
    with pytest.raises(ZeroDivisionError):
        run(["check", "loihi1"])


def test_the_process_ends_with_the_exit_code(folder: Path) -> None:
    command = [sys.executable, "-m", "spikeloom.cli", "profiles", "loihi9"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
