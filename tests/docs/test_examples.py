"""Do the example scripts run, and end as they say?"""

from __future__ import annotations

import subprocess
import sys

import pytest
from readme_blocks import ROOT


@pytest.mark.parametrize(
    ("script", "last_line"),
    [
        ("script_a_run.py", "the click is straight ahead, at +8"),
        ("convert_and_check.py", "Brian2 agrees: "),
        ("validate_for_a_chip.py", "twin and Brian2 agree"),
        ("measure_chips.py --chips xylo_a2 --seeds 1", "xylo_a2   "),
    ],
)
def test_an_example_runs_to_its_end(script: str, last_line: str) -> None:
    name, *options = script.split()
    if name == "measure_chips.py":
        pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    command = [sys.executable, str(ROOT / "python" / "examples" / name), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith(last_line)
