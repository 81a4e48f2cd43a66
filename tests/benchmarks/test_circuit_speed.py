"""Is the emulator, clock by clock, faster than its circuit under Verilator by what is promised?"""

import runpy
import shutil
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "python" / "examples" / "circuit_speed.py"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("verilator") is None, reason="on Debian: apt install verilator g++")
def test_a_core_of_64_neurons_is_ten_times_as_fast():
    """By processor time; measured 17 on two cores of a server. Clocks and spikes are compared on the way."""
    found = runpy.run_path(str(EXAMPLE))["measure"](64, 4000)
    assert found.clocks > 1_000_000 and found.spikes > 5_000
    assert found.ratio > 10, found
