"""Are contradictions found in what the digital chips have beside others: types of axon, aliases, resets?"""

from __future__ import annotations

from typing import Any

import pytest
import spikeloom as sl

UNSOUND: list[tuple[str, dict[str, Any], str]] = [
    ("ranc", {"weights.table": ["w0", "w1", "w2", "w4"]}, "weights.table: no parameter w4; known: w0"),
    ("ranc", {"weights.table": ["w0", "w1"]}, "weights.table: needs a parameter for each value of weights.shared.t"),
    ("ranc", {"weights.shared.type.min": 1, "weights.shared.type.default": 1}, "weights.table: needs a parameter"),
    ("ranc", {"weights.shared.type.scope": "matrix"}, "weights.shared.type.scope: only the type of an axon has the"),
    ("ranc", {"weights.bits": 2, "weights.mode.connected.max": 3}, "weights.mode.connected: the formula type_table"),
    ("ranc", {"weights.formula": "int"}, "weights.table: only the formula type_table has one"),
    ("ranc", {"params.mode.max": 3}, "operation.fire: needs a mode of 0, 1 or 2; mode in [0, 3]"),
    ("ranc", {"params.w0.scope": "populatoin"}, "params.w0.scope: populatoin is neither neuron, population, core"),
    ("xylo_a2", {"weights.shared.shift.scope": "axon"}, "weights.shared.shift.scope: only the type of an axon has"),
    ("xylo_a2", {"operation.share.offset": "v"}, "operation.share.offset: no parameter v; known: "),
    ("xylo_a2", {"operation.share.offset": "aliass"}, "operation.share.offset: no parameter aliass; did you mean"),
    ("xylo_a2", {"operation.share.unless": "d"}, "operation.share.unless: is not defined for a part of multi_fire"),
    ("xylo_a2", {"operation.share.max": 0}, "operation.share.max: should be greater than or equal to 1, got 0"),
    ("xylo_a2", {"delivery.spikes_max.input": 0}, "delivery.spikes_max.input: should be greater than or equal"),
    ("xylo_a2", {"delivery.spikes_max.outputs": 1}, "delivery.spikes_max.outputs: matches nothing"),
    ("xylo_a2", {"operation.fire.reset": "zero"}, "operation.fire.reset: should be 'subtract' or 'wrap', got 'zero'"),
    ("xylo_a2", {"time.delay_scope": "axon"}, "delivery.accumulate: each needs delay_scope none"),
    ("truenorth", {"regs.v.bits": 40}, "regs.v.bits: should be less than or equal to 32, got 40"),
]  # fmt: skip


@pytest.mark.parametrize(("chip", "override", "finding"), UNSOUND)
def test_a_contradiction_is_named_with_its_key(chip: str, override: dict, finding: str) -> None:
    with pytest.raises(sl.ProfileError) as caught:
        sl.load_profile(chip, override=override)
    assert any(found.startswith(finding) for found in caught.value.findings), caught.value.findings


def test_an_alias_belongs_behind_multi_fire() -> None:
    chip = sl.load_profile("xylo_a2")
    document = chip.model_dump(mode="json", by_alias=True)
    *before, fire, share = document["operation"]
    for order in ([*before, share, fire], [share, *before, fire]):
        moved = chip.model_validate({**document, "operation": order})
        findings = sl.check_profile(moved, programs=1).findings
        assert "operation.share.op: alias follows multi_fire directly, as a part of it" in findings


def test_a_width_and_a_limit_can_be_changed() -> None:
    wide = sl.load_profile("ranc", override={"regs.v.bits": 20, "limits.dests_per_neuron": None})
    network = sl.SpikingNetwork(wide)
    first = network.population("first", 2, positive=9)
    for name in ("left", "right"):
        network.connect(first, network.population(name, 1, positive=9), [[1], [1]])
    assert sl.place(network).n_cores == 3
