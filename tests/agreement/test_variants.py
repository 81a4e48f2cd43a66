"""Do the variants of Loihi part exactly where their references do?"""

from dataclasses import replace

import numpy as np
import pytest
from agreement_cases import core_trace, edge_of_u
from spikeloom.profile.catalog import load_profile
from spikeloom.reference.brian2.model import run_brian2
from spikeloom.reference.compare import combine, compare
from spikeloom.reference.random_programs import random_program
from spikeloom.reference.random_values import Options
from spikeloom.reference.twin.executor import run_twin

TOP = 2**23
SMALL = Options(neurons=5, cores=2, ticks=16)


@pytest.mark.parametrize(
    ("variant", "override"),
    [
        ("ranc:sim", {"state.v.init": 0}),  # a first value of 32 bits would trap at once
        ("truenorth:strict", {}),
    ],
)
def test_random_programs_of_the_variants_of_digital_chips(variant, override):
    profile, base = load_profile(variant, override=override), load_profile(variant.split(":")[0])
    checks, differences = [], 0
    for seed in range(150):
        case = random_program(profile, seed, SMALL)
        twin = run_twin(case.program, case.spikes)
        checks.append(compare(twin, core_trace(case.program, case.spikes), case.program, seed))
        other = run_twin(replace(case.program, profile=base), case.spikes)
        differences += not compare(twin, other, case.program).equal
    assert combine(checks).equal, combine(checks).first_divergence
    assert combine(checks).compared["spikes"] > 1000
    assert differences > 10  # the variant is not its base by another name


@pytest.mark.parametrize(
    ("variant", "edge"),
    [
        ("loihi1", (-TOP, -TOP)),  # two's complement: +2^23 turns over, -2^23 is the lowest number
        ("loihi1:nengo", (-TOP, -TOP)),
        ("loihi1:lava", (TOP, TOP)),  # +2^23 is not above the limit, -2^23 is not below it
        ("loihi1:brian", (TOP, -TOP)),  # no width
    ],
)
def test_a_current_of_two_to_the_23(variant, edge):
    case = edge_of_u(variant)
    twin = run_twin(case.program, case.spikes)
    assert tuple(twin.registers["u"][4]) == edge
    assert tuple(np.abs(twin.registers["u"][3])) == (28 * 4096 * 64,) * 2
    assert compare(twin, run_brian2(case.program, case.spikes), case.program).equal
