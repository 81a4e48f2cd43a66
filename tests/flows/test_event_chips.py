"""Does one network by hand go through build, run, save, load and cross-check on the chips in event mode?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import spikeloom as sl
from scipy.sparse import csr_array
from spikeloom.flows.terminal.profile_text import show_profile


def winner_takes_all(chip: str, encoding: str = "rate") -> sl.SpikingNetwork:
    """Four neurons that count their channel; the first at its threshold silences the others and resets all."""
    network = sl.SpikingNetwork(chip)
    channels, nudge = network.input("channels", 4, encoding=encoding), network.input("nudge", 4)
    counters = network.population("counters", 4, thr=21, leak=1)
    winners = network.population("winners", 4, thr=3)
    silencers = network.population("silencers", 4, thr=2)
    network.connect(channels, counters, csr_array(7 * np.eye(4, dtype=int)))
    network.connect(nudge, counters, csr_array(2 * np.eye(4, dtype=int)), receptor=1)
    network.connect(counters, winners, csr_array(3 * np.eye(4, dtype=int)))
    network.connect(counters, silencers, csr_array(2 * np.eye(4, dtype=int)))
    network.connect(silencers, counters, csr_array(-6 * (1 - np.eye(4, dtype=int))))
    network.output(winners)
    return network


@pytest.mark.parametrize("chip", ["tinyodin", "odin"])
def test_a_network_by_hand_runs_is_saved_and_agrees_with_the_twin(chip: str, tmp_path: Path) -> None:
    program = sl.place(winner_takes_all(chip), ticks=40)
    x = np.array([[0.9, 0.5, 0.3, 0.0], [0.2, 0.3, 0.4, 0.8]])
    inputs = {"channels": x, "nudge": np.zeros((2, 40, 4), dtype=np.uint8)}
    inputs["nudge"][1, ::2, 2] = 1
    run = sl.emulate(program, inputs, record=["counters.v", "winners.spikes"])
    assert run.outputs.argmax(axis=1).tolist() == [0, 3]
    assert run.events["spikes"].min() > 10
    assert not any(run.rules[name].any() for name in ("fifo.drop", "fifo.unsettled"))

    program.save(tmp_path / "net.spikeloom")
    loaded = sl.load_program(tmp_path / "net.spikeloom")
    again = sl.emulate(loaded, inputs, record=["counters.v"])
    assert np.array_equal(again.registers["counters.v"], run.registers["counters.v"])

    check = sl.crosscheck(loaded, inputs, reference="twin")
    assert check.equal, check.first_divergence
    with pytest.raises(sl.EmulationError, match="Brian2 does not carry event mode"):
        sl.crosscheck(loaded, inputs, reference="brian2")


@pytest.mark.parametrize("chip", ["tinyodin", "odin"])
def test_a_script_clocks_the_chip(chip: str) -> None:
    program = sl.place(winner_takes_all(chip, "spikes"), ticks=10)
    spikes = np.random.default_rng(5).integers(0, 3, (2, 10, 8)).astype(np.uint8)
    run = sl.emulate(program, spikes)
    clocked = sl.Chip(program, samples=2)
    counts = sum(clocked.tick(spikes[:, t]) for t in range(10))
    assert np.array_equal(counts, run.outputs)


def test_the_profile_says_how_its_events_are_served(capsys: pytest.CaptureFixture[str]) -> None:
    show_profile(sl.load_profile("odin"))
    text = " ".join(capsys.readouterr().out.split())
    assert "one event after the other, from a FIFO of 32, a leak every 1 ticks" in text
    assert "weakest status: derived" in text
