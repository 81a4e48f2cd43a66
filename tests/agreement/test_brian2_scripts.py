"""Does a written Brian2 script run on its own, agree, and notice a wrong value?"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import EmulationError, SpikeloomError
from spikeloom.flows.comparison.emulated_traces import emulated_trace
from spikeloom.flows.crosscheck import crosscheck
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.program.program import ChipProgram
from spikeloom.reference.brian2.script import brian2_script

ALONE = "import sys; sys.modules['spikeloom'] = None; import runpy; runpy.run_path(sys.argv[1], run_name='__main__')"


def _program(profile: str = "loihi1") -> ChipProgram:
    """Two layers with delays and negative weights; on `ideal` with real weights."""
    rng = np.random.default_rng(6)
    network = SpikingNetwork(profile)
    whole = profile != "ideal"
    first, second = (
        rng.integers(-60, 120, size) * 2 if whole else rng.normal(size=size) for size in ((4, 5), (5, 3))
    )
    lines = network.input("lines", 4, encoding="rate")
    a, b = (network.population(name, size, vth=1) for name, size in (("a", 5), ("b", 3)))
    network.connect(lines, a, first)
    network.connect(a, b, second, delays=rng.integers(0, 4, (5, 3)) if whole else 0)
    network.output(b)
    return place(network, ticks=12)


def _run(path: Path) -> subprocess.CompletedProcess[str]:
    """Where spikeloom cannot be imported."""
    return subprocess.run(
        [sys.executable, "-c", ALONE, str(path)], capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("profile", ["loihi1", "ideal"])
def test_a_script_runs_alone_and_compares_as_much_as_the_check(profile: str, tmp_path: Path) -> None:
    program, x = _program(profile), np.random.default_rng(1).random((2, 4))
    check = crosscheck(program, x, reference="twin", script=tmp_path / "check.py")
    assert check.equal
    done = _run(tmp_path / "check.py")
    assert done.returncode == 0, done.stderr
    spikes, values = (check.compared[key] for key in ("spikes", "register_values"))
    assert spikes > 0
    assert done.stdout == f"equal: {spikes} spikes, {values} register values, 2 samples\n"
    assert "spikeloom" not in re.sub(
        r'ARRAYS = """.*?"""', "", (tmp_path / "check.py").read_text(), flags=re.DOTALL
    )


def test_a_wrong_register_is_noticed(tmp_path: Path) -> None:
    program, x = _program(), np.random.default_rng(1).random((1, 4))
    names = [
        f"{p.name}.{what}"
        for p in program.populations
        for what in ("spikes", *program.profile.element_names())
    ]
    trace = emulated_trace(program, emulate(program, x, record=names), 0)
    trace.registers["v"][7, 2] += 1
    spikes = np.zeros((1, program.ticks, 4), dtype=np.uint8)
    path = tmp_path / "check.py"
    path.write_text(brian2_script(program, spikes, [{}], [trace]), encoding="utf-8")
    done = _run(path)
    assert done.returncode == 1
    assert "values differ" in done.stdout


def test_a_script_elsewhere_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmulationError, match=r"must end in \.py"):
        crosscheck(_program(), np.zeros((1, 4)), script=tmp_path / "check.txt")
    with pytest.raises(SpikeloomError, match="cannot be written"):
        crosscheck(_program(), np.zeros((1, 4)), reference="twin", script=tmp_path / "none" / "check.py")
