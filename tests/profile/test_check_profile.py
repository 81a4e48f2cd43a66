"""Does the check of a profile say what is wrong with it, and show what a neuron of it does?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import spikeloom as sl
from profile_files import SOUND, changed, written
from spikeloom.errors import EmulationError
from spikeloom.flows import check_profile as flow
from spikeloom.flows.conversion.layers.response_curve import response_curve
from spikeloom.reference.compare import CrossCheck, Divergence

pytest.importorskip("spikeloom._core", reason="the emulator is not built")


@pytest.mark.parametrize("name", ["ideal", "loihi1:lava"])
def test_a_shipped_profile_is_sound(name: str) -> None:
    check = sl.check_profile(name, programs=6)
    assert check.findings == ()
    assert check.ok
    assert check.compared == {"the twin": 6, "Brian2": 6}
    assert check.remarks == ()
    assert f"{name}: sound" in str(check)


def test_an_own_profile_is_checked_by_its_path(tmp_path: Path) -> None:
    check = sl.check_profile(written(tmp_path, "sound.toml", SOUND), programs=6, seed=3)
    assert check.findings == ()
    assert check.levels == {"positive": "0 to 60 in steps of 4", "both": "-64 to 56 in steps of 8"}
    assert check.unsourced == ()
    assert check.compared["the twin"] == 6


def test_a_broken_profile_gives_its_findings_and_runs_nothing(tmp_path: Path) -> None:
    text = changed(("cores = 4", "cors = 4"), ('thr = "vth"', 'thr = "v_th"'))
    check = sl.check_profile(written(tmp_path, "sound.toml", text))
    assert not check.ok
    assert check.findings == (
        "limits.cors: unknown key; did you mean cores?",
        "operation.fire.thr: no register or parameter v_th; did you mean vth?",
    )
    assert check.compared == {}


def test_an_unsound_profile_object_is_found_too() -> None:
    profile = sl.load_profile("loihi1")
    broken = profile.model_copy(update={"outputs": profile.outputs.model_copy(update={"readable": ("w",)})})
    assert sl.check_profile(broken).findings == ("outputs.readable: no w; known: spikes, q, u, x, v, ref",)


def test_an_unknown_profile_is_an_error() -> None:
    with pytest.raises(sl.ProfileError, match="does not exist"):
        sl.check_profile("loihi2")


def test_overridden_numbers_are_listed_as_unsourced() -> None:
    profile = sl.load_profile("loihi1", override={"weights.bits": 4})
    check = sl.check_profile(profile, programs=1)
    assert check.unsourced == ("weights.bits",)
    assert check.ok
    assert "numbers without a source: weights.bits" in str(check)


def test_programs_on_which_the_executors_differ_are_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    divergence = Divergence(0, 3, 1, 7, "v", 5, 6)
    monkeypatch.setattr(flow, "crosscheck", lambda *_, **__: CrossCheck(False, {}, divergence))
    check = sl.check_profile("loihi1", programs=2, seed=40)
    assert check.findings == tuple(
        f"program {seed}: sample 0, tick 3, core 1, neuron 7: v should be 5, is 6" for seed in (40, 41)
    )
    assert check.compared == {"the twin": 0}


def test_a_refusal_by_one_executor_alone_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> CrossCheck:
        raise EmulationError("register v", "left its width")

    monkeypatch.setattr(flow, "crosscheck", refuse)
    monkeypatch.setattr(flow, "run_twin", refuse)
    (finding,) = sl.check_profile("loihi1", programs=1).findings
    assert finding == "program 0: the emulator says nothing; the twin says register v: left its width"
    monkeypatch.setattr(flow, "emulate", refuse)
    check = sl.check_profile("loihi1", programs=1)
    assert check.findings == ()
    assert check.remarks == ("1 of them end alike, with a value outside its register",)


def test_programs_that_trap_at_the_same_value_agree() -> None:
    narrow = {"regs.u.bits": 20, "regs.u.overflow": "trap"}
    check = sl.check_profile(sl.load_profile("loihi1", override=narrow), programs=12)
    assert check.findings == ()
    assert "of them end alike, with a value outside its register" in check.remarks[0]


def test_what_brian2_cannot_carry_is_a_remark(monkeypatch: pytest.MonkeyPatch) -> None:
    from spikeloom.flows.crosscheck import crosscheck as plain

    def refuse_brian2(*arguments: object, reference: str) -> CrossCheck:
        if reference == "brian2":
            raise EmulationError("operation alias", "has no Brian2 form")
        return plain(*arguments, reference=reference)  # type: ignore[arg-type]

    monkeypatch.setattr(flow, "crosscheck", refuse_brian2)
    check = sl.check_profile("loihi1", programs=1)
    assert check.ok
    assert check.remarks == ("not compared with Brian2: operation alias: has no Brian2 form",)


def test_the_response_of_an_integrator_is_its_input() -> None:
    curve = response_curve(sl.load_profile("ideal"), ticks=64)
    assert curve.threshold == 1.0
    assert np.abs(curve.rates - curve.inputs).max() <= 1 / 64


def test_the_response_of_a_hard_reset_counts_whole_ticks() -> None:
    ticks = 600
    curve = response_curve(sl.load_profile("loihi1"), ticks=ticks)
    driven = curve.inputs > 0
    # a spike when the sum first exceeds the threshold; then the sum starts again at 0
    period = np.floor(curve.threshold / curve.inputs[driven]).astype(int) + 1
    assert curve.rates[~driven].sum() == 0
    expected = ticks // period / ticks
    assert np.array_equal(curve.rates[driven], expected)


def test_a_stronger_input_never_spikes_less(tmp_path: Path) -> None:
    sound = sl.load_profile(written(tmp_path, "sound.toml", SOUND))
    for profile in (sl.load_profile("loihi1:lava"), sl.load_profile("loihi1"), sound):
        curve = response_curve(profile)
        assert np.all(np.diff(curve.rates) >= 0)
        assert curve.rates[-1] > 0
