"""Does the generated circuit do what the contract says, spike by spike, register by register, clock by clock?

Random programs on up to three cores of a mesh run on the circuit; the twin, which shares no code with it, gives the
spikes and the registers, and `open_core.md` the clocks of every phase. Buffers are as small as can be.
"""

import pytest
from circuit_cases import PROFILES, PROGRAMS, Batch, batch_of, needs_simulator
from circuit_clocks import expected_phases, observed_phases
from spikeloom.errors import EmulationError
from spikeloom.reference.compare import combine, compare

pytestmark = [needs_simulator, pytest.mark.slow]


@pytest.mark.parametrize("name", PROFILES)
def test_random_programs(name, tmp_path):
    batch = batch_of(name, tmp_path)
    checks = []
    for number, (case, twin) in enumerate(zip(batch.cases, batch.twins, strict=True)):
        if isinstance(twin, EmulationError):
            continue
        log = batch.run(number)
        checks.append(compare(twin, log.trace(case.program), case.program, number))
        assert checks[-1].equal, checks[-1].first_divergence
        check_phases(batch, number, log)
    assert len(checks) > 0.9 * PROGRAMS
    assert combine(checks).compared["spikes"] > 300


def check_phases(batch: Batch, number, log):
    """Every phase of every core and tick takes the clocks of the closed forms, holds included."""
    observed = observed_phases(log)
    expected = expected_phases(batch.cases[number].program, batch.sizes, batch.cases[number].spikes, log)
    assert expected, "nothing was compared"
    for place, clocks in expected.items():
        assert observed[place] == clocks, f"program {number}, (tick, core, phase) {place}"
