"""Does a Dask cluster give the table of this machine's own processes, even if one of its workers dies?"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import pytest
import spikeloom as sl
from spikeloom.errors import SpikeloomError
from spikeloom.flows.sweeping.cluster import DaskExecutor, dask_executor
from sweep_tasks import Logged

pytest.importorskip("distributed", reason="the package distributed is not installed")
POINTS, DEADLY = 40, 17
SCRIPT = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from distributed import LocalCluster
from spikeloom.flows.sweep import sweep
from spikeloom.flows.sweeping.cluster import DaskExecutor, dask_executor
from sweep_tasks import Logged
if __name__ == "__main__":
    folder = Path(sys.argv[1])
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        for name, deadly in (("calm", -1), ("deadly", {DEADLY})):
            with dask_executor(cluster.scheduler_address) as executor:
                task = Logged(folder / f"log-{{name}}", 0.002, deadly)
                sweep(task, {{"a": list(range({POINTS}))}}, folder / name, executor=executor)
"""


def test_two_workers_and_one_that_dies_give_the_table_of_processes(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    sl.sweep(Logged(tmp_path / "log"), {"a": list(range(POINTS))}, tmp_path / "processes", workers=1)
    for name in ("table.csv", "table.jsonl", "manifest.json"):
        tables = {
            (tmp_path / run / name).read_text(encoding="utf-8") for run in ("processes", "calm", "deadly")
        }
        assert len(tables) == 1
    lines = (tmp_path / "log-calm").read_text(encoding="utf-8").splitlines()
    assert len(lines) == POINTS
    assert len({line.split()[1] for line in lines}) == 2
    ran = [
        int(line.split()[0]) for line in (tmp_path / "log-deadly").read_text(encoding="utf-8").splitlines()
    ]
    assert ran.count(DEADLY) >= 2  # and again, where a result was lost with the worker before it was fetched


class FailingClient:
    """A client whose futures are there, and whose results are gone when they are fetched."""

    def submit(self, function: Any, *arguments: Any, pure: bool) -> FailingClient:
        assert not pure
        return self

    def add_done_callback(self, function: Any) -> None:
        function(self)

    def result(self) -> Any:
        raise CancelledError("lost with its worker")


def test_a_result_that_is_lost_before_it_is_fetched_ends_its_future() -> None:
    future = DaskExecutor(FailingClient()).submit(print)
    with pytest.raises(CancelledError, match="lost with its worker"):
        future.result(timeout=0)


def test_an_address_where_nobody_is_is_refused_in_one_line() -> None:
    with (
        pytest.raises(SpikeloomError, match="Dask cluster nowhere: does not answer"),
        dask_executor("nowhere"),
    ):
        pass
