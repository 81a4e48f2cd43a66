"""Does the command line explain itself?"""

from __future__ import annotations

from pathlib import Path

import pytest
from readme_blocks import run_command

COMMANDS = ("demo", "convert", "emulate", "crosscheck", "profiles", "check", "validate", "sweep")


def test_help_names_every_command(tmp_path: Path) -> None:
    done = run_command("spikeloom --help", tmp_path)
    assert done.returncode == 0, done.stderr
    assert [name for name in COMMANDS if name not in done.stdout] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_explains_itself_with_an_example(tmp_path: Path, name: str) -> None:
    done = run_command(f"spikeloom {name} --help", tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"spikeloom {name}" in done.stdout
    assert "Example" in done.stdout
