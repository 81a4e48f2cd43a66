"""One side of a comparison of two revisions: runs the workloads named on its standard input, one a line.

    python tests/benchmarks/one_side.py [FOLDER]

Prints the processor seconds of each run, or why there are none. FOLDER is where another spikeloom is installed.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workloads import Workload


def main() -> None:
    """Answer until the input ends; a workload is built when it is first asked for."""
    if sys.argv[1:]:
        _use(sys.argv[1])
    built: dict[tuple[str, int], Workload] = {}
    for line in sys.stdin:
        name, samples = line.split()
        try:
            print(_seconds(built, name, int(samples)), flush=True)
        except Exception as error:  # an older revision may lack what the workload needs
            print("failed:", str(error).replace("\n", " "), flush=True)


def _use(folder: str) -> None:
    """Import spikeloom from this folder, also where another one is installed for editing."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if "ScikitBuild" not in type(finder).__name__]
    sys.path.insert(0, folder)


def _seconds(built: dict[tuple[str, int], Workload], name: str, samples: int) -> float:
    from measure import counts, run
    from workloads import workload

    if (name, samples) not in built:
        built[name, samples] = work = workload(name, samples)
        if not work.is_hit(counts(run(work))):
            raise AssertionError(f"{name} misses its golden counts")
    work = built[name, samples]
    start = time.process_time()
    run(work)
    return time.process_time() - start


if __name__ == "__main__":
    main()
