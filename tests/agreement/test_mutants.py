"""Would this suite see a wrong rule? Each mutant breaks one rule of the twin; on some program of the suite it
must differ from the right twin in a register or a spike, or fail."""

import mutants_of_events  # noqa: F401 - fills the table
import mutants_of_firing  # noqa: F401 - fills the table
import mutants_of_neuron_steps  # noqa: F401
import mutants_of_numbers  # noqa: F401
import mutants_of_operations  # noqa: F401
import mutants_of_real_operations  # noqa: F401
import mutants_of_the_chips  # noqa: F401
import mutants_of_the_tick  # noqa: F401
import pytest
from agreement_cases import DIRECTED, case_of, outcome, twin_outcome
from mutant_hooks import MUTANTS, altered, put_entry, put_order, put_rounding, put_start
from spikeloom.errors import EmulationError
from spikeloom.reference.compare import Trace, compare
from spikeloom.reference.twin import operations as twin_operations
from spikeloom.reference.twin.executor import run_twin

PROGRAMS = 100  # the first programs of each profile; the suite runs a thousand


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_killed(name, monkeypatch):
    mutate, profiles = MUTANTS[name]
    suite = [(profile, seed) for seed in range(PROGRAMS) for profile in profiles]
    for profile, seed in suite[:1] if profiles[0] in DIRECTED else suite:
        expected = twin_outcome(profile, seed)
        case = case_of(profile, seed)
        with monkeypatch.context() as context:
            mutate(context.setattr)
            got = run_mutant(case)
        if differs(expected, got, case.program):
            return
    pytest.fail(f"{name} survived {len(suite)} programs")


def run_mutant(case):
    """What the mutant makes of a program; a crash is an outcome, too."""
    try:
        return outcome(run_twin, case.program, case.spikes)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        return error


def differs(expected, got, program):
    """Whether one would be told from the other."""
    if isinstance(expected, Trace) and isinstance(got, Trace):
        return not compare(expected, got, program).equal
    if isinstance(expected, EmulationError) and isinstance(got, EmulationError):
        return str(expected) != str(got)
    return True


@pytest.mark.parametrize("profile", ["loihi1", "subtract_reset", "two_thresholds", "multi_spike", "xylo_a2"])
def test_hooks_that_change_nothing_are_not_killed(profile, monkeypatch):
    """The hooks that mutants use leave a right twin right."""
    expected, case = twin_outcome(profile, 0), case_of(profile, 0)
    put_order(monkeypatch.setattr, lambda entries: [altered(entry) for entry in entries])
    for op in twin_operations.OPERATIONS:
        put_entry(monkeypatch.setattr, op)
    put_start(monkeypatch.setattr, lambda value: value)
    put_rounding(monkeypatch.setattr, "trunc", "trunc")
    assert not differs(expected, run_mutant(case), case.program)
