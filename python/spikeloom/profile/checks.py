"""Soundness of a profile beyond its schema: do its parts refer to one another, and do its widths hold?

Each check takes a profile that passed the schema and yields findings, "dotted.key: what is wrong".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from spikeloom.profile.cycle_checks import cycle_findings
from spikeloom.profile.dotted import nearest, walk
from spikeloom.profile.event_checks import event_findings
from spikeloom.profile.imperfection_checks import imperfection_findings
from spikeloom.profile.intervals import prove
from spikeloom.profile.operand_fields import REGISTER_FIELDS, operands_of
from spikeloom.profile.operations import FIRING, Alias, Operation, Sum
from spikeloom.profile.real_checks import continuous_findings, real_problems
from spikeloom.profile.real_operations import REAL_OPERATIONS
from spikeloom.profile.schema import Param, Profile
from spikeloom.profile.weight_checks import weight_problems

INT32 = (-(2**31), 2**31 - 1)  # codes are stored in 32 bits


def soundness_findings(profile: Profile) -> list[str]:
    """Every problem of a profile that its schema cannot see, all at once; the width proof last."""
    checks = (
        _names,
        _registers,
        _parameters,
        weight_problems,
        _tables,
        _operations,
        _references,
        _delivery,
        event_findings,
        _flow,
        cycle_findings,
        continuous_findings,
        imperfection_findings,
        _provenance,
    )
    findings = [finding for check in checks for finding in check(profile)]
    # The proof needs names that resolve and ranges that exist.
    return findings if findings or profile.is_analog else prove(profile)


def _names(profile: Profile) -> Iterator[str]:
    lists = {
        "operation": [operation.name for operation in profile.operation],
        "imperfection": [entry.name for entry in profile.imperfection],
        "limits.memory": [memory.name for memory in profile.limits.memory],
        "limits.shared_table": [table.name for table in profile.limits.shared_table],
        "weights.mode": [mode.name for mode in profile.weights.mode],
        "weights.shared": [shared.name for shared in profile.weights.shared],
    }
    tables = {"regs": [*profile.regs], "params": [*profile.params], "variant": [*profile.variant]}
    for place, names in (lists | tables).items():
        for name, count in Counter(names).items():
            if not name.isidentifier():
                yield f"{place}: the name {name!r} needs letters, digits and underscores only"
            if count > 1:
                yield f"{place}.{name}: the name stands {count} times; names are unique"
    exponents = {f"{name}_exp" for name, param in profile.params.items() if param.format == "mant_exp"}
    for name in sorted(exponents & set(profile.params)):
        yield f"params.{name}: is the name of the exponent of params.{name.removesuffix('_exp')}"
    for name in profile.regs:
        if name in profile.params or name in exponents or name == "spikes":
            yield f"regs.{name}: the name is taken by a parameter or by the spikes"


def _registers(profile: Profile) -> Iterator[str]:
    for name, register in profile.regs.items():
        if profile.is_analog and (register.bits is not None or register.overflow is not None):
            yield f"regs.{name}: an analog soma has registers without bits and overflow"
        if not profile.is_analog and (register.bits is None or register.overflow is None):
            yield f"regs.{name}: a digital soma needs bits and overflow"
        if register.overflow == "wrap_lava24" and not register.signed:
            yield f"regs.{name}.overflow: wrap_lava24 needs a signed register"


def _parameters(profile: Profile) -> Iterator[str]:
    scopes = ["neuron", "population", "core", *(table.name for table in profile.limits.shared_table)]
    for name, param in profile.params.items():
        key = f"params.{name}"
        if param.scope not in scopes:
            near = nearest(param.scope, scopes)
            yield f"{key}.scope: {param.scope} is neither neuron, population, core nor a shared table; {near}"
        if param.is_real and not profile.is_analog:
            yield f"{key}.format: {param.format} needs an analog soma"
        if param.format == "steps" and profile.time.dt_s is None:
            yield f"{key}.format: steps needs time.dt_s"
        if param.format != "shift" and param.shift:
            yield f"{key}.shift: only the format shift has one"
        if param.format != "mant_exp" and param.exp_max:
            yield f"{key}.exp_max: only the format mant_exp has one"
        yield from (f"{key}.{problem}" for problem in _range_problems(param))


def _range_problems(param: Param) -> Iterator[str]:
    given = {"min": param.min, "max": param.max, "default": param.default}
    stated = {key: value for key, value in given.items() if value is not None}
    if not param.is_real:
        for key in ("min", "max"):
            if key not in stated:
                yield f"{key}: is missing; only the format float has no range"
        for key, value in stated.items():
            if value != int(value) or not INT32[0] <= value <= INT32[1]:
                yield f"{key}: a code is a 32-bit integer, got {value}"
    if param.format.startswith(("pow2", "neg_pow2")) and stated.get("min", 0) < 0:
        yield f"min: an exponent is not negative, got {param.min:g}"
    low, high = stated.get("min", float("-inf")), stated.get("max", float("inf"))
    if low > high:
        yield f"min: {low:g} is above max {high:g}"
    elif not low <= stated.get("default", low) <= high:
        yield f"default: {param.default:g} is outside [{low:g}, {high:g}]"


def _tables(profile: Profile) -> Iterator[str]:
    shared = {value.name for value in profile.weights.shared} | {"mode"}
    known = [*profile.params, *shared]
    for table in profile.limits.shared_table:
        key = f"limits.shared_table.{table.name}.fields"
        for field in table.fields:
            if field not in known:
                near = nearest(field, known)
                yield f"{key}: {field} is neither a parameter nor a shared weight value; {near}"
            elif field in profile.params and profile.params[field].scope != table.name:
                yield f"{key}: the scope of params.{field} is {profile.params[field].scope}"
    fields = {(table.name, field) for table in profile.limits.shared_table for field in table.fields}
    tables = {table.name for table in profile.limits.shared_table}
    for name, param in profile.params.items():
        if param.scope in tables and (param.scope, name) not in fields:
            yield f"params.{name}.scope: limits.shared_table.{param.scope} does not list the field"


def _operations(profile: Profile) -> Iterator[str]:
    for operation in profile.operation:
        for field, problem in _operand_problems(profile, operation):
            yield f"operation.{operation.name}.{field}: {problem}"
    firing = [operation.name for operation in profile.operation if operation.op in FIRING]
    if len(firing) != 1:
        found = ", ".join(firing) or "none"
        yield f"operation: needs exactly one of {', '.join(FIRING)}; found {found}"


def _operand_problems(profile: Profile, operation: Operation) -> Iterator[tuple[str, str]]:
    """(field, problem) of every name that an operation cannot use there."""
    registers = set(profile.element_names())
    values = registers | set(profile.params)
    for field, operand in operands_of(operation):
        only_registers = field in REGISTER_FIELDS or (field.startswith("start.") and operand is None)
        name = field.removeprefix("start.") if operand is None else operand
        if isinstance(name, str) and name not in (registers if only_registers else values):
            yield field, _unknown_name(profile, name, only_registers)
    if isinstance(operation, Sum) and not operation.terms:
        yield "terms", "needs at least one term"
    if isinstance(operation, Alias):
        place = profile.operation.index(operation)
        if place == 0 or profile.operation[place - 1].op != "multi_fire":
            yield "op", "alias follows multi_fire directly, as a part of it"
        if operation.unless is not None:
            yield "unless", "is not defined for a part of multi_fire"
        if operation.offset not in profile.params:
            near = nearest(operation.offset, list(profile.params))
            yield (
                "offset",
                f"no parameter {operation.offset}; {near or 'known: ' + ', '.join(profile.params)}",
            )
    if isinstance(operation, REAL_OPERATIONS):
        yield from real_problems(profile, operation)


def _unknown_name(profile: Profile, name: str, only_registers: bool) -> str:
    if name in profile.regs and profile.regs[name].count > 1:
        return f"{name} has {profile.regs[name].count} elements; name one, as {name}[0]"
    if name in profile.params:
        return f"{name} is a parameter; a register is needed here"
    known = list(profile.element_names()) + ([] if only_registers else list(profile.params))
    wanted = "register" if only_registers else "register or parameter"
    return f"no {wanted} {name}; {nearest(name, known) or 'known: ' + ', '.join(known)}"


def _references(profile: Profile) -> Iterator[str]:
    """Names outside the operation list, and the few rules about them."""
    elements = profile.element_names()
    yield from _unknown("delivery.into", profile.delivery.into, elements)
    yield from _unknown("outputs.readable", profile.outputs.readable, ("spikes", *elements))
    yield from _unknown("state", profile.state, tuple(profile.regs))
    if not profile.delivery.into or not profile.outputs.readable:
        yield "delivery.into, outputs.readable: need at least one name each"
    into = profile.delivery.into if profile.event is None else ()  # kinds of events may share one
    if len(set(into)) < len(into):
        yield "delivery.into: names an accumulator twice"
    if sorted(profile.delivery.order) != ["input", "recurrent"]:
        yield "delivery.order: needs input and recurrent, each once"
    if (profile.bias.kind == "register") != (profile.bias.param is not None):
        yield "bias: the kind register needs param, the others have none"
    elif profile.bias.param is not None:
        yield from _unknown("bias.param", [profile.bias.param], tuple(profile.params))
    time = profile.time
    if time.delay_min > time.delay_max or (time.delay_scope == "none" and time.delay_max > 0):
        yield f"time: no delay from {time.delay_min} to {time.delay_max} for the scope {time.delay_scope}"


def _delivery(profile: Profile) -> Iterator[str]:
    """What a rule after every addition asks of the profile."""
    if profile.delivery.accumulate != "each":
        return
    if profile.is_analog:
        yield "delivery.accumulate: each needs a digital soma; real registers have no rule"
    if profile.time.delay_scope != "none":
        yield "delivery.accumulate: each needs delay_scope none; no order between delays is defined"
    for name in profile.delivery.into:
        register = profile.regs.get(name.split("[")[0])
        if register is not None and register.overflow == "wrap_lava24":
            yield f"delivery.accumulate: each is not defined for the rule wrap_lava24 of regs.{name}"


def _flow(profile: Profile) -> Iterator[str]:
    """Does what synapses add reach an operation, and can every register be anything but 0?"""
    reads = {str(operand) for operation in profile.operation for operand in operation.reads()}
    writes = {register for operation in profile.operation for register in operation.writes()}
    for name in profile.delivery.into:
        if name not in reads and f"{name.split('[')[0]}[*]" not in reads:
            yield f"delivery.into: no operation reads {name}, so its synapses would do nothing"
    free = {name for name, state in profile.state.items() if state.init == "free"}
    for name in profile.element_names():
        if name not in writes and name not in profile.delivery.into and name.split("[")[0] not in free:
            yield f"regs.{name}: is always 0; no operation or synapse writes it, nor can the program set it"


def _unknown(key: str, names: Iterable[str], known: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f"{key}: no {name}; {nearest(name, known) or 'known: ' + ', '.join(known)}"


def _provenance(profile: Profile) -> Iterator[str]:
    document = profile.model_dump(mode="json", by_alias=True, exclude={"provenance", "variant"})
    keys = [key for key, _ in walk(document)]
    for entry in profile.provenance:
        if entry not in keys:
            yield f"provenance.{entry}: the profile has no such key; {nearest(entry, keys)}"
