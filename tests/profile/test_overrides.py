"""Do overrides change what they name, nothing else, and show in name, hash and sources?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spikeloom as sl
from hypothesis import given, settings
from hypothesis import strategies as st
from profile_files import SOUND, written
from spikeloom.profile.dotted import covers, walk
from spikeloom.profile.provenance import source_of, unsourced, weakest_status
from spikeloom.profile.schema import Profile

LOIHI = sl.load_profile("loihi1")
NOT_OVERRIDABLE = ("schema", "name", "variant", "provenance", "chip")


def leaves(profile: Profile) -> dict[str, Any]:
    """Dotted key -> value of everything below which nothing stands."""
    document = profile.model_dump(mode="json", by_alias=True, exclude=set(NOT_OVERRIDABLE) | {"format"})
    places = dict(walk(document))
    return {
        key: value
        for key, value in places.items()
        if not any(covers(key, other) for other in places if other != key)
    }


LEAVES = leaves(LOIHI)
# Overrides that leave loihi1 sound, one at a time and together.
SOUND_OVERRIDES: dict[str, st.SearchStrategy[object]] = {
    "weights.bits": st.integers(1, 8),
    "weights.shared.w_exp.max": st.integers(0, 7),
    "limits.cores": st.one_of(st.none(), st.integers(1, 1000)),
    "limits.memory.synapse.bits": st.integers(1, 10**9),
    "time.delay_max": st.integers(0, 62),
    "regs.q.bits": st.integers(1, 32),
    "regs.u.overflow": st.sampled_from(["wrap", "saturate", "trap", "wrap_lava24"]),
    "operation.fire.cmp": st.sampled_from(["gt", "ge", "ge_nonneg"]),
    "operation.decay_current.offset": st.integers(0, 1),
    "params.bias.exp_max": st.integers(0, 16),
    "energy.synop_j": st.one_of(st.none(), st.floats(1e-15, 1e-9)),
}
overrides = st.fixed_dictionaries({}, optional=SOUND_OVERRIDES)
calm = settings(max_examples=60, deadline=None)


@calm
@given(st.sampled_from(sorted(LEAVES)))
def test_a_key_overridden_with_its_own_value_changes_only_the_name(key: str) -> None:
    same = sl.load_profile(LOIHI, override={key: LEAVES[key]})
    assert same.hash == LOIHI.hash
    assert same.name.startswith(f"loihi1+{key}=")


@calm
@given(overrides)
def test_exactly_the_overridden_keys_change(changes: dict[str, object]) -> None:
    before, after = LEAVES, leaves(sl.load_profile(LOIHI, override=changes))
    assert after == before | changes


@calm
@given(overrides)
def test_the_order_of_overrides_does_not_matter_and_undoing_them_restores_the_hash(
    changes: dict[str, object],
) -> None:
    backwards = dict(reversed(changes.items()))
    forth = sl.load_profile(LOIHI, override=changes)
    assert forth.hash == sl.load_profile(LOIHI, override=backwards).hash
    assert sl.load_profile(forth, override={key: LEAVES[key] for key in changes}).hash == LOIHI.hash
    assert (forth.hash == LOIHI.hash) == all(LEAVES[key] == value for key, value in changes.items())


@calm
@given(st.sampled_from(sorted(LEAVES)), st.integers(0, 200), st.sampled_from("abcz_9"))
def test_a_misspelled_key_is_refused_by_name(key: str, place: int, letter: str) -> None:
    place %= len(key)
    wrong = key[:place] + letter + key[place + 1 :]
    places = dict(walk(LOIHI.model_dump(mode="json", by_alias=True)))
    if wrong in places or key[place] == ".":
        wrong = f"{key}_{letter}"
    with pytest.raises(sl.ProfileError) as caught:
        sl.load_profile(LOIHI, override={wrong: 1})
    (finding,) = caught.value.findings
    assert finding.startswith(f"{wrong}: matches nothing; did you mean ")
    assert finding.removesuffix("?").rpartition(" ")[2] in places


@calm
@given(overrides)
def test_overridden_values_lose_their_source_and_nothing_else_does(changes: dict[str, object]) -> None:
    derived = sl.load_profile(LOIHI, override=changes)
    assert set(unsourced(derived)) <= set(changes)
    for key in LEAVES:
        expected = None if key in changes else source_of(LOIHI, key)
        assert source_of(derived, key) == expected


def test_names_show_the_overrides_in_their_order() -> None:
    changes = {"weights.bits": 4, "regs.u.overflow": "saturate", "limits.cores": None, "delivery.into": ["q"]}
    profile = sl.load_profile("loihi1:lava", override=changes)
    shown = 'weights.bits=4+regs.u.overflow=saturate+limits.cores=null+delivery.into=["q"]'
    assert profile.name == f"loihi1:lava+{shown}"


def test_a_variant_and_an_override_of_the_same_keys_are_the_same_chip() -> None:
    lava = sl.load_profile("loihi1:lava")
    by_hand = sl.load_profile("loihi1", override=LOIHI.variant["lava"])
    assert lava.hash == by_hand.hash
    assert lava.provenance == by_hand.provenance
    assert "provenance" not in by_hand.name


def test_an_override_may_say_where_its_value_comes_from() -> None:
    source = {"source": "data sheet", "status": "paper"}
    changes = {"weights.bits": 4, "weights.clip": 64, "provenance.weights": source}
    profile = sl.load_profile("loihi1", override=changes)
    assert unsourced(profile) == ()
    assert weakest_status(profile, ["weights.bits"]) == "paper"


def test_the_weakest_status_looks_below_a_key_and_at_the_nearest_parent(tmp_path: Path) -> None:
    profile = sl.load_profile(written(tmp_path, "sound.toml", SOUND))
    assert weakest_status(profile, ["limits.memory"]) == "paper"
    assert weakest_status(profile, ["limits"]) == "secondary"
    assert weakest_status(profile, ["weights", "time"]) == "code"
    cores = sl.load_profile(profile, override={"limits.cores": 5})
    assert weakest_status(cores, ["limits"]) == "unverified"
    with pytest.raises(ValueError, match="states no number there"):
        weakest_status(profile, ["energy"])


def test_a_whole_operation_may_be_replaced_under_its_name() -> None:
    fire = {"op": "multi_fire", "reg": "v", "thr": "vth", "max": 3}
    profile = sl.load_profile("loihi1", override={"operation.fire": fire})
    assert profile.fire.op == "multi_fire"
    assert profile.fire.name == "fire"


def test_numbers_of_numpy_are_numbers() -> None:
    changes = {"weights.bits": np.int64(4), "energy.synop_j": np.float64(1e-12)}
    profile = sl.load_profile("loihi1", override=changes)
    assert (profile.weights.bits, profile.energy.synop_j) == (4, 1e-12)


@pytest.mark.parametrize(
    "key", ["schema", "name", "chip", "chip.id", "variant", "variant.lava", "provenance"]
)
def test_what_names_the_profile_cannot_be_overridden(key: str) -> None:
    with pytest.raises(sl.ProfileError) as caught:
        sl.load_profile("loihi1", override={key: "x"})
    assert caught.value.findings == (f"{key}: cannot be overridden",)


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"weights.bits": "8"}, "weights.bits: should be a valid integer, got '8'"),
        ({"weights.bits": 4.5}, "weights.bits: should be a valid integer"),
        ({"weights.bits": True}, "weights.bits: should be a valid integer"),
        ({"weights.bits": 9}, "weights.bits: 9 is above mantissa_bits 8"),
        ({"regs.q.signed": 1}, "regs.q.signed: should be a valid boolean"),
        ({"operation.fire.op": "fier"}, "operation.fire: unknown operation fier; did you mean fire?"),
        ({"energy.synop_j": float("nan")}, "energy.synop_j: should be a finite number"),
        ({"provenance.weight": {"source": "x", "status": "paper"}}, "provenance.weight: the profile has no"),
    ],
)  # fmt: skip
def test_an_override_is_checked_like_the_file(changes: dict[str, object], finding: str) -> None:
    with pytest.raises(sl.ProfileError) as caught:
        sl.load_profile("loihi1", override=changes)
    assert caught.value.findings[0].startswith(finding)


def test_a_value_that_toml_cannot_hold_is_refused() -> None:
    with pytest.raises(sl.ProfileError, match="holds a value that is no number, text, list or table"):
        sl.load_profile("loihi1", override={"weights.bits": object()})
