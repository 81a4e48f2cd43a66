"""Has every operation its Verilog or a reason, and does the arithmetic of wires hold on its own?"""

import shutil
import subprocess

import numpy as np
import pytest
from circuit_cases import OPTIONS, PROFILES, circuit_profile
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import ProgramError
from spikeloom.exporters.verilog.numbers import Logic
from spikeloom.exporters.verilog.operations import NOT_EXPRESSIBLE, OPERATIONS, check_expressible
from spikeloom.profile.catalog import load_profile
from spikeloom.profile.operations import OPERATIONS as CLASSES
from spikeloom.reference.random_programs import random_program

DIGITAL = {"sum", "decay_mul", "decay_shift", "decay_sub", "leak_signed", "clip", "clear", "hold_zero", "count_down",
           "fire", "fire2", "multi_fire"}  # fmt: skip


def names():
    return [str(cls.model_fields["op"].annotation.__args__[0]) for cls in CLASSES]


def test_every_operation_has_its_verilog_or_a_reason():
    without = [name for name in names() if name not in OPERATIONS and name not in NOT_EXPRESSIBLE]
    assert without == []
    assert set(OPERATIONS) == DIGITAL


def test_every_operation_is_in_a_circuit_of_this_suite():
    used = {entry.op for name in PROFILES for entry in circuit_profile(name).operation}
    assert used == set(OPERATIONS)


@pytest.mark.parametrize(
    ("profile", "override", "reason"),
    [
        ("loihi1", {}, "spikes without a limit"),
        ("open_core", {"regs.q.overflow": "saturate", "cycles": None}, "sum into a register that saturates"),
        ("xylo_a2", {}, "alias"),
        ("ideal", {}, "analog"),
    ],
)
def test_what_no_circuit_can_do_is_refused_with_its_reason(profile, override, reason):
    with pytest.raises(ProgramError, match=reason) as caught:
        check_expressible(load_profile(profile, override=override or None))
    assert NOT_EXPRESSIBLE[reason] in str(caught.value)


@pytest.mark.parametrize("name", PROFILES)
def test_a_list_whose_real_controller_is_another_says_so(name):
    case = random_program(circuit_profile(name), 1, OPTIONS)
    notes = emulate(case.program, case.spikes[None], timing="cycle").notes
    said = [
        note for note in notes if note.startswith("clocks are those of the controller open_core; that of")
    ]
    assert len(said) == (name.partition(":")[0] in ("loihi1", "xylo_a2", "ranc"))


def expressions(logic, a, b, shift):
    """Each way to compute with wires, and the same on integers."""
    yield logic.add(a, b), lambda x, y, s: x + y
    yield logic.subtract(a, b), lambda x, y, s: x - y
    yield logic.multiply(a, b), lambda x, y, s: x * y
    yield logic.negate(a), lambda x, y, s: -x
    yield logic.quotient(a, 2), lambda x, y, s: x >> 2
    yield logic.quotient(a, 9), lambda x, y, s: x >> 9
    yield logic.shifted(a, shift), lambda x, y, s: x >> s
    yield logic.larger(a, b), lambda x, y, s: max(x, y)
    yield logic.smaller(a, b), lambda x, y, s: min(x, y)
    yield logic.sign(a), lambda x, y, s: (x > 0) - (x < 0)
    yield logic.choose(logic.compare(a, "<=", b), a, logic.constant(7)), lambda x, y, s: x if x <= y else 7
    yield logic.choose(logic.is_zero(a), b, a), lambda x, y, s: y if x == 0 else x


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="on Debian: apt install iverilog")
def test_wires_compute_like_integers(tmp_path):
    """All values of a signed number of six bits with edges of one of five bits that is never negative."""
    logic = Logic("w")
    a, b, shift = (logic.signed(name, *ends) for name, ends in
                   (("in_a", (-32, 31)), ("in_b", (0, 15)), ("in_s", (0, 7))))  # fmt: skip
    found = list(expressions(logic, a, b, shift))
    cases = [(x, y, s) for x in range(-32, 32) for y in (0, 1, 7, 15) for s in (0, 1, 5, 7)]
    shown = ", ".join(value.name for value, _ in found)
    steps = "\n".join(f"in_a = {x}; in_b = {y}; in_s = {s}; #1 show;" for x, y, s in cases)
    formats = " ".join(["%0d"] * len(found))
    (tmp_path / "wires.v").write_text(
        "module wires; reg signed [5:0] in_a; reg signed [4:0] in_b; reg signed [3:0] in_s;\n"
        + "\n".join(logic.lines)
        + f'\ntask show; $display("{formats}", {shown}); endtask\ninitial begin\n{steps}\nend endmodule\n'
    )
    subprocess.run(["iverilog", "-g2001", "-Wall", "-o", "wires", "wires.v"], cwd=tmp_path, check=True)
    done = subprocess.run(["vvp", "-n", "wires"], cwd=tmp_path, check=True, capture_output=True, text=True)
    got = np.array([line.split() for line in done.stdout.splitlines()], dtype=np.int64)
    expected = np.array([[value(*case) for _, value in found] for case in cases])
    assert got.shape == expected.shape
    assert (got == expected).all()
