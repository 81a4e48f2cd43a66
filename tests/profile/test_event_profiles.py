"""Is a profile in event mode refused where it contradicts itself?"""

from __future__ import annotations

from typing import Any

import pytest
import spikeloom as sl
from spikeloom.errors import ProfileError

CONTRADICTIONS: list[tuple[str, dict[str, Any], str]] = [
    ("tinyodin", {"time.mode": "tick"}, "event: the table belongs to time.mode = event, which needs it"),
    ("loihi1", {"time.mode": "event"}, "event: the table belongs to time.mode = event, which needs it"),
    ("loihi1", {"time.spike_latency_ticks": 0}, "time.spike_latency_ticks: is at least 1 in the mode tick"),
    ("loihi1", {"operation.fire.on": "leak"}, "operation.fire.on: only the mode event has kinds of events"),
    ("tinyodin", {"limits.cores": 2}, "limits.cores: is 1 in the mode event, got 2"),
    ("tinyodin", {"time.spike_latency_ticks": 1}, "time.spike_latency_ticks: is 0 in the mode event, got 1"),
    ("tinyodin", {"time.delay_scope": "axon"}, "time.delay_scope: is 'none' in the mode event, got 'axon'"),
    ("tinyodin", {"delivery.merge": "or"}, "delivery.merge: is 'count' in the mode event, got 'or'"),
    (
        "tinyodin",
        {"delivery.spikes_max.input": 3},
        "delivery.spikes_max.input: is none in the mode event, got 3",
    ),
    (
        "tinyodin",
        {"delivery.accumulate": "sum"},
        "delivery.accumulate: is 'each' in the mode event, got 'sum'",
    ),
    ("tinyodin", {"regs.v.clear": "tick"}, "regs.v.clear: an event has no end of a tick"),
    (
        "tinyodin",
        {"event.receptors": ["neuron"]},
        "event.receptors: needs one kind for each of delivery.into, 2",
    ),
    (
        "tinyodin",
        {"event.receptors": ["virtual", "neuron"]},
        "event.receptors: begins with neuron, the kind of the",
    ),
    (
        "tinyodin",
        {"event.receptors": ["neuron", "spike"]},
        "event.receptors.1: should be 'neuron', 'virtual' or",
    ),
    (
        "tinyodin",
        {"event.receptors": ["neuron"] * 2},
        "event.virtual_targets: no receptor takes virtual events",
    ),
    ("odin", {"limits.neurons_per_core": None}, "event.visits: all needs limits.neurons_per_core"),
    ("tinyodin", {"event.fifo_depth": 0}, "event.fifo_depth: should be greater than or equal to 1, got 0"),
    ("tinyodin", {"event.max_events": 0}, "event.max_events: should be greater than or equal to 1, got 0"),
    (
        "tinyodin",
        {"event.leak_every_ticks": 0},
        "event.leak_every_ticks: should be greater than or equal to 1",
    ),
    (
        "tinyodin",
        {"operation.fire.on": "tick"},
        "operation.fire.on: should be 'synapse', 'virtual' or 'leak'",
    ),
    (
        "tinyodin",
        {"cycles.tick_clocks": None},
        "cycles.tick_clocks: is missing; the controller serial_event takes",
    ),
    (
        "tinyodin",
        {"cycles.aer.ack_rise": -1},
        "cycles.aer.ack_rise: should be greater than or equal to 0, got -1",
    ),
    (
        "tinyodin",
        {"weights.formula": "sign_pre"},
        "weights.sign_scope: is source for the formula sign_pre, and",
    ),
    (
        "odin",
        {"weights.formula": "int"},
        "weights.sign_scope: is source for the formula sign_pre, and for no other",
    ),
]


@pytest.mark.parametrize(("chip", "override", "finding"), CONTRADICTIONS)
def test_a_contradiction_is_found(chip: str, override: dict[str, Any], finding: str) -> None:
    with pytest.raises(ProfileError) as caught:
        sl.load_profile(chip, override=override)
    assert any(found.startswith(finding) for found in caught.value.findings), caught.value.findings


def test_an_operation_needs_events_of_its_kind() -> None:
    override = {
        "event.receptors": ["neuron", "synapse"],
        "event.virtual_targets": None,
        "operation.fire.on": "virtual",
    }
    with pytest.raises(ProfileError, match=r"operation\.fire\.on: there are no events of the kind virtual"):
        sl.load_profile("tinyodin", override=override)


@pytest.mark.parametrize("chip", ["tinyodin", "odin"])
def test_a_shipped_profile_in_event_mode_is_sound(chip: str) -> None:
    check = sl.check_profile(chip, programs=20)
    assert check.findings == ()
    assert check.compared == {"the twin": 20}
    fifo, brian2 = check.remarks
    assert fifo == "random programs run with a FIFO of 8 events and drains of 24"
    assert brian2.startswith("not compared with Brian2: ") and "does not carry event mode" in brian2
    assert check.response is not None
