"""The folder of a sweep: a manifest, a file a finished point, and at the end the table; all written atomically."""

from __future__ import annotations

import csv
import io
import json
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any

from spikeloom.errors import SpikeloomError
from spikeloom.report.plain import to_plain, write_text

Point = Mapping[str, Any]
Result = Mapping[str, Any]
FORMAT, VERSION = "spikeloom sweep", 1
PACKAGES = ("spikeloom", "numpy", "scipy", "highspy")  # whose versions may change a result
KEPT = "finished points are kept: the same command goes on from them"


@contextmanager
def open_folder(
    path: Path, task: Callable[..., Any], grid: Mapping[str, Sequence[Any]]
) -> Iterator[SweepFolder]:
    """Make the folder, or go on with one that was made by the same task and versions; nobody else may meanwhile.

    Raises SpikeloomError where it cannot be written, is in use, or belongs to another sweep.
    """
    manifest = _manifest(task, grid)
    try:
        (path / "points").mkdir(parents=True, exist_ok=True)
        lock = (path / "lock").open("w", encoding="utf-8")
    except OSError as error:
        raise SpikeloomError(f"folder {path}", f"cannot be written: {error.strerror}") from None
    with lock:
        _hold(lock, path)
        for half_written in (*path.glob(".*.*.*"), *path.glob("points/.*.*.*")):
            half_written.unlink()  # of a run that was killed
        there = _read(path / "manifest.json")
        if there is not None:
            _check_same(path, there, manifest)
        folder = SweepFolder(path)
        folder._write("manifest.json", json.dumps(manifest, indent=1) + "\n")
        yield folder


@dataclass(frozen=True)
class SweepFolder:
    """Results by point, on disk."""

    path: Path

    def result(self, point: Point) -> Result | None:
        """What the task gave at this point; None where it has not been run."""
        found = _read(self.path / "points" / _file_name(point))
        return found["result"] if found is not None and found.get("point") == dict(point) else None

    def save(self, point: Point, result: Result) -> None:
        """Keep a result. Raises SpikeloomError where it cannot be written; those before it stay."""
        entry = {"point": dict(point), "result": to_plain(result)}
        self._write(f"points/{_file_name(point)}", json.dumps(entry, allow_nan=False) + "\n")

    def write_tables(self, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
        """`table.csv` and `table.jsonl`; the same results give the same bytes."""
        rows = list(rows)
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        self._write("table.csv", text.getvalue())
        self._write("table.jsonl", "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows))

    def _write(self, name: str, text: str) -> None:
        try:
            write_text(self.path / name, text)
        except SpikeloomError as error:
            raise SpikeloomError(error.subject, error.problem, remedy=KEPT) from None


def _hold(lock: IO[str], path: Path) -> None:
    """Keep a second sweep out of the folder for as long as the file is open, whatever ends this process."""
    import fcntl

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SpikeloomError(
            f"folder {path}", "is in use by another sweep", remedy="wait for its end"
        ) from None


def task_name(task: Callable[..., Any]) -> str:
    """What a task is known by: its `identity`, where it has one, else where it is defined."""
    identity = getattr(task, "identity", None)
    if isinstance(identity, str):
        return identity
    kind = task if hasattr(task, "__qualname__") else type(task)
    return f"{kind.__module__}.{kind.__qualname__}"


def _file_name(point: Point) -> str:
    """Of the point's values, whatever the order of the axes."""
    return sha256(json.dumps(dict(point), sort_keys=True).encode()).hexdigest()[:32] + ".json"


def _manifest(task: Callable[..., Any], grid: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """What the results depend on: the task, the versions, and the grid with its seeds."""
    versions = {name: _version(name) for name in PACKAGES}
    return {
        "format": FORMAT,
        "version": VERSION,
        "task": task_name(task),
        "facts": to_plain(getattr(task, "facts", {})),
        "versions": {"python": platform.python_version(), **versions},
        "machine": platform.machine(),
        "grid": {axis: list(values) for axis, values in grid.items()},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _read(path: Path) -> Any:
    """The JSON of a file, None where there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not the JSON that a sweep writes"
        raise SpikeloomError(f"file {path}", f"cannot be read: {reason}", remedy="remove it") from None


def _check_same(path: Path, there: Mapping[str, Any], manifest: Mapping[str, Any]) -> None:
    """Refuse results of another task, other data or other versions; a grid may grow."""
    for key in ("format", "version", "task", "facts", "versions"):
        if there.get(key) != manifest[key]:
            raise SpikeloomError(f"folder {path}", f"holds a sweep of another {key}", value=there.get(key),
                                 limit=manifest[key], remedy="choose another folder")  # fmt: skip
