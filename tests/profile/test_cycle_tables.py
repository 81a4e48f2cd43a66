"""Is a wrong `[cycles]` or `[noc]` table found, with the key and the nearest valid name?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import spikeloom as sl
from profile_files import SOUND, findings_of
from spikeloom.errors import ProfileError
from spikeloom.profile.catalog import load_profile

LINEAR = '[cycles]\ncontroller = "linear"\nfixed = 10\n'
SERIAL = '[cycles]\ncontroller = "serial_event"\naer = { req_fall = 0, ack_rise = 0, ack_fall = 0 }\n'


def with_tables(text: str) -> str:
    return SOUND.replace("[outputs]", f"{text}\n[outputs]")


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (LINEAR.replace("fixed", "fixd"), "cycles.fixd: unknown key; did you mean fixed?"),
        (LINEAR.replace("linear", "liner"), "cycles: unknown controller liner; did you mean linear?"),
        (LINEAR.replace('controller = "linear"\n', ""), "cycles: names no controller; write controller = ..."),
        (LINEAR.replace("10", "0"), "cycles.fixed: should be greater than 0, got 0"),
        (LINEAR + "lanes = 2", "cycles.lanes: unknown key"),
        (SERIAL, "cycles.aer.input_gap: is missing"),
        ('[noc]\ntopology = "mesh2d"\nwidth = 2\nheight = 2\nbuffers = 2', "noc.buffers: unknown key; did you me"),
        ('[noc]\ntopology = "mesh2d"\nwidth = 3\nheight = 1', "limits.cores: must be at most the 3 places"),
        ('[cycles]\ncontroller = "token"', "limits.neurons_per_core: is missing; the controller token visits"),
        ('[cycles]\ncontroller = "token"', "cycles.tick_clocks: is missing; the controller token takes"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_named(tmp_path: Path, text: str, finding: str) -> None:
    found = findings_of(tmp_path, with_tables(text))
    assert any(one.startswith(finding) for one in found), found


@pytest.mark.parametrize(
    ("override", "finding"),
    [
        ({"cycles.slots": 12}, "cycles.slots: must be a power of two above 15"),
        ({"cycles.slots": 8}, "cycles.slots: must be a power of two above 15"),
        ({"cycles.count_bits": 3}, "delivery.spikes_max: must be at most 7"),
        ({"limits.neurons_per_core": 30}, "limits.neurons_per_core: must be a multiple of cycles.lanes, 4"),
        ({"limits.in_axons_per_core": None}, "limits.in_axons_per_core: is missing"),
        ({"limits.cores": 65}, "limits.cores: must be at most the 64 places of the mesh, got 65"),
        ({"time.delay_scope": "synapse"}, "time.delay_scope: open_core has delays of axons"),
        ({"regs.q.overflow": "saturate"}, "regs.q.overflow: must be wrap"),
        ({"cycles.lanes": 3}, "cycles.lanes: should be 1, 2, 4 or 8, got 3"),
        ({"cycles.output_fifo": 1}, "cycles.output_fifo: should be greater than or equal to 2, got 1"),
        ({"noc": None}, "noc: is missing; the controller open_core sends packets"),
    ],
)
def test_the_open_core_needs_sizes_that_fit(override: dict[str, Any], finding: str) -> None:
    with pytest.raises(ProfileError) as caught:
        load_profile("open_core", override=override)
    assert any(one.startswith(finding) for one in caught.value.findings), caught.value.findings


def test_sizes_can_be_overridden_and_have_sources() -> None:
    profile = load_profile(
        "open_core", override={"cycles.lanes": 2, "noc.width": 16, "cycles.tick_clocks": 900}
    )
    assert profile.cycles is not None and profile.cycles.tick_clocks == 900
    assert profile.noc is not None and profile.noc.width == 16
    assert sl.load_profile("loihi1").cycles is not None
