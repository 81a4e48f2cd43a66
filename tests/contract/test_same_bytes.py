"""Threads, batches, kernels, repetition: the same samples give the same bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from spikeloom.emulation import options
from spikeloom.emulation.emulate import emulate
from spikeloom.emulation.loading import core_program
from spikeloom.emulation.recording import Recording
from spikeloom.errors import EmulationError
from spikeloom.profile.catalog import load_profile
from spikeloom.program.program import ChipProgram
from spikeloom.reference.random_programs import random_program
from spikeloom.reference.random_values import Options

HERE = Path(__file__).parent
PROFILES = (
    "loihi1",
    "loihi1:lava",
    "ideal",
    "xylo_a2",
    "ranc",
    HERE / "several_spikes.toml",
    HERE / "two_receptors.toml",
)

OTHERS = (
    "truenorth",
    "open_core",
    "dynap_se2",
    "brainscales2",
    "brainscales2_matrix",
    "pcm_crossbar",
    "pcm_crossbar:adc",
)


def case(source: str | Path, seed: int, samples: int = 7) -> tuple[ChipProgram, np.ndarray]:
    drawn = random_program(load_profile(source), seed)
    rng = np.random.default_rng(seed)
    inputs = np.stack([rng.permuted(drawn.spikes, axis=0) for _ in range(samples)])
    return drawn.program, inputs


def everything(program: ChipProgram) -> list[str]:
    elements = ("spikes", *program.profile.element_names())
    return [f"{placed.name}.{what}" for placed in program.populations for what in elements]


def contents(recording: Recording, samples: slice = slice(None)) -> dict[str, bytes]:
    """All arrays of some samples as bytes; spike rows count samples from 0."""
    chosen = range(len(recording.outputs))[samples]
    found = {"outputs": recording.outputs[samples].tobytes()}
    for name in ("counts", "registers", "events", "rules"):
        found |= {
            f"{name}/{key}": value[samples].tobytes() for key, value in getattr(recording, name).items()
        }
    for key, rows in recording.spikes.items():
        mine = rows[np.isin(rows[:, 0], list(chosen))] - [chosen.start, 0, 0]
        found[f"spikes/{key}"] = mine.astype(np.int32).tobytes()
    return found


@pytest.mark.parametrize("source", PROFILES, ids=lambda source: Path(source).stem)
def test_threads_and_batches_change_nothing(source: str | Path) -> None:
    for seed in range(6):
        program, inputs = case(source, seed)
        record = everything(program)
        whole = emulate(program, inputs, record=record, threads=1)
        for threads in (2, 3, 16):
            assert contents(emulate(program, inputs, record=record, threads=threads)) == contents(whole)
        for k in range(len(inputs)):
            alone = emulate(program, inputs[k : k + 1], record=record)
            assert contents(alone) == contents(whole, slice(k, k + 1))


@pytest.mark.parametrize("source", (*PROFILES, *OTHERS), ids=lambda source: Path(source).stem)
def test_threads_share_the_cores_of_a_sample(source: str | Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are fewer samples than threads: the bytes of one thread, with the chip's imperfections."""
    monkeypatch.setattr(options, "NEURONS_PER_THREAD", 1)
    operations, shared = 0, 0
    for seed in range(5):
        drawn = random_program(load_profile(source), seed, Options(cores=5, neurons=12, ticks=12))
        inputs, record = drawn.spikes[np.newaxis], everything(drawn.program)
        alone = emulate(drawn.program, inputs, record=record, threads=1)
        for threads in (2, 3, 4):
            run = emulate(drawn.program, inputs, record=record, threads=threads)
            assert contents(run) == contents(alone)
        operations += int(alone.events["synaptic_operations"].sum())
        shared += drawn.program.arrays.core_neuron_start.size > 2
    assert shared > 1 and operations > 100


@pytest.mark.parametrize("source", PROFILES, ids=lambda source: Path(source).stem)
def test_every_kernel_level_gives_the_same_bytes(source: str | Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = set()
    for seed in range(6):
        results = []
        for level in ("baseline", "v3", "v4"):
            monkeypatch.setenv("SPIKELOOM_KERNELS", level)
            program, inputs = case(source, seed)  # new arrays, so the program is loaded anew
            try:
                seen.add(core_program(program).kernels)
            except EmulationError:  # this processor lacks the level
                continue
            results.append(contents(emulate(program, inputs, record=everything(program))))
        assert all(result == results[0] for result in results)
    assert "baseline" in seen


def test_an_unknown_kernel_level_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKELOOM_KERNELS", "v9")
    program, inputs = case("ideal", 0)
    with pytest.raises(EmulationError, match="is no kernel level; got v9, limit baseline, v3, v4"):
        emulate(program, inputs)


def test_the_first_failing_sample_decides_the_error() -> None:
    profile = load_profile("loihi1", override={"regs.q.overflow": "trap", "regs.q.bits": 12})
    drawn = random_program(profile, 3)
    inputs = np.zeros((40, *drawn.spikes.shape), dtype=np.uint8)
    inputs[25:] = 200
    messages = set()
    for threads in (1, 2, 8):
        with pytest.raises(EmulationError, match="register q: left its width") as caught:
            emulate(drawn.program, inputs, threads=threads)
        messages.add(str(caught.value))
    assert len(messages) == 1
    assert emulate(drawn.program, inputs[:25]).counts


def test_a_run_is_interrupted_between_chunks() -> None:
    program, inputs = case("loihi1", 1, samples=30)
    done = []

    def stop(_: str, samples: int, total: int) -> None:
        done.append((samples, total))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        emulate(program, inputs, progress=stop, threads=1)
    assert done == [(1, 30)]


def test_progress_ends_with_all_samples() -> None:
    program, inputs = case("loihi1", 1, samples=30)
    calls: list[tuple[str, int, int]] = []
    emulate(program, inputs, progress=lambda *call: calls.append(call), threads=2)
    counts = [done for _, done, _ in calls]
    assert counts == sorted(set(counts)) and counts[-1] == 30
    assert {(what, total) for what, _, total in calls} == {("samples", 30)}
