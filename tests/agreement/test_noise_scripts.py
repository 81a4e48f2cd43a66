"""Does a written script test noise on its own, as the cross-check does, and find other noise?"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import spikeloom as sl
from test_brian2_scripts import ALONE
from test_noise_in_brian2 import inputs, program, verdicts


def _run(path: Path) -> subprocess.CompletedProcess[str]:
    """Where spikeloom cannot be imported."""
    return subprocess.run(
        [sys.executable, "-c", ALONE, str(path)], capture_output=True, text=True, timeout=300, check=False
    )


def test_a_script_comes_to_the_verdicts_of_the_check(tmp_path: Path) -> None:
    chip, path = program("pcm_crossbar:adc"), tmp_path / "check.py"
    check = sl.crosscheck(chip, inputs(chip.ticks, samples=2), trials=30, script=path, chip_seed=3)
    done = _run(path)
    assert done.returncode == 0, done.stdout + done.stderr
    names = re.findall(r"^as it should be (\S+) of sample", done.stdout, flags=re.MULTILINE)
    assert names == [test.name for test in check.noise]
    assert "spikeloom" not in re.sub(r'ARRAYS = """.*?"""', "", path.read_text(), flags=re.DOTALL)


def test_other_noise_is_found(tmp_path: Path) -> None:
    chip, other = program("brainscales2"), program("brainscales2", noise_lsb=5.0)
    assert not all(test.ok for test in verdicts(chip, other, script=tmp_path / "check.py"))
    done = _run(tmp_path / "check.py")
    assert done.returncode == 1, done.stderr
    assert "DIFFERENT" in done.stdout


def test_more_trials_than_one_model_holds_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chip = program("brainscales2")
    monkeypatch.setattr("spikeloom.reference.brian2.noise_script.MOST_SYNAPSES", 100)
    with pytest.raises(
        sl.EmulationError, match="script: holds a copy of the program for each trial.*got 10, limit 1"
    ):
        sl.crosscheck(chip, inputs(chip.ticks), trials=10, script=tmp_path / "check.py")
    assert list(tmp_path.iterdir()) == []
