"""Do the variants of Loihi part exactly where their references do?"""

import numpy as np
import pytest
from agreement_cases import edge_of_u
from spikeloom.reference.brian2_model import run_brian2
from spikeloom.reference.compare import compare
from spikeloom.reference.twin import run_twin

TOP = 2**23


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
