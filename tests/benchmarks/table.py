"""How fast is the emulator? One line for each workload, against the hand-written limit where its path is given.

    python tests/benchmarks/table.py [--limit PROGRAM] [--only W1 --only W4] [--repeats 7] [--peers] [--threads 2]
        [--cycles] [--against REVISION]

Processor time of one thread through the public entry `emulate`, the checks of its input, event counts and rule
counters included: the median and the fastest run, and the ratio of medians to the limit program. Single samples of W1
and W2 are run 201 times, as it runs them. It times its loop alone; of a single sample, whose call takes as long as
many ticks, the ratio of our ticks alone stands below: of a call less one of a single tick. The spikes must be the
golden ones, or there is no figure. With `--peers`, how many times as long the installed simulators take. With
`--threads`, how many times faster so many threads are by the clock on the wall. With `--cycles`, how many times as
long W4 and W4u take with `timing="cycle"`, and with `--peers`, too, how long W1 and W4 with clocks take in SANA-FE.
With `--against`, this spikeloom beside that of a git revision instead.
"""

from __future__ import annotations

import argparse
import sys

from against import print_ratios
from clocked import FEW, beside_sanafe, cycle_costs
from measure import (
    LIMIT_LINES,
    LIMIT_REPEATS,
    counts,
    cpu_seconds,
    limit_seconds,
    run,
    run_first_tick,
    wall_seconds,
)
from peers import peers, sanafe_is_there
from workloads import GOLDEN, Workload, workload

HEADER = "workload  samples   median  fastest  G events/s  G updates/s  of the limit"


def main(arguments: list[str] | None = None) -> int:
    """Print the table; 1 where a golden count is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--limit", action="append", default=[], help="path of a limit program; of several, each"
    )
    parser.add_argument("--peers", action="store_true", help="run the other simulators that are installed")
    parser.add_argument("--threads", type=int, help="also run the samples on so many threads")
    parser.add_argument("--cycles", action="store_true", help="also W4 and W4u with clocks, on open_core")
    parser.add_argument("--against", metavar="REVISION", help="compare with a git revision, by turns")
    parser.add_argument("--only", action="append", choices=sorted({name for name, _ in GOLDEN}))
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args(arguments)
    wanted = [key for key in GOLDEN if given.only is None or key[0] in given.only]
    if given.against is not None:
        print_ratios(given.against, wanted, given.repeats)
        return 0
    limits: dict[str, float] = {}
    for program in given.limit:
        limits |= limit_seconds(program, {name for name, _ in wanted})
    print(HEADER)
    missed = []
    for key in wanted:
        work = workload(*key)
        if not work.is_hit(counts(run(work))):
            missed.append(key)
            continue
        limit = limits.get(LIMIT_LINES.get(key, ("", ""))[1])
        repeats = max(given.repeats, LIMIT_REPEATS.get(key, 0))
        seconds = _line(work, key[1], repeats, limit)
        if limit is not None and key[1] == 1:
            _ticks_alone(work, seconds, repeats, limit)
        if given.peers:
            _peers(work, seconds)
        if given.cycles and work.name in FEW:
            _cycles(work.name)
        if given.cycles and given.peers and key in (("W1", 1), ("W4", 1)):
            _sanafe(work.name)
        if given.threads is not None:
            _threads(work, given.threads, given.repeats)
    for name, samples in missed:
        print(f"{name} with {samples} samples misses its golden counts", file=sys.stderr)
    return 1 if missed else 0


def _line(work: Workload, samples: int, repeats: int, limit: float | None) -> float:
    """Print one line; the median of the seconds."""
    seconds, fastest = cpu_seconds(lambda: run(work), repeats)
    ratio = "-" if limit is None else f"{seconds / limit:.2f}"
    print(
        f"{work.name:8}  {samples:7}  {seconds:7.4f}  {fastest:7.4f}  {work.events / seconds / 1e9:10.2f}  "
        f"{work.updates / seconds / 1e9:11.2f}  {ratio:>12}",
        flush=True,
    )
    return seconds


def _ticks_alone(work: Workload, seconds: float, repeats: int, limit: float) -> None:
    ticks = work.spikes.shape[1]
    one, _ = cpu_seconds(lambda: run_first_tick(work), repeats)
    alone = (seconds - one) * ticks / (ticks - 1)
    print(f"    its ticks alone {alone:.6f} s, {alone / limit:.2f} of the limit", flush=True)


def _peers(work: Workload, seconds: float) -> None:
    for name, peer in peers(work.name).items():
        if isinstance(peer, str):
            print(f"    {peer}", flush=True)
            continue
        taken = peer(work)
        print(f"    {name} takes {taken:.4f} s, {taken / seconds:.2f} times as long", flush=True)


def _cycles(name: str) -> None:
    none, cycle = cycle_costs(name)
    print(
        f"    on open_core a tick takes {none:.4f} s, {cycle / none:.1f} times as long with its clocks",
        flush=True,
    )


def _sanafe(name: str) -> None:
    if not sanafe_is_there():
        print("    sanafe is not installed")
        return
    for controller, ours, theirs in beside_sanafe(name):
        print(
            f"    with clocks ({controller}) a tick takes {ours:.6f} s, in SANA-FE {theirs:.6f} s, "
            f"{theirs / ours:.0f} times as long",
            flush=True,
        )


def _threads(work: Workload, threads: int, repeats: int) -> None:
    one = wall_seconds(lambda: run(work), repeats)
    several = wall_seconds(lambda: run(work, threads=threads), repeats)
    print(f"    {threads} threads are {one / several:.2f} times as fast by the clock on the wall", flush=True)


if __name__ == "__main__":
    sys.exit(main())
