"""Points run by workers of any executor; the task itself travels to each worker once."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from typing import Any

from spikeloom.errors import SpikeloomError

Point = Mapping[str, Any]
Result = Mapping[str, Any]
Task = Callable[[Point], Result]
IN_FLIGHT = 16  # points that a foreign executor is given at a time
CANCELLATIONS = 3  # of one point, then the sweep gives up
DEATHS = 3  # in a row without a finished point, then the sweep gives up
MISSING = "the worker does not have the task yet"
ORPHAN_SECONDS = 0.5
_tasks: dict[str, Task] = {}  # of this worker process


def run_points(
    task: Task, points: Sequence[Point], executor: Executor | None, workers: int | None
) -> Generator[tuple[Point, Result]]:
    """Points with their results as they end, each once. Processes that die are replaced, where they are our own."""
    if not points:
        return
    key = uuid.uuid4().hex
    if executor is not None:
        yield from _through(executor, key, task, list(points), IN_FLIGHT)
        return
    left, deaths = list(points), 0
    while left:
        count = min(_worker_count(workers), len(left))
        pool = ProcessPoolExecutor(
            count, mp_context=multiprocessing.get_context("spawn"), initializer=_receive,
            initargs=(key, task, os.getpid()),
        )  # fmt: skip
        try:
            for point, result in _through(pool, key, task, left, 2 * count):
                left.remove(point)
                deaths = 0
                yield point, result
        except BrokenExecutor:
            deaths += 1
            if deaths == DEATHS:
                remedy = "look for too little memory; finished points are kept"
                raise SpikeloomError(
                    "workers", "die", value=f"{len(left)} points left", remedy=remedy
                ) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _through(
    executor: Executor, key: str, task: Task, points: Sequence[Point], most: int
) -> Generator[tuple[Point, Result]]:
    """Keep `most` points in flight; a worker that lacks the task is sent it with the point.

    A cluster cancels futures whose results went with a worker or a connection; their points are submitted again.
    """
    waiting = list(reversed(points))
    running: dict[Future[Any], Point] = {}
    losses: Counter[str] = Counter()
    try:
        while waiting or running:
            while waiting and len(running) < most:
                point = waiting.pop()
                running[executor.submit(_run, key, point)] = point
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                point = running.pop(future)
                try:
                    result = future.result()
                except CancelledError:
                    _count_loss(losses, point)
                    waiting.append(point)
                    continue
                if result == MISSING:
                    running[executor.submit(_run_with, key, task, point)] = point
                else:
                    yield point, result
    finally:
        for future in running:
            future.cancel()


def _count_loss(losses: Counter[str], point: Point) -> None:
    """Raises SpikeloomError where the same point was cancelled again and again."""
    losses[repr(point)] += 1
    if losses[repr(point)] > CANCELLATIONS:
        raise SpikeloomError("executor", "cancels a point again and again", value=dict(point),
                             limit=CANCELLATIONS, remedy="look at its log; finished points are kept")  # fmt: skip


def _run(key: str, point: Point) -> Result | str:
    """At the worker: the task at a point. What the package refuses is a result; other errors are not."""
    if key not in _tasks:
        return MISSING
    try:
        return dict(_tasks[key](point))
    except SpikeloomError as error:
        return {"error": str(error)}


def _run_with(key: str, task: Task, point: Point) -> Result | str:
    """At the worker: keep the task, then run it."""
    _tasks.clear()
    _tasks[key] = task
    return _run(key, point)


def _receive(key: str, task: Task, parent: int) -> None:
    """A process of our own starts: it keeps the task, and ends when nobody waits for it any more."""
    _tasks[key] = task
    threading.Thread(target=_end_without, args=(parent,), daemon=True).start()


def _end_without(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(ORPHAN_SECONDS)
    os._exit(1)


def _worker_count(workers: int | None) -> int:
    if workers is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise SpikeloomError("workers", "must be a whole number of at least 1", value=workers)
    return workers
