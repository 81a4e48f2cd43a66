"""Does the command line explain itself?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from readme_blocks import run_command

COMMANDS = (
    "demo",
    "profiles",
    "explain",
    "convert",
    "validate",
    "sweep",
    "check",
    "crosscheck",
    "emulate",
    "export",
)


def test_help_names_every_command(tmp_path: Path) -> None:
    done = run_command("spikeloom --help", tmp_path)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in _commands(done.stdout)] == list(COMMANDS)
    assert "..." not in done.stdout.replace("[ARGS]...", "")
    assert max(len(line) for line in done.stdout.splitlines()) <= 80


def test_help_shows_the_three_uses_by_commands_that_exist(tmp_path: Path) -> None:
    """Each example names options that its command has."""
    examples = re.findall(
        r"^ +spikeloom (\w+) (.*)$", run_command("spikeloom --help", tmp_path).stdout, re.MULTILINE
    )
    assert {name for name, _ in examples} >= {"validate", "crosscheck", "sweep", "emulate"}
    for name, arguments in examples:
        described = run_command(f"spikeloom {name} --help", tmp_path).stdout
        for option in re.findall(r"(?<!\S)--?[a-z-]+", arguments):
            assert re.search(rf"(?<![\w-]){option}\b", described), f"{name} has no {option}"


def _commands(text: str) -> list[str]:
    return re.findall(r"^  (\w+ {2,}\S.*)$", text, re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_explains_itself_with_an_example(tmp_path: Path, name: str) -> None:
    done = run_command(f"spikeloom {name} --help", tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"spikeloom {name}" in done.stdout
    assert "Example" in done.stdout
