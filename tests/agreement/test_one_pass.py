"""Does a list that the core does in one pass give what it gives op by op, and what the twin gives?"""

import numpy as np
import pytest
from agreement_cases import OWN, core_trace
from spikeloom.emulation.emulate import emulate
from spikeloom.emulation.loading import core_program
from spikeloom.errors import EmulationError
from spikeloom.profile.catalog import load_profile, resolve
from spikeloom.reference.compare import combine, compare
from spikeloom.reference.random_programs import random_program
from spikeloom.reference.random_values import Options
from spikeloom.reference.twin.executor import run_twin

SMALL = Options(neurons=80, cores=1, ticks=12)  # more neurons than a word has bits
LISTS = {
    "value": {},
    "zero": {"operation.fire.reset": "zero"},
    "subtract": {"operation.fire.reset": "subtract", "params.vth.min": 0},
    "none": {"operation.fire.reset": "none"},
    "above": {"operation.fire.cmp": "gt"},
    "wide": {"regs.v.bits": 24},
    "no_leak": {},
}


def listed(name):
    """The profile of a list."""
    document = load_profile(OWN / "leaky_fire.toml", override=LISTS[name]).model_dump(by_alias=True)
    operations = list(document["operation"])[name == "no_leak" :]
    return resolve({**document, "operation": operations}, f"leaky_fire/{name}")


def traced(profile, seed, one_pass, monkeypatch):
    """A random program, and what the core makes of it in one pass ("yes") or op by op ("no")."""
    monkeypatch.setenv("SPIKELOOM_ONE_PASS", one_pass)
    case = random_program(profile, seed, SMALL)
    try:
        assert core_program(case.program).one_pass == (one_pass == "yes")
    except EmulationError:
        pytest.skip("this processor lacks the level")
    return case, core_trace(case.program, case.spikes)


def assert_same_without_registers(case, trace):
    """The core spikes and cuts alike where nothing reads its registers, and counts alike where it lists nothing."""
    program = case.program
    run = emulate(
        program, case.spikes[None], record=[f"{placed.name}.spikes" for placed in program.populations]
    )
    fired = np.zeros_like(trace.spikes)
    for placed in program.populations:
        _, tick, neuron = run.spikes[placed.name].T
        np.add.at(fired, (tick, placed.neurons[neuron]), 1)
    assert np.array_equal(fired, trace.spikes)
    assert trace.rules == {rule: int(acted[0]) for rule, acted in run.rules.items() if acted[0]}
    unlisted = emulate(program, case.spikes[None])
    assert unlisted.events == run.events
    assert all(np.array_equal(made, run.counts[name]) for name, made in unlisted.counts.items())


@pytest.mark.parametrize("level", ["baseline", "v3", "v4"])
@pytest.mark.parametrize("name", LISTS)
def test_one_pass_is_op_by_op_is_the_twin(name, level, monkeypatch):
    monkeypatch.setenv("SPIKELOOM_KERNELS", level)
    profile = listed(name)
    checks, fired, cut = [], 0, 0
    for seed in range(10):
        case, trace = traced(profile, seed, "yes", monkeypatch)
        assert_same_without_registers(case, trace)
        _, op_by_op = traced(profile, seed, "no", monkeypatch)
        twin = run_twin(case.program, case.spikes)
        checks.append(compare(twin, trace, case.program, seed))
        checks.append(compare(op_by_op, trace, case.program, seed))
        assert trace.rules == twin.rules == op_by_op.rules
        fired += int(trace.spikes.sum())
        cut += trace.rules.get("v.saturate", 0)
    assert combine(checks).equal, combine(checks).first_divergence
    assert fired > 500
    assert cut > 0
