"""Do lists that run in one pass give the bytes of their operations, one after the other?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import spikeloom as sl
from spikeloom.emulation.emulate import emulate
from spikeloom.emulation.loading import core_program
from spikeloom.errors import EmulationError
from spikeloom.reference.random_programs import random_program
from test_same_bytes import contents, everything

CURRENT_BASED = Path(__file__).parents[1] / "benchmarks" / "profiles" / "current_based.toml"
SHORT = {"time.tick_s": 1e-4}  # a step a tick
LISTS: dict[str, Mapping[str, object]] = {
    "as it is": {},
    "at or above": {"operation.fire.cmp": "ge", "operation.fire.reset": "subtract"},
    "not negative": {"operation.fire.cmp": "ge_nonneg", "operation.fire.reset": "none"},
    "to a value": {"operation.fire.reset": "value", "operation.fire.value": "rest"},
    "never held": {"operation.fire.start": {}},
}
OTHERS: dict[str, Mapping[str, object]] = {
    "currents that meet": {"operation.integrate.gains": {"v": {"excitation": 1}, "excitation": {"inhibition": 1}}},
    "another counts": {"operation.count.reg": "excitation"},
    "some are left out": {"operation.integrate.unless": "held"},
}  # fmt: skip


def run(override: Mapping[str, object], seed: int) -> tuple[bool, dict[str, bytes]]:
    """Whether the list was done in one pass, and everything that a random program of it records."""
    drawn = random_program(sl.load_profile(CURRENT_BASED, override=SHORT | dict(override)), seed)
    inputs = np.stack([drawn.spikes, drawn.spikes[::-1]])
    recording = emulate(drawn.program, inputs, record=everything(drawn.program))
    return core_program(drawn.program).one_pass, contents(recording)


@pytest.mark.parametrize("name", LISTS)
def test_one_pass_gives_the_bytes_of_its_operations(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(4):
        monkeypatch.setenv("SPIKELOOM_ONE_PASS", "no")
        monkeypatch.delenv("SPIKELOOM_KERNELS", raising=False)
        apart, wanted = run(LISTS[name], seed)
        monkeypatch.setenv("SPIKELOOM_ONE_PASS", "yes")
        assert not apart
        for level in ("baseline", "v3", "v4"):
            monkeypatch.setenv("SPIKELOOM_KERNELS", level)
            try:
                in_one, found = run(LISTS[name], seed)
            except EmulationError:  # this processor lacks the level
                continue
            assert in_one
            assert found == wanted


@pytest.mark.parametrize("name", OTHERS)
def test_a_list_of_another_shape_takes_several_passes(name: str) -> None:
    assert not run(OTHERS[name], 0)[0]


@pytest.mark.parametrize("size", [1, 8, 255, 300])
def test_neurons_that_are_all_alike(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Constants that stay in registers, blocks that end within eight neurons."""
    found = []
    for wanted in ("no", "yes"):
        monkeypatch.setenv("SPIKELOOM_ONE_PASS", wanted)
        network = sl.SpikingNetwork(sl.load_profile(CURRENT_BASED, override=SHORT))
        start = np.linspace(-5.0, 9.9, size)
        neurons = network.population("neurons", size, noise=0.3, init={"v": start})
        weights = np.random.default_rng(size).normal(size=(size, size))
        network.connect(neurons, neurons, weights)
        network.output(neurons)
        program = sl.place(network, ticks=300)
        recording = emulate(program, np.zeros((1, 300, 0), dtype=np.uint8), record=everything(program))
        assert recording.counts["neurons"].sum() > 0
        found.append(contents(recording))
    assert found[0] == found[1]


def test_a_wrong_wish_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKELOOM_ONE_PASS", "maybe")
    with pytest.raises(EmulationError, match="SPIKELOOM_ONE_PASS: is neither yes nor no; got maybe"):
        run({}, 0)
