"""A task at every point of a grid: each point saved as it ends, resumed after a kill, never run twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeloom.errors import SpikeloomError
from spikeloom.flows.sweeping.folder import Point, Result, open_folder
from spikeloom.flows.sweeping.workers import run_points

if TYPE_CHECKING:
    from spikeloom.emulation.emulate import Progress

Task = Callable[[Mapping[str, Any]], Mapping[str, Any]]
VALUES = (str, int, float, bool, type(None))  # what an axis may hold: values that JSON keeps as they are


@dataclass(frozen=True, eq=False)
class SweepTable:
    """One row a point, in the order of the grid: the point's values, then the task's results.

    A point at which the task raised SpikeloomError has its message under "error" and no results. `folder` holds
    the same as `table.csv` and `table.jsonl`, beside `manifest.json`.
    """

    rows: tuple[Mapping[str, Any], ...]
    folder: Path

    @property
    def columns(self) -> tuple[str, ...]:
        """Names in the order in which they first appear; "error" last, where there is one."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        return tuple(sorted(names, key=lambda name: name == "error"))

    def column(self, name: str) -> list[Any]:
        """The values of one column, None where a row has none. Raises SpikeloomError for an unknown name."""
        if name not in self.columns:
            raise SpikeloomError(f"column {name}", "does not exist", limit=", ".join(self.columns))
        return [row.get(name) for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)


def sweep(
    task: Task,
    grid: Mapping[str, Sequence[Any]],
    folder: str | Path,
    *,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> SweepTable:
    """Run a task at every combination of the grid's values, in parallel.

    Parameters
    ----------
    task : takes a point, {axis: value}, and returns results, {name: number, text, bool or None}. It must be
        possible to send it to another process: a function of a module, or an object with `__call__` that holds its
        data, which then reaches every worker once, not once a point.
    grid : axis -> its values; the last axis varies fastest.
    folder : where each point is saved as it ends. Called again with the same task, a sweep goes on where it was
        stopped, whatever stopped it; a longer grid adds to it. Another task is refused.
    executor : anything with the protocol of `concurrent.futures.Executor`: of Dask (`Client.get_executor()`), of MPI
        (`mpi4py.futures.MPIPoolExecutor`), ... By default, processes of this machine, so a script that calls this
        needs the usual `if __name__ == "__main__":`.
    workers : processes of the default executor; one a processor if not given.

    Raises SpikeloomError where an axis is empty or its values are not plain, the folder cannot be written, or a
    worker dies again and again. An error of the task that is not a SpikeloomError stops the sweep and comes through.
    """
    points = list(_points(grid))
    with open_folder(Path(folder), task, grid) as store:
        missing = [point for point in points if store.result(point) is None]
        done = len(points) - len(missing)
        tell = progress or _silent
        tell("points", done, len(points))
        with closing(run_points(task, missing, executor, workers)) as results:
            for count, (point, result) in enumerate(results, start=done + 1):
                store.save(point, result)
                tell("points", count, len(points))
        table = SweepTable(tuple(_row(point, store.result(point)) for point in points), Path(folder))
        store.write_tables(table.rows, table.columns)
    return table


def _silent(what: str, done: int, total: int) -> None:
    """Where nobody wants to be told."""
    del what, done, total


def _points(grid: Mapping[str, Sequence[Any]]) -> Iterator[Point]:
    """Every combination, the last axis fastest."""
    for axis, values in grid.items():
        if isinstance(values, str) or not isinstance(values, Sequence) or not values:
            raise SpikeloomError(f"axis {axis}", "must be a list of at least one value", value=values)
        for value in values:
            if not isinstance(value, VALUES):
                raise SpikeloomError(
                    f"axis {axis}", "holds a value that is no number or text", value=repr(value)
                )
        if len({(type(value), value) for value in values}) < len(values):
            raise SpikeloomError(f"axis {axis}", "holds a value twice", value=list(values))
    return (dict(zip(grid, values, strict=True)) for values in product(*grid.values()))


def _row(point: Point, result: Result | None) -> dict[str, Any]:
    """The point and its results; a result must not take an axis's name."""
    assert result is not None
    clash = set(point) & set(result)
    if clash:
        raise SpikeloomError(
            f"result {min(clash)}", "has the name of an axis", remedy="rename it in the task"
        )
    return {**point, **result}
