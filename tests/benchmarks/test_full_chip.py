"""Does a full chip load in the memory that a laptop has? Here a quarter of it; `full_chip.py` measures all of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from full_chip import CORES, FAN_IN, NEURONS, full_chip

QUARTER = CORES // 4
SYNAPSES = CORES * NEURONS * FAN_IN
PROCESS = 150e6  # bytes of Python, numpy and the package, without a program
RESIDENT, PEAK = (2**30 - PROCESS) / SYNAPSES, (1.5 * 2**30 - PROCESS) / SYNAPSES  # bytes a synapse may take


def test_a_quarter_of_a_chip_takes_a_quarter_of_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "quarter.spikeloom"
    full_chip(QUARTER).save(path)
    command = [sys.executable, str(Path(__file__).with_name("full_chip.py")), "load"]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, timeout=300, check=True)
    found = json.loads(done.stdout)
    assert found["synapses"] == SYNAPSES // 4 > 24e6 and found["neurons"] == QUARTER * NEURONS
    assert found["resident"] < PROCESS + RESIDENT * found["synapses"]
    assert found["peak"] < PROCESS + PEAK * found["synapses"]
    assert found["resident"] > found["synapses"]  # it was there
