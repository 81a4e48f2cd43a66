"""How fast is the emulator? One line for each workload, against the hand-written limit where its path is given.

    python tests/benchmarks/table.py [--limit PROGRAM] [--only W1 --only W4] [--repeats 7]

Processor time of one thread through the public entry `emulate`, the checks of its input, event counts and rule
counters included. The spikes must be the golden ones, or there is no figure.
"""

from __future__ import annotations

import argparse
import sys

from measure import LIMIT_LINES, counts, cpu_seconds, limit_seconds, run
from workloads import GOLDEN, workload

HEADER = "workload  samples  seconds  G events/s  G updates/s  of the limit"


def main(arguments: list[str] | None = None) -> int:
    """Print the table; 1 where a golden count is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--limit", help="path of the limit program, to print ratios to it")
    parser.add_argument("--only", action="append", choices=sorted({name for name, _ in GOLDEN}))
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args(arguments)
    wanted = [key for key in GOLDEN if given.only is None or key[0] in given.only]
    limits = limit_seconds(given.limit, {name for name, _ in wanted}) if given.limit else {}
    print(HEADER)
    missed = [key for key in wanted if not _line(*key, given.repeats, limits.get(LIMIT_LINES[key][1]))]
    for name, samples in missed:
        print(f"{name} with {samples} samples misses its golden counts", file=sys.stderr)
    return 1 if missed else 0


def _line(name: str, samples: int, repeats: int, limit: float | None) -> bool:
    """Print one line; False where the spikes are not the golden ones."""
    work = workload(name, samples)
    if counts(run(work)) != work.golden:
        return False
    seconds = cpu_seconds(lambda: run(work), repeats)
    ratio = "-" if limit is None else f"{seconds / limit:.2f}"
    print(
        f"{name:8}  {samples:7}  {seconds:7.4f}  {work.events / seconds / 1e9:10.2f}  "
        f"{work.updates / seconds / 1e9:11.2f}  {ratio:>12}"
    )
    return True


if __name__ == "__main__":
    sys.exit(main())
