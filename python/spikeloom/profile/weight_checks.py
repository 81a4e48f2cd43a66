"""Soundness of `[weights]`: does the formula have what it needs, and do the modes hold codes?"""

from __future__ import annotations

from collections.abc import Iterator

from spikeloom.profile.dotted import nearest
from spikeloom.profile.schema import Profile
from spikeloom.profile.weights import weight_levels


def weight_problems(profile: Profile) -> Iterator[str]:
    """Every problem of the weights, "dotted.key: what is wrong"."""
    weights = profile.weights
    if weights.formula == "float":
        if profile.chip.synapse != "analog":
            yield "weights.formula: float needs analog synapses"
        for field in ("bits", "mantissa_bits", "clip", "mode", "shared"):
            if getattr(weights, field):
                yield f"weights.{field}: the formula float has none"
        return
    if profile.chip.synapse != "digital":
        yield f"weights.formula: {weights.formula} needs digital synapses"
    if weights.bits is None or not weights.mode:
        yield f"weights: the formula {weights.formula} needs bits and at least one mode"
    if weights.limit is not None:
        yield "weights.limit: only the formula float has one"
    yield from _formula_problems(profile)
    yield from _mode_problems(profile)
    for shared in weights.shared:
        if not shared.min <= shared.default <= shared.max:
            yield f"weights.shared.{shared.name}: needs min <= default <= max"


def _formula_problems(profile: Profile) -> Iterator[str]:
    weights = profile.weights
    read = {
        "mant_exp": ["w_exp"],
        "int_shift": ["shift"],
        "type_table": ["type"],
        "palette": [f"iw{bit}" for bit in range(weights.bits or 0)],
    }.get(weights.formula, ["none"])
    for shared in weights.shared:
        if shared.name not in read:
            yield f"weights.shared.{shared.name}: the formula {weights.formula} reads {', '.join(read)}"
        if (shared.scope == "axon") != (shared.name == "type"):
            yield f"weights.shared.{shared.name}.scope: only the type of an axon has the scope axon"
    if weights.formula == "palette" and (not profile.is_analog or len(weights.shared) < len(read)):
        yield f"weights.shared: the formula palette needs an analog soma and {', '.join(read)}"
    if weights.unit != 1.0 and weights.formula != "palette":
        yield "weights.unit: only the formula palette has one"
    yield from _type_table_problems(profile)
    if (weights.formula == "sign_pre") != (weights.sign_scope == "source"):
        yield "weights.sign_scope: is source for the formula sign_pre, and for no other"
    if weights.formula != "mant_exp" and (weights.clip is not None or weights.unit_shift):
        yield "weights: only the formula mant_exp has clip and unit_shift"


def _type_table_problems(profile: Profile) -> Iterator[str]:
    """Every type needs a parameter, and every parameter a type."""
    weights = profile.weights
    if weights.formula != "type_table":
        if weights.table:
            yield "weights.table: only the formula type_table has one"
        return
    if profile.is_analog:
        yield "weights.formula: type_table needs a digital soma"
    for name in weights.table:
        if name not in profile.params:
            known = list(profile.params)
            yield f"weights.table: no parameter {name}; {nearest(name, known) or 'known: ' + ', '.join(known)}"
    types = next((shared for shared in weights.shared if shared.name == "type"), None)
    if not weights.table or types is None or (types.min, types.max) != (0, len(weights.table) - 1):
        yield "weights.table: needs a parameter for each value of weights.shared.type, which starts at 0"
    for mode in weights.mode:
        if (mode.min, mode.max) != (0, 1):
            yield f"weights.mode.{mode.name}: the formula type_table has the codes 0 and 1"


def _mode_problems(profile: Profile) -> Iterator[str]:
    """The codes of a mode are multiples of its step; they must be two at least and fit the bits."""
    weights = profile.weights
    bits = weights.bits or 1
    mantissa_bits = weights.mantissa_bits or bits
    if bits > mantissa_bits:
        yield f"weights.bits: {bits} is above mantissa_bits {mantissa_bits}"
        return
    for mode in weights.mode:
        low, high, step = weight_levels(weights, mode.name)
        levels = (high - low) // step + 1
        if levels < 2:
            yield f"weights.mode.{mode.name}: holds fewer than two codes between {mode.min} and {mode.max}"
        most = 2 * 2**bits - 1 if weights.formula == "row_sign" else 2**bits
        if levels > most:
            yield f"weights.mode.{mode.name}: holds {levels} codes; {bits} bits hold {most}"
