"""Do `emulate` and `crosscheck` run the chip, the trial, the age and the effects that the command line asks for?"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spikeloom as sl
from spikeloom.cli import run
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place

CHIPS = [
    ("", {}),
    ("--chip-seed 7", {"chip_seed": 7}),
    ("--trial-seed 3", {"trial_seed": 3}),
    ("--chip-seed 7 --age 86400", {"chip_seed": 7, "age_s": 86400.0}),
    ("--effect drift --effect programming --age 5", {"effects": ["drift", "programming"], "age_s": 5.0}),
    ("--effect none", {"effects": ()}),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a crossbar, net.spikeloom, and samples of it, x.npy."""
    rng, network = np.random.default_rng(0), SpikingNetwork("pcm_crossbar")
    lines, neurons = network.input("x", 6, encoding="rate"), network.population("n", 5, tau_s=1e-5)
    network.connect(lines, neurons, rng.uniform(-0.2, 0.8, (6, 5)))
    network.output(neurons, read="v")
    place(network, ticks=12).save(tmp_path / "net.spikeloom")
    np.save(tmp_path / "x.npy", rng.random((2, 6)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], command: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run([*shlex.split(command), "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_emulate_runs_the_chip_that_is_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program, x = sl.load_program(folder / "net.spikeloom"), np.load(folder / "x.npy")
    outputs = []
    for flags, options in CHIPS:
        payload = said(capsys, f"emulate net.spikeloom --inputs x.npy {flags}")
        recording = sl.emulate(program, x, **options)
        assert payload["outputs"] == recording.outputs.tolist()
        assert payload["effects"] == list(recording.effects)
        outputs.append(json.dumps(payload["outputs"]))
    assert len(set(outputs)) == len(CHIPS)


@pytest.mark.parametrize("reference", ["twin", "brian2"])
def test_crosscheck_passes_the_chip_on(
    folder: Path, capsys: pytest.CaptureFixture[str], reference: str
) -> None:
    flags = "--chip-seed 7 --trial-seed 2 --age 100"
    payload = said(capsys, f"crosscheck net.spikeloom --inputs x.npy --reference {reference} {flags}")
    assert payload["equal"]
    assert payload["left_out"] == (["read", "output_noise"] if reference == "brian2" else [])


def test_the_text_names_the_effects(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for flags, words in (("--effect drift", "effects  drift"), ("--effect none", "none: the ideal chip")):
        assert run(shlex.split(f"emulate net.spikeloom --inputs x.npy {flags}")) == 0
        assert words in " ".join(capsys.readouterr().out.split("\n")).replace("   ", "  ")


def test_an_unknown_effect_is_refused_in_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(shlex.split("emulate net.spikeloom --inputs x.npy --effect drft")) != 0
    assert "effect drft: is no imperfection of the profile" in capsys.readouterr().err
