"""The fenced blocks of a Markdown file, and how each kind is run."""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
RUN_MARK = "<!-- test: run -->"
_FENCE = re.compile(r"^(?P<fence>```+)(?P<kind>\w*)[^\n]*\n(?P<text>.*?)^(?P=fence)$", re.M | re.S)


class Block(NamedTuple):
    """One fenced block: its language, its text, its line, and whether the line above it asks for a run."""

    kind: str
    text: str
    line: int
    marked: bool


def blocks(markdown: str) -> list[Block]:
    """Every fenced block in order."""
    return [
        Block(
            match["kind"],
            match["text"],
            markdown.count("\n", 0, match.start()) + 1,
            markdown[: match.start()].rstrip().endswith(RUN_MARK),
        )
        for match in _FENCE.finditer(markdown)
    ]


def run_python(found: list[Block], name: str) -> int:
    """Execute the python blocks in order, in one namespace and the working folder; how many there were."""
    namespace: dict[str, object] = {"__name__": "readme"}
    python = [block for block in found if block.kind == "python"]
    for block in python:
        # Line numbers of a failure are those of the Markdown file.
        code = compile("\n" * block.line + block.text, name, "exec")
        exec(code, namespace)  # noqa: S102
    return len(python)


def write_profiles(found: list[Block], folder: Path) -> list[Path]:
    """Write each TOML block that is a profile to a file named as its id."""
    paths = []
    for block in found:
        chip = re.search(r'^id = "(\w+)"', block.text, re.M)
        if block.kind == "toml" and chip:
            path = folder / f"{chip[1]}.toml"
            path.write_text(block.text, encoding="utf-8")
            paths.append(path)
    return paths


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """(command, what it should print) of a console block: a line `$ command`, then its output."""
    parts = re.split(r"^\$ ", block.text, flags=re.M)
    for part in parts[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def run_command(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a `spikeloom` command of a console block with this interpreter."""
    program, *arguments = shlex.split(command, comments=True)
    assert program == "spikeloom", f"a marked block holds {program}, which tests do not run"
    start = "import sys; from spikeloom.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", start, *arguments], cwd=folder, capture_output=True, text=True, timeout=120
    )


def same_output(expected: str, got: str) -> bool:
    """True where both agree; `...` in the expected text stands for anything."""
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    return doctest.OutputChecker().check_output(expected, got, flags)
