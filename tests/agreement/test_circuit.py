"""Does the generated circuit do what the contract and the emulator say, register by register and clock by clock?

Random programs on up to four cores of a mesh run on the circuit, over the lists of several chips, on the controller
open_core. The twin, which shares no code with it, gives spikes and registers; the emulator every signal of every
clock; `open_core.md` the clocks of every phase. Buffers are as small as can be.
"""

from collections import Counter

import numpy as np
import pytest
from circuit_cases import PROFILES, PROGRAMS, Batch, batch_of, needs_simulator
from circuit_clocks import expected_phases, observed_phases
from spikeloom.errors import EmulationError
from spikeloom.flows.comparison.circuit_check import compared_sample
from spikeloom.flows.comparison.circuit_traces import clocks_of_circuit
from spikeloom.reference.compare import combine, compare

pytestmark = [needs_simulator, pytest.mark.slow]
# Where each kind of buffer is known to fill.
WAITS = dict.fromkeys(
    ("open_core", "xylo_a2", "each_addition"), {"output_full", "send_blocked", "link_blocked", "outvoted"}
)


@pytest.mark.parametrize("name", PROFILES)
def test_random_programs(name, tmp_path):
    batch = batch_of(name, tmp_path)
    checks, waited, joined = [], Counter(), 0
    for number, (case, twin) in enumerate(zip(batch.cases, batch.twins, strict=True)):
        if isinstance(twin, EmulationError):
            continue
        log, recording = batch.run(number), batch.emulated(number)
        clocks = clocks_of_circuit(log, batch.layout(number), batch.sizes)
        checks.append(compared_sample(case.program, recording, 0, log.trace(case.program), clocks))
        assert checks[-1].equal, f"program {number}: {checks[-1].first_divergence}"
        assert (check := compare(twin, log.trace(case.program), case.program)).equal, check.first_divergence
        check_phases(batch, number, log)
        waited.update({cause: int(counts[0]) for cause, counts in recording.cycles.stalls.items()})
        joined += bool(np.any(recording.cycles.counters["hops"] > recording.cycles.counters["packets"]))
    assert len(checks) > 0.9 * PROGRAMS
    compared = combine(checks).compared
    assert compared["spikes"] > 300 and compared["clocks"] > 10_000
    assert joined > PROGRAMS // 4, "too few programs whose cores are joined by the mesh"
    assert WAITS.get(name, {"outvoted"}) <= {cause for cause, clocks in waited.items() if clocks}


def check_phases(batch: Batch, number, log):
    """Every phase of every core and tick takes the clocks of the closed forms, holds included."""
    observed = observed_phases(log)
    expected = expected_phases(batch.cases[number].program, batch.sizes, batch.cases[number].spikes, log)
    assert expected, "nothing was compared"
    for place, clocks in expected.items():
        assert observed[place] == clocks, f"program {number}, (tick, core, phase) {place}"
