"""Do the examples of the README files run as printed?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import spikeloom as sl
from readme_blocks import (
    ROOT,
    RUN_MARK,
    Block,
    blocks,
    commands,
    run_command,
    run_python,
    same_output,
    write_profiles,
)


def _blocks(name: str) -> list[Block]:
    return blocks((ROOT / name).read_text(encoding="utf-8"))


def test_python_blocks_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_python(_blocks("README.md"), "README.md") >= 1


def test_marked_console_blocks_of_the_readme_print_what_they_say(tmp_path: Path) -> None:
    marked = [block for block in _blocks("README.md") if block.kind == "console" and block.marked]
    for command, expected in (pair for block in marked for pair in commands(block)):
        done = run_command(command, tmp_path)
        assert done.returncode == 0, done.stderr
        assert same_output(expected, done.stdout), done.stdout


def test_every_command_of_the_readme_exists() -> None:
    console = [block for block in _blocks("README.md") if block.kind == "console"]
    names = {
        part.split()[1]
        for block in console
        for command, _ in commands(block)
        for part in command.split("&&")
        if part.split()[0] == "spikeloom"
    }
    assert "demo" in names
    for name in names:
        assert run_command(f"spikeloom {name} --help", ROOT).returncode == 0


def test_the_table_of_verdicts_has_every_profile() -> None:
    text = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w:]+)` \| (\d+) of (\d+) \| [\d-]+ \|", text, flags=re.MULTILINE)
    assert sorted(name for name, _, _ in rows) == sorted(sl.list_profiles())
    assert all(equal == programs for _, equal, programs in rows)


def test_the_profile_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = _blocks("hw_profiles/README.md")
    profiles = write_profiles(found, tmp_path)
    assert [path.stem for path in profiles] == ["mychip", "loihi_4bit"]
    for path in profiles:
        assert sl.load_profile(path).name == path.stem
    assert run_python(found, "hw_profiles/README.md") == 2


def test_the_profile_guide_names_every_shipped_profile() -> None:
    guide = (ROOT / "hw_profiles" / "README.md").read_text(encoding="utf-8")
    for name in sl.list_profiles():
        chip, _, variant = name.partition(":")
        assert f"`{chip}.toml`" in guide
        assert variant in guide


def test_blocks_are_found_with_their_kind_and_mark() -> None:
    text = "```console\n$ spikeloom --version\n1...\n$ spikeloom x\n```\n```python\nx = 1\n```\n"
    console, python = blocks(f"# t\n{RUN_MARK}\n{text}")
    assert (console.kind, console.marked, python.kind, python.marked) == ("console", True, "python", False)
    assert list(commands(console)) == [("spikeloom --version", "1...\n"), ("spikeloom x", "")]
    assert same_output("1...\n", "1 and more\n")
    assert not same_output("1\n", "2\n")


def test_a_failing_python_block_fails() -> None:
    with pytest.raises(ZeroDivisionError):
        run_python(blocks("```python\n1 / 0\n```\n"), "text")
