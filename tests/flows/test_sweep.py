"""Is every point run once, whatever happens, and is the table the same then?"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import spikeloom as sl
from spikeloom.errors import SpikeloomError
from sweep_tasks import Logged, broken, nameless, product_of

GRID: dict[str, Any] = {"a": [1, 2, 13], "b": [10, 0.5]}
POINTS, KILLS = 200, 4
HERE = Path(__file__).parent
SCRIPT = f"""
import sys; sys.path.insert(0, {str(HERE)!r})
from pathlib import Path
from sweep_tasks import Logged
from spikeloom.flows.sweep import sweep
if __name__ == "__main__":
    folder, log = Path(sys.argv[1]), Path(sys.argv[2])
    sweep(Logged(log, 0.004), {{"a": list(range({POINTS}))}}, folder, workers=2)
"""


def in_threads(task: Any, grid: Any, folder: Path) -> sl.SweepTable:
    with ThreadPoolExecutor(2) as executor:
        return sl.sweep(task, grid, folder, executor=executor)


def _files(folder: Path) -> dict[str, str]:
    return {
        name: (folder / name).read_text(encoding="utf-8")
        for name in ("table.csv", "table.jsonl", "manifest.json")
    }


def _ran(log: Path) -> list[int]:
    return [int(line.split()[0]) for line in log.read_text(encoding="utf-8").splitlines()]


def test_rows_are_the_points_in_order_with_their_results(tmp_path: Path) -> None:
    table = in_threads(product_of, GRID, tmp_path / "s")
    assert [(row["a"], row["b"]) for row in table.rows] == [(a, b) for a in GRID["a"] for b in GRID["b"]]
    assert table.column("product") == [10, 0.5, 20, 1.0, None, None]
    assert table.columns == ("a", "b", "product", "odd", "half", "error")
    assert table.column("error")[4] == "layer fc1: does not fit; got 13, limit 12"
    assert len(table) == 6
    with pytest.raises(SpikeloomError, match="column c: does not exist"):
        table.column("c")


def test_the_files_hold_the_table_and_the_manifest_what_it_depends_on(tmp_path: Path) -> None:
    table = in_threads(product_of, GRID, tmp_path)
    files = _files(tmp_path)
    assert [json.loads(line) for line in files["table.jsonl"].splitlines()] == list(table.rows)
    assert files["table.csv"].splitlines()[0] == "a,b,product,odd,half,error"
    assert files["table.csv"].splitlines()[1] == "1,10,10,True,0.5,"
    manifest = json.loads(files["manifest.json"])
    assert manifest["grid"] == GRID
    assert manifest["task"] == "sweep_tasks.product_of"
    assert manifest["versions"]["spikeloom"] == sl.__version__


def test_processes_give_the_same_bytes_as_threads(tmp_path: Path) -> None:
    in_threads(product_of, GRID, tmp_path / "threads")
    sl.sweep(product_of, GRID, tmp_path / "processes", workers=2)
    assert _files(tmp_path / "threads") == _files(tmp_path / "processes")


def test_finished_points_are_not_run_again_and_a_grid_may_grow(tmp_path: Path) -> None:
    task = Logged(tmp_path / "log")
    in_threads(task, {"a": [1, 2, 3]}, tmp_path / "s")
    table = in_threads(task, {"a": [0, 1, 2, 3, 4]}, tmp_path / "s")
    assert sorted(_ran(task.log)) == [0, 1, 2, 3, 4]
    assert table.column("square") == [0, 1, 4, 9, 16]


def test_the_task_is_sent_to_every_worker_once(tmp_path: Path) -> None:
    task = Logged(tmp_path / "log")
    sl.sweep(task, {"a": list(range(40))}, tmp_path / "s", workers=2)
    assert len(task.log.with_suffix(".sent").read_text(encoding="utf-8").splitlines()) == 2
    assert sorted(_ran(task.log)) == list(range(40))


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    task = Logged(tmp_path / "log", deadly=5)
    table = sl.sweep(task, {"a": list(range(12))}, tmp_path / "s", workers=2)
    assert table.column("square") == [a**2 for a in range(12)]
    assert _ran(task.log).count(5) == 2


def test_killed_at_random_moments_and_resumed_equals_undisturbed(tmp_path: Path) -> None:
    script, log = tmp_path / "run.py", tmp_path / "log"
    script.write_text(SCRIPT, encoding="utf-8")
    command = [sys.executable, str(script), str(tmp_path / "s"), str(log)]
    moments, points = random.Random(4), tmp_path / "s" / "points"
    for _ in range(KILLS):
        before = len(list(points.glob("[!.]*.json"))) if points.exists() else 0
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wanted, until = before + moments.randrange(1, 30), time.monotonic() + 60
        while time.monotonic() < until and process.poll() is None:
            if points.exists() and len(list(points.glob("[!.]*.json"))) >= wanted:
                break
            time.sleep(moments.random() / 100)
        process.kill()
        process.wait()
        time.sleep(0.7)  # until its workers have seen that they are orphans
        saved = {
            json.loads(path.read_text(encoding="utf-8"))["point"]["a"] for path in points.glob("[!.]*.json")
        }
        assert len(saved) >= wanted
        ran_before = len(_ran(log))
    assert subprocess.run(command, check=False).returncode == 0
    assert saved.isdisjoint(_ran(log)[ran_before:])
    assert set(_ran(log)) == set(range(POINTS))
    assert len(_ran(log)) <= POINTS + 4 * KILLS  # at most the points in flight at each kill
    in_threads(Logged(tmp_path / "other"), {"a": list(range(POINTS))}, tmp_path / "undisturbed")
    assert _files(tmp_path / "s") == _files(tmp_path / "undisturbed")
    assert not list((tmp_path / "s").rglob(".*"))


def test_a_full_disk_ends_in_one_line_and_loses_nothing(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    limit = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)\n"
    body = SCRIPT.replace("sweep(Logged(log, 0.004)", "from concurrent.futures import ThreadPoolExecutor\n    "
                          "sweep(Logged(log)").replace("workers=2", "executor=ThreadPoolExecutor(1)")  # fmt: skip
    script.write_text(limit + body, encoding="utf-8")
    command = [sys.executable, str(script), str(tmp_path / "s"), str(tmp_path / "log")]
    done = subprocess.run(
        [*command, "2000"], capture_output=True, text=True
    )  # less than the table, more than a point
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "cannot be written: File too large; finished points are kept" in last
    files = {path.name for path in (tmp_path / "s").rglob("*") if path.is_file()}
    assert not [name for name in files if name.startswith(".")]
    ran = len(_ran(tmp_path / "log"))
    assert subprocess.run([*command, "1000000"]).returncode == 0
    assert len(_ran(tmp_path / "log")) - ran == POINTS - len([name for name in files if len(name) == 37])


def test_a_folder_that_cannot_be_made_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    task = Logged(tmp_path / "log")
    with pytest.raises(SpikeloomError, match=r"folder .*: cannot be written: Not a directory"):
        in_threads(task, {"a": [1]}, tmp_path / "file" / "s")
    assert not task.log.exists()


class Forgetful(ThreadPoolExecutor):
    """Loses its first futures, as a cluster does whose workers die: cancelled, or with Dask's error."""

    def __init__(self, lost: int, error: BaseException | None) -> None:
        super().__init__(1)
        self.lost, self.error = lost, error

    def submit(self, *args: Any, **kwargs: Any) -> Any:
        self.lost -= 1
        if self.lost < 0:
            return super().submit(*args, **kwargs)
        future: Future[Any] = Future()
        if self.error is not None:
            future.set_exception(self.error)
        else:
            future.cancel()
            future.set_running_or_notify_cancel()
        return future


@pytest.mark.parametrize("error", [None, CancelledError()])
def test_a_point_whose_future_is_cancelled_is_submitted_again(
    error: BaseException | None, tmp_path: Path
) -> None:
    task = Logged(tmp_path / "log")
    with Forgetful(3, error) as executor:
        table = sl.sweep(task, {"a": [0, 1, 2, 3]}, tmp_path / "s", executor=executor)
    assert table.column("square") == [0, 1, 4, 9]
    assert sorted(_ran(task.log)) == [0, 1, 2, 3]


def test_a_point_that_is_cancelled_again_and_again_ends_the_sweep(tmp_path: Path) -> None:
    with (
        Forgetful(10**6, None) as executor,
        pytest.raises(SpikeloomError, match=r"executor: cancels a point again and again; got .*'a': 1"),
    ):
        sl.sweep(Logged(tmp_path / "log"), {"a": [1]}, tmp_path / "s", executor=executor)


def test_another_task_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    in_threads(product_of, GRID, tmp_path / "s")
    with pytest.raises(SpikeloomError, match="holds a sweep of another task; got sweep_tasks.product_of"):
        in_threads(Logged(tmp_path / "log"), {"a": [1]}, tmp_path / "s")
    (tmp_path / "s" / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(SpikeloomError, match="cannot be read: it is not the JSON"):
        in_threads(product_of, GRID, tmp_path / "s")


def test_an_error_of_the_task_comes_through_and_its_neighbours_are_kept(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError, match="at 1"):
        in_threads(broken, {"a": [1]}, tmp_path)
    with pytest.raises(SpikeloomError, match="result a: has the name of an axis"):
        in_threads(nameless, {"a": [1]}, tmp_path / "n")


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ({"a": []}, "axis a: must be a list of at least one value"),
        ({"a": "text"}, "axis a: must be a list"),
        ({"a": [[1]]}, "axis a: holds a value that is no number or text"),
        ({"a": [1, 1]}, "axis a: holds a value twice"),
    ],
)
def test_a_grid_that_means_nothing_is_refused(grid: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(SpikeloomError, match=said):
        sl.sweep(product_of, grid, tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_two_sweeps_in_one_folder_are_one_too_many(tmp_path: Path) -> None:
    def sweeps_again(point: Any) -> dict[str, Any]:
        in_threads(sweeps_again, {"a": [1]}, tmp_path)
        return {}

    table = in_threads(sweeps_again, {"a": [1]}, tmp_path)
    assert "is in use by another sweep" in table.column("error")[0]


def test_progress_counts_resumed_points_too(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    with ThreadPoolExecutor(1) as executor:
        sl.sweep(product_of, {"a": [1, 2], "b": [1]}, tmp_path, executor=executor)
        sl.sweep(product_of, {"a": [1, 2, 3], "b": [1]}, tmp_path, executor=executor,
                 progress=lambda *what: told.append(what))  # fmt: skip
    assert told == [("points", 2, 3), ("points", 3, 3)]
