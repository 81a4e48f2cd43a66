"""`export` to Verilog and the cross-check with the circuit, from Python and on the command line."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import spikeloom as sl
from spikeloom.cli import run
from spikeloom.errors import EmulationError, ProgramError
from spikeloom.reference.circuit import rtl

SMALL = {"limits.neurons_per_core": 16, "limits.in_axons_per_core": 32}
MODULES = [
    "memory",
    "fifo",
    "schedule",
    "deliver",
    "accumulator",
    "soma",
    "send",
    "router",
    "barrier",
    "core",
    "mesh",
    "chip",
]


def has(tool):
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"on Debian: apt install {tool}")


@pytest.fixture(scope="module")
def program():
    rng = np.random.default_rng(1)
    network = sl.SpikingNetwork(sl.load_profile("open_core", override=SMALL))
    lines = network.input("in", 10)
    hidden, out = network.population("h", 24, vth=300), network.population("o", 5, vth=200, leak=20)
    network.connect(lines, hidden, rng.integers(-60, 128, (10, 24)))
    network.connect(hidden, out, rng.integers(-60, 128, (24, 5)))
    network.output(out)
    return sl.place(network, ticks=6)


@pytest.fixture(scope="module")
def folder(program, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "circuit"
    written = sl.export(program, "verilog", folder)
    assert sorted(written) == sorted(path for path in folder.rglob("*") if path.is_file())
    return folder


def check_silent(folder, *command):
    """A tool reads the circuit without an error or a warning."""
    files = [f"{name}.v" for name in MODULES] if command[0] != "yosys" else []
    done = subprocess.run([*command, *files], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@has("iverilog")
def test_icarus_accepts_the_circuit(folder):
    check_silent(folder, "iverilog", "-g2001", "-Wall", "-t", "null", "-s", "chip")


@has("verilator")
def test_verilator_accepts_the_circuit(folder):
    check_silent(folder, "verilator", "--lint-only", "-Wall", "--top-module", "chip")


@has("yosys")
def test_yosys_accepts_the_circuit_and_finds_no_latch(folder):
    files = " ".join(f"{name}.v" for name in MODULES)
    check = "select -assert-none t:$dlatch t:$_DLATCH_*; check -assert"
    check_silent(
        folder,
        "yosys",
        "-q",
        "-e",
        ".*",
        "-p",
        f"read_verilog {files}; hierarchy -check -top chip; proc; {check}",
    )


@has("iverilog")
def test_the_circuit_of_a_hand_built_network_is_equal(program, monkeypatch):
    monkeypatch.setattr(rtl, "SIMULATORS", ("iverilog",))
    inputs = (np.random.default_rng(2).random((2, 6, 10)) < 0.4).astype(np.uint8)
    check = sl.crosscheck(program, inputs, reference="rtl")
    assert check.equal, check.first_divergence
    assert check.compared["spikes"] > 50


def test_without_a_simulator_the_packages_are_named(program, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(EmulationError, match="apt install iverilog"):
        sl.crosscheck(program, np.zeros((1, 6, 10), np.uint8), reference="rtl")


def test_a_profile_without_a_circuit_is_refused(tmp_path):
    network = sl.SpikingNetwork(sl.load_profile("loihi1"))
    neurons = network.population("n", 2, vth=1)
    network.connect(network.input("in", 1), neurons, [[1, 1]])
    network.output(neurons)
    with pytest.raises(ProgramError, match="describes no circuit"):
        sl.export(sl.place(network, ticks=2), "verilog", tmp_path / "circuit")
    assert not list((tmp_path / "circuit").rglob("*.v"))


def test_the_command_writes_the_folder(program, tmp_path, capsys):
    program.save(tmp_path / "net.spikeloom")
    assert (
        run(["export", str(tmp_path / "net.spikeloom"), "--format", "verilog", "-o", str(tmp_path / "c")])
        == 0
    )
    assert "wrote" in capsys.readouterr().out
    assert (tmp_path / "c" / "Makefile").exists() and (
        tmp_path / "c" / "run" / "core0" / "inputs.txt"
    ).exists()


def test_the_cost_on_an_fpga_is_the_same_figure_everywhere():
    """What README, page and profile say of 64 neurons, within what was promised of an HX8K of 7680 cells."""
    fpga = sl.load_profile("open_core").chip.fpga
    assert fpga.neurons == 64 and fpga.logic_cells <= 0.6 * 7680 and fpga.clock_hz >= 25e6
    for name in ("README.md", "hw_profiles/open_core.md"):
        text = (Path(__file__).parents[2] / name).read_text(encoding="utf-8")
        assert f"{fpga.logic_cells} of " in text and f"{fpga.block_rams} of " in text
        assert f"{fpga.clock_hz / 1e6:.0f} MHz" in text
