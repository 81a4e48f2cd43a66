"""Processor time of a run, and what the hand-written limit program needs for the same workload."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Mapping

import spikeloom as sl
from workloads import Workload

LIMIT_LINES = {  # what the limit program calls its fastest way through each workload
    ("W1", 1): ("1", "W1 B=1 event-driven int16"),
    ("W1", 256): ("1", "W1 B=256 event-driven 1 thread"),
    ("W2", 1): ("2", "W2 B=1 event-driven channels-last"),
    ("W2", 256): ("2", "W2 B=256 1 thread"),
    ("W3", 1): ("3", "W3 N=4000 dt=0.1 1 thread f64"),
    ("W4", 1): ("4", "W4 A: scatter u8idx+i8w per core row"),
    ("W4u", 1): ("4", "W4u scatter u16idx+i8w"),
}
LIMIT_REPEATS = {("W1", 1): 201, ("W2", 1): 201}  # short ones, which it runs more often than it does others


def counts(recording: sl.Recording) -> tuple[int, ...]:
    """Spikes of each population, all samples together."""
    return tuple(int(made.sum()) for made in recording.counts.values())


def run(workload: Workload, *, threads: int = 1, timing: str = "none") -> sl.Recording:
    """The workload through the public entry."""
    return sl.emulate(workload.program, workload.spikes, threads=threads, timing=timing)  # type: ignore[arg-type]


def run_first_tick(workload: Workload) -> sl.Recording:
    """A call that does all of `run` but the other ticks."""
    return sl.emulate(workload.program, workload.spikes[:, :1], ticks=1, threads=1)


def cpu_seconds(task: Callable[[], object], repeats: int) -> tuple[float, float]:
    """The median and the least of the processor time of a task, after one run to warm up."""
    taken = _timed(task, repeats, time.process_time)
    return taken[len(taken) // 2], taken[0]


def wall_seconds(task: Callable[[], object], repeats: int) -> float:
    """The least time that a task takes by the clock on the wall, after one run to warm up."""
    return _timed(task, repeats, time.perf_counter)[0]


def _timed(task: Callable[[], object], repeats: int, clock: Callable[[], float]) -> list[float]:
    task()
    taken = []
    for _ in range(repeats):
        start = clock()
        task()
        taken.append(clock() - start)
    return sorted(taken)


def limit_seconds(program: str, workloads: set[str]) -> Mapping[str, float]:
    """Median processor seconds of every line that the limit program prints for these workloads."""
    digits = {digit for (name, _), (digit, _) in LIMIT_LINES.items() if name in workloads}
    seconds = {}
    for digit in sorted(digits):
        done = subprocess.run([program, digit], capture_output=True, text=True, check=True)
        for line in done.stdout.splitlines():
            found = re.match(r"(.*?)\s+cpu med ([\d.]+)", line)
            if found:
                seconds[found[1]] = float(found[2])
    return seconds
