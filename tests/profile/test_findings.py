"""Is everything that can be wrong with a profile found, all at once, with the nearest valid name?"""

from __future__ import annotations

from pathlib import Path

import pytest
import spikeloom as sl
from profile_files import SOUND, changed, findings_of, written

SCHEMA_PROBLEMS = [
    (("cores = 4", "cors = 4"), "limits.cors: unknown key; did you mean cores?"),
    (("cores = 4", "cores = 0"), "limits.cores: should be greater than or equal to 1, got 0"),
    (("bits = 4096", "bitz = 4096"), "limits.memory.synapse.bits: is missing"),
    (("bits = 4096", "bitz = 4096"), "limits.memory.synapse.bitz: unknown key; did you mean bits?"),
    (('formula = "mant_exp"', 'formula = "mantexp"'), "weights.formula: should be 'float', 'int', "),
    (('cmp = "ge"', 'cnp = "ge"'), "operation.fire.cnp: unknown key; did you mean cmp?"),
    (('op = "count_down"', 'op = "countdown"'), "operation.count: unknown operation countdown; did you mean"),
    (('op = "count_down"', ""), "operation.count: names no operation; write op = ..."),
    (("ref = { bits = 3,", "ref = { bit = 3,"), "regs.ref.bit: unknown key; did you mean bits?"),
    (("schema = 1", "schema = 1\ndelay_min = 3"), "delay_min: unknown key; did you mean time.delay_min?"),
    (("schema = 1", "schema = 1\n[weigths]"), "weigths: unknown key; did you mean weights?"),
    (('status = "code"', 'status = "rumour"'), "provenance.time.status: should be 'exec', "),
    (('init = "free"', "init = 1"), "state.v.init: should be 0 or 'free', got 1"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "finding"), SCHEMA_PROBLEMS)
def test_a_schema_problem_is_named_with_its_key(tmp_path: Path, edit: tuple[str, str], finding: str) -> None:
    assert any(found.startswith(finding) for found in findings_of(tmp_path, changed(edit)))


SOUNDNESS_PROBLEMS = [
    # operations and their operands
    (('thr = "vth"', 'thr = "vht"'), "operation.fire.thr: no register or parameter vht"),
    (('thr = "vth"', 'thr = "v_th"'), "operation.fire.thr: no register or parameter v_th; did you mean vth?"),
    (('unless = "ref"', 'unless = "hold"'), "operation.integrate.unless: hold is a parameter; a register is"),
    (("start = { ref =", "start = { reff ="), "operation.fire.start.reff: no register reff; did you mean re"),
    (('start = { ref = "hold"', 'start = { ref = "holt"'), "operation.fire.start.ref: no register or parame"),
    (('"v", "i[*]"', '"v", "i"'), "operation.integrate.terms: i has 2 elements; name one, as i[0]"),
    (('"v", "i[*]"', '"v", "i[2]"'), "operation.integrate.terms: no register or parameter i[2]; did you mea"),
    (('"v", "i[*]"', '"v", "-j"'), "operation.integrate.terms: no register or parameter j"),
    (('terms = ["v", "i[*]", "bias"]', "terms = []"), "operation.integrate.terms: needs at least one term"),
    (('dst = "v"\nterms', 'dst = "top"\nterms'), "operation.integrate.dst: top is a parameter; a register i"),
    (('name = "leak"', 'name = "decay"'), "operation.decay: the name stands 2 times; names are unique"),
    (('name = "leak"', 'name = "the leak"'), "operation: the name 'the leak' needs letters, digits and unde"),
    (('op = "count_down"', 'op = "multi_fire"\nthr = 1\nmax = 2'), "operation: needs exactly one of fire, f"),
    # registers and parameters
    (('v = { bits = 16, overflow = "wrap" }', "v = { bits = 16 }"), "regs.v: a digital soma needs bits and"),
    (('soma = "digital"', 'soma = "analog"'), "regs.i: an analog soma has registers without bits and overfl"),
    (('signed = false, overflow = "trap"', 'signed = false, overflow = "wrap_lava24"'), "regs.ref.overflow:"),
    (("hold = { min", "v = { min"), "regs.v: the name is taken by a parameter or by the spikes"),
    (("hold = { min", "bias_exp = { min"), "params.bias_exp: is the name of the exponent of params.bias"),
    (("hold = { min = 0,", "hold = {"), "params.hold.min: is missing; only the format float has no range"),
    (("max = 7, default = 0", "max = 7.5, default = 0"), "params.hold.max: a code is a 32-bit integer, got"),
    (("max = 7, default = 0", "max = 7, default = 8"), "params.hold.default: 8 is outside [0, 7]"),
    (("max = 7, default = 0", "max = -7"), "params.hold.min: 0 is above max -7"),
    (('hold = { min', 'hold = { format = "float", min'), "params.hold.format: float needs an analog soma"),
    (('hold = { min', 'hold = { shift = 3, min'), "params.hold.shift: only the format shift has one"),
    (('hold = { min', 'hold = { exp_max = 3, min'), "params.hold.exp_max: only the format mant_exp has one"),
    (('"pow2_minus1", min = 4', '"pow2_minus1", min = -4'), "params.top.min: an exponent is not negative, g"),
    (('scope = "config", default', 'scope = "confg", default'), "params.decay.scope: confg is neither neuro"),
    # weights
    (("\nbits = 4\n", "\n"), "weights: the formula mant_exp needs bits and at least one mode"),
    (("mantissa_bits = 6", "mantissa_bits = 3"), "weights.bits: 4 is above mantissa_bits 3"),
    (("max = 63\n[[weights.mode]]", "max = 3\n[[weights.mode]]"), "weights.mode.positive: holds fewer than"),
    (("max = 63\n[[weights.mode]]", "max = 64\n[[weights.mode]]"), "weights.mode.positive: holds 17 codes"),
    (('name = "w_exp"', 'name = "v_exp"'), "weights.shared.v_exp: the formula mant_exp reads w_exp"),
    (("max = 3\n", "max = -3\n"), "weights.shared.w_exp: needs min <= default <= max"),
    (('formula = "mant_exp"', 'formula = "int"'), "weights: only the formula mant_exp has clip and unit_shi"),
    (('formula = "mant_exp"', 'formula = "float"'), "weights.formula: float needs analog synapses"),
    (('synapse = "digital"', 'synapse = "analog"'), "weights.formula: mant_exp needs digital synapses"),
    # tables and everything that refers to a name
    (('fields = ["decay"', 'fields = ["deacy"'), "limits.shared_table.config.fields: deacy is neither a par"),
    (('fields = ["decay"', 'fields = ["hold"'), "limits.shared_table.config.fields: the scope of params.hol"),
    (('fields = ["decay", ', "fields = ["), "params.decay.scope: limits.shared_table.config does not list t"),
    (('into = ["i[0]", "i[1]"]', 'into = ["i"]'), "delivery.into: no i; known: i[0], i[1], v, ref"),
    (('into = ["i[0]", "i[1]"]', 'into = ["i[0]", "i[0]"]'), "delivery.into: names an accumulator twice"),
    (('into = ["i[0]", "i[1]"]', "into = []"), "delivery.into, outputs.readable: need at least one name eac"),
    (("[delivery]", '[delivery]\norder = ["input"]'), "delivery.order: needs input and recurrent, each once"),
    (('readable = ["spikes", "v"]', 'readable = ["spike"]'), "outputs.readable: no spike; did you mean spik"),
    (("[state]\nv = ", "[state]\nvv = "), "state: no vv"),
    (('param = "bias"\n\n[variant', 'param = "bais"\n\n[variant'), "bias.param: no bais; did you mean bias?"),
    (('kind = "register"', 'kind = "none"'), "bias: the kind register needs param, the others have none"),
    (("delay_max = 7", "delay_max = 7\ndelay_min = 8"), "time: no delay from 8 to 7 for the scope synapse"),
    (('delay_scope = "synapse"', ""), "time: no delay from 0 to 7 for the scope none"),
    (('"limits.cores" =', '"limits.cors" ='), "provenance.limits.cors: the profile has no such key; did you"),
    (('"v", "i[*]", "bias"', '"v", "i[0]", "bias"'), "delivery.into: no operation reads i[1], so its"),
    (("[regs]", '[regs]\nw = { bits = 8, overflow = "wrap" }'), "regs.w: is always 0; no operation"),
    # widths
    (('"pow2_minus1", min = 4, max = 14, default = 14', '"pow2_minus1", min = 4, max = 64'),
     "params.top: its effective value may leave 64 bits; in [15, 18446744073709551615]"),
    (('"pow2_minus1", min = 4, max = 14, default = 14', '"pow2_minus1", min = 4, max = 900'),
     "params.top: its effective value may leave 64 bits; in [15, 2^255]"),
    (('terms = ["v", "i[*]", "bias"]', 'terms = ["v", "i[*]", 9223372036854775807]'),
     "operation.integrate: its sum may leave 64 bits; in [92233"),
    (("shift = 8", "shift = 7"), "operation.decay: needs 0 <= k <= 128; k = 128 - 0 - decay in [-127, 128]"),
    (("shift = 8", "shift = 8\noffset = -1"), "operation.decay: needs 0 <= k <= 256; k = 256 - -1 - decay i"),
    (("shift = { min = 0, max = 15", "shift = { min = 0, max = 64"), "operation.leak: needs a shift from 0"),
    (("shift = { min = 0, max = 15", "shift = { min = -1, max = 15"), "operation.leak: needs a shift from 0"),
    (("max = 3\n", "max = 60\n"), "weights: an effective weight may leave 64 bits; in ["),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "finding"), SOUNDNESS_PROBLEMS)
def test_an_unsound_profile_is_refused_by_name(tmp_path: Path, edit: tuple[str, str], finding: str) -> None:
    found = findings_of(tmp_path, changed(edit))
    assert any(line.startswith(finding) for line in found), "\n".join(found)


def test_the_profile_that_these_tests_break_is_sound(tmp_path: Path) -> None:
    assert sl.load_profile(written(tmp_path, "sound.toml", SOUND)).name == "sound"


def test_unknown_keys_and_unsound_parts_are_found_at_once(tmp_path: Path) -> None:
    text = changed(
        ("cores = 4", "cors = 4"),
        ('cmp = "ge"', 'cmp = "ge"\nresett = "zero"'),
        ('unless = "ref"', 'unless = "reff"'),
        ('readable = ["spikes", "v"]', 'readable = ["w"]'),
    )
    assert findings_of(tmp_path, text) == (
        "limits.cors: unknown key; did you mean cores?",
        "operation.fire.resett: unknown key; did you mean reset?",
        "operation.integrate.unless: no register reff; did you mean ref?",
        "outputs.readable: no w; known: spikes, i[0], i[1], v, ref",
    )


def test_an_early_draft_of_a_profile_gets_all_its_problems_in_one_error(tmp_path: Path) -> None:
    draft = """
schema = 1
[chip]
id = "draft"
name = "Draft"
kind = "digital"
[time]
mode = "event"
clock_hz = 1e8
[weights]
formula = "int"
encoding = "signed"
min = -8
[delivery]
accumulate = "saturate_each"
[params]
leak = { bits = 7, min = 0, max = 127 }
[regs]
v = { bits = 12, overflow = "none" }
[[operation]]
op = "add_in"
[[operation]]
op = "fire"
reg = "v"
param = "leak"
[prov]
"""
    found = findings_of(tmp_path, draft, "draft.toml")
    keys = {finding.partition(": ")[0] for finding in found}
    assert keys >= {
        "chip.synapse", "chip.soma", "chip.kind", "time.clock_hz", "weights.encoding",
        "weights.min", "delivery.into", "delivery.accumulate", "params.leak.bits", "regs.v.overflow",
        "operation.0", "operation.1.name", "operation.1.cmp", "operation.1.thr", "operation.1.reset",
        "operation.1.param", "prov",
    }  # fmt: skip


def test_analog_profiles_have_no_codes_and_no_widths(tmp_path: Path) -> None:
    ideal = sl.load_profile("ideal")
    assert ideal.is_analog
    with pytest.raises(sl.ProfileError) as caught:
        sl.load_profile("ideal", override={"weights.bits": 4, "regs.v.bits": 8, "chip.synapse": "digital"})
    assert caught.value.findings == (
        "regs.v: an analog soma has registers without bits and overflow",
        "weights.formula: float needs analog synapses",
        "weights.bits: the formula float has none",
    )
