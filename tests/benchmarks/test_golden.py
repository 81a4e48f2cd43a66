"""Do the benchmark workloads make the spikes that exact arithmetic makes? Their speed is `table.py`'s to tell."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import clocked
import numpy as np
import pytest
import spikeloom as sl
from measure import cpu_seconds, limit_seconds
from peers import peers
from splitmix import words
from table import main
from workloads import many_core_chip, many_core_targets, many_core_weights, workload

CORES, SIZE, FEW_TICKS = 8, 256, 100  # a smaller chip than that of the workload


def test_the_generator_gives_the_published_words() -> None:
    # The first outputs of SplitMix64 for the seed 1234567, as its authors' C program prints them.
    assert words(1234567, [0, 1, 2]).tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]


@pytest.mark.parametrize("name", ["W1", "W2"])
def test_one_sample_hits_the_golden_counts(name: str) -> None:
    work = workload(name)
    recording = sl.emulate(work.program, work.spikes, threads=1)
    assert work.is_hit(tuple(int(made.sum()) for made in recording.counts.values()))
    assert int(recording.events["synaptic_operations"].sum()) == work.events


@pytest.mark.parametrize("name", ["W4", "W4u"])
def test_the_many_core_chip_equals_a_loop_of_numpy(name: str) -> None:
    program = many_core_chip(name, CORES, SIZE)
    nothing = np.zeros((1, FEW_TICKS, 0), dtype=np.uint8)
    recording = sl.emulate(program, nothing, ticks=FEW_TICKS, threads=1, record=["neurons.v"])
    targets, weights = many_core_targets(name, CORES, SIZE), many_core_weights(program.n_neurons)
    v = program.arrays.init["v"].astype(np.int64)
    arriving, spikes = np.zeros_like(v), 0
    for _ in range(FEW_TICKS):
        v += arriving + 10
        fired = np.flatnonzero(v >= 1000)
        v[fired] = 0
        arriving = np.bincount(targets[fired].ravel(), weights[fired].ravel(), v.size).astype(np.int64)
        spikes += fired.size
    assert int(recording.counts["neurons"].sum()) == spikes
    assert np.array_equal(recording.registers["neurons.v"][0, -1], v)


def test_the_chaotic_network_has_the_rate_of_other_arithmetic() -> None:
    work = workload("W3")
    made = int(sl.emulate(work.program, work.spikes, threads=1).counts["neurons"].sum())
    assert work.is_hit((made,))
    assert not work.is_hit((made // 2,))


def test_the_table_prints_what_it_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "W2", "--repeats", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["W2", "1"], ["W2", "256"]]
    assert all(float(line.split()[2]) >= float(line.split()[3]) > 0 for line in lines[1:])


def test_torch_is_timed_on_the_same_spikes() -> None:
    pytest.importorskip("torch")
    torch = peers("W1")["torch"]
    assert not isinstance(torch, str)
    assert torch(workload("W1")) > 0  # it refuses other counts


def test_a_peer_runs_only_what_it_knows_and_says_why_it_does_not() -> None:
    assert set(peers("W4")) == {"brian2", "nest"}
    assert peers("W4u") == {}
    for name, peer in (peers("W3") | peers("W1")).items():
        assert (find_spec(name) is None) == (peer == f"{name} is not installed")


def test_a_tick_beside_sanafe_makes_its_spikes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocked, "sanafe_tick", lambda _: (1.0, 253))  # as it answers where it is installed
    ((controller, ours, theirs),) = clocked.beside_sanafe("W1")
    assert (controller, theirs) == ("open_core", 1.0) and 0 < ours < 0.1
    monkeypatch.setattr(clocked, "sanafe_tick", lambda _: (1.0, 240))
    with pytest.raises(AssertionError, match="SANA-FE makes 240 spikes in W1, not 253"):
        list(clocked.beside_sanafe("W1"))


def test_a_side_of_a_comparison_answers_line_by_line() -> None:
    """Seconds of a workload, and in words what another revision may not know."""
    command = [sys.executable, str(Path(__file__).with_name("one_side.py"))]
    asked = "W2 1\nW9 1\nW2 1\n"
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True, timeout=120)
    first, unknown, again = done.stdout.splitlines()
    assert float(first) > 0 and float(again) > 0
    assert unknown.startswith("failed:")


def test_the_median_is_one_of_the_runs() -> None:
    runs: list[int] = []
    median, least = cpu_seconds(lambda: runs.append(1), 3)
    assert 0 <= least <= median
    assert len(runs) == 4  # one to warm up


def test_lines_of_the_limit_program_are_read(tmp_path: Path) -> None:
    program = tmp_path / "limit"
    program.write_text(
        '#!/bin/sh\necho "W1 B=1 event-driven int16   cpu med 0.000098 best 0.00009"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    assert limit_seconds(str(program), {"W1"}) == {"W1 B=1 event-driven int16": 0.000098}
