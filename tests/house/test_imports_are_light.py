"""Does importing the package, or asking for help, stay quick?"""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

HEAVY_FOR_HELP = (
    "brian2", "matplotlib", "onnx", "gymnasium", "highspy", "torch", "sklearn", "keras", "scipy", "numpy",
    "pydantic",
)  # fmt: skip
HEAVY = (*HEAVY_FOR_HELP, "typer", "rich")
IMPORT = "import spikeloom"
HELP = "import sys; sys.argv = ['spikeloom', '--help']; from spikeloom.cli import main; main()"
LIMIT_S = 0.5


def _seconds(code: str) -> float:
    """Processor time, so that other work on the machine does not count."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("code", [IMPORT, HELP])
def test_it_takes_less_than_half_a_second(code: str) -> None:
    assert min(_seconds(code) for _ in range(3)) < LIMIT_S


@pytest.mark.parametrize(("code", "heavy"), [(IMPORT, HEAVY), (HELP, HEAVY_FOR_HELP)])
def test_no_heavy_package_is_loaded(code: str, heavy: tuple[str, ...]) -> None:
    report = f"import atexit, sys; atexit.register(lambda: print('loaded', *sys.modules)); {code}"
    done = subprocess.run([sys.executable, "-c", report], check=True, capture_output=True, text=True)
    loaded = done.stdout.rpartition("loaded ")[2].split()
    assert "spikeloom" in loaded
    assert [name for name in heavy if name in loaded] == []
