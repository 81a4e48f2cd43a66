"""This spikeloom beside another git revision of it, run by turns on the same machine."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

HERE = Path(__file__).parent
PIP = (sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target")


def print_ratios(revision: str, wanted: Iterable[tuple[str, int]], repeats: int) -> None:
    """One line a workload: the median of the ratios of neighbouring runs, with the least and the largest."""
    with ExitStack() as stack:
        folder = stack.enter_context(installed(revision))
        sides = [stack.enter_context(_side()), stack.enter_context(_side(folder))]
        for name, samples in wanted:
            print(_line(sides, revision, name, samples, repeats), flush=True)


@contextmanager
def installed(revision: str) -> Iterator[Path]:
    """A folder with the spikeloom of a revision; its sources are checked out beside and removed again."""
    with tempfile.TemporaryDirectory() as folder:
        sources, target = Path(folder) / "sources", Path(folder) / "installed"
        _git("worktree", "add", "-q", "--detach", str(sources), revision)
        try:
            subprocess.run([*PIP, str(target), str(sources)], check=True)
            yield target
        finally:
            _git("worktree", "remove", "--force", str(sources))


def _git(*arguments: str) -> None:
    subprocess.run(["git", "-C", str(HERE), *arguments], check=True)


@contextmanager
def _side(folder: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(HERE / "one_side.py"), *([] if folder is None else [str(folder)])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _line(sides: list[subprocess.Popen[str]], revision: str, name: str, samples: int, repeats: int) -> str:
    runs = []
    for turn in range(repeats + 1):  # the first builds and warms up
        answers = [_ask(side, name, samples) for side in sides]
        failed = [answer for answer in answers if isinstance(answer, str)]
        if failed:
            return f"{name:8}  {samples:7}  {failed[0]}"
        if turn:
            runs.append(answers)
    here, there = (statistics.median(side) for side in zip(*runs, strict=True))
    ratios = sorted(float(mine) / float(other) for mine, other in runs)
    return (
        f"{name:8}  {samples:7}  {here:.4f} s, {there:.4f} s at {revision}: {statistics.median(ratios):.3f} "
        f"({ratios[0]:.3f} to {ratios[-1]:.3f})"
    )


def _ask(side: subprocess.Popen[str], name: str, samples: int) -> float | str:
    assert side.stdin is not None and side.stdout is not None
    side.stdin.write(f"{name} {samples}\n")
    side.stdin.flush()
    answer = side.stdout.readline().strip()
    return (
        answer or "failed: the process ended" if not answer or answer.startswith("failed") else float(answer)
    )
