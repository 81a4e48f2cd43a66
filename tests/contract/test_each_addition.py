"""Does the rule act after every addition where the profile says so? On hand-made numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_programs import Row, built, counter, spikes_at, watched
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import EmulationError, ProfileError
from spikeloom.profile.catalog import load_profile
from spikeloom.profile.schema import Profile


def each(**override: object) -> Profile:
    return counter(time__delay_max=0, time__delay_scope="none", delivery__accumulate="each", **override)


def test_each_addition_goes_through_the_rule() -> None:
    # 100 + 100 stops at 127, and 127 - 150 = -23; as one sum it would be 50.
    rows = [Row("i0", [(0, 100)]), Row("i0", [(0, 100)]), Row("i0", [(0, -150)])]
    program = built(each(regs__q__bits=8, regs__q__overflow="saturate"), 1, rows, ticks=1)
    inputs = spikes_at(1, {0: 1})
    assert watched(program, inputs, "v0") == [[-23]]
    assert emulate(program, inputs).rules["q.saturate"].tolist() == [1]


def test_n_spikes_are_n_equal_additions() -> None:
    # From 0: 50, 100, then 127 three times; each stop is counted.
    program = built(each(regs__q__bits=8, regs__q__overflow="saturate"), 1, [Row("i0", [(0, 50)])], ticks=1)
    inputs = spikes_at(1, {0: 5})
    assert watched(program, inputs, "v0") == [[127]]
    assert emulate(program, inputs).rules["q.saturate"].tolist() == [3]
    assert emulate(program, inputs).events["synaptic_operations"].tolist() == [5]


@pytest.mark.parametrize(
    ("order", "got"), [(["input", "recurrent"], 127 - 60), (["recurrent", "input"], 100)]
)
def test_groups_add_in_the_order_of_the_profile(order: list[str], got: int) -> None:
    # Axon 0 is the chip's own and takes 60 off; axon 1 is an input and adds 160. Neuron 1 fires in tick 0.
    profile = each(regs__q__bits=8, regs__q__overflow="saturate", delivery__order=order)
    rows = [Row("n1", [(0, -60)]), Row("i0", [(0, 160)]), Row("i1", [(1, 9)])]
    program = built(profile, 2, rows, lines=2, params={"thr": [30000, 9]}, ticks=2)
    (v,) = watched(program, spikes_at(2, {1: 1}, {0: 1}), "v0")
    assert v == [0, got]


def test_each_group_has_its_own_limit_of_spikes() -> None:
    profile = counter(delivery__spikes_max={"input": 2, "recurrent": 3})
    rows = [Row("i0", [(0, 1)]), Row("i1", [(1, 9)]), Row("n1 n2 n3 n4", [(0, 10)])]
    rows += [Row("i1", [(k, 9)]) for k in (2, 3, 4)]
    program = built(profile, 5, rows, lines=2, params={"thr": [30000, 9, 9, 9, 9]}, ticks=2)
    (v,) = watched(program, spikes_at(2, {1: 7}, {0: 1}), "v0")
    assert v == [0, 2 * 1 + 3 * 10]


def test_a_trap_among_equal_additions_names_the_first_value_outside() -> None:
    profile = each(regs__q__bits=8, regs__q__overflow="trap")
    program = built(profile, 2, [Row("i0", [(0, 1), (1, 50)])], ticks=1)
    with pytest.raises(EmulationError) as caught:
        emulate(program, spikes_at(1, {0: 9}))
    assert (caught.value.subject, caught.value.value) == ("tick 0, core 0, neuron 1, register q", 150)


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ({"delivery.accumulate": "each"}, "each needs delay_scope none"),
        (
            {
                "delivery.accumulate": "each",
                "time.delay_scope": "none",
                "time.delay_max": 0,
                "regs.q.overflow": "wrap_lava24",
            },
            "each is not defined for the rule wrap_lava24",
        ),
    ],
)
def test_a_profile_that_each_addition_does_not_suit_is_refused(override: dict, problem: str) -> None:
    with pytest.raises(ProfileError, match=problem):
        load_profile(Path(__file__).with_name("counter.toml"), override=override)


def test_an_analog_soma_has_no_rule_after_every_addition() -> None:
    override = {"delivery.accumulate": "each", "time.delay_scope": "none", "time.delay_max": 0}
    with pytest.raises(ProfileError, match="each needs a digital soma"):
        load_profile("ideal", override=override)
