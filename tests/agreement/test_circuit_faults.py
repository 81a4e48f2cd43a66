"""Is one wrong bit found, and where it is? In the Verilog, in the emulator, and in a memory image."""

import shutil

import pytest
from circuit_cases import Batch, build, circuit_profile, draw, small_sizes
from spikeloom.exporters.verilog import circuit_files, run_files, write_files
from spikeloom.exporters.verilog_fields import placed, state_fields
from spikeloom.reference import twin_numbers
from spikeloom.reference.compare import compare
from spikeloom.reference.twin import run_twin

pytestmark = pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="no Icarus Verilog; on Debian: apt install iverilog"
)
PROGRAMS = 4


@pytest.fixture(scope="module")
def batch(tmp_path_factory):
    profile, cases, twins = draw("open_core", PROGRAMS)
    sizes = small_sizes(profile, cases, lanes=4)
    return Batch(cases, twins, sizes, build(tmp_path_factory.mktemp("sound"), profile, sizes, "iverilog"))


def first_difference(batch):
    """The first divergence over all programs, and the number of its program."""
    for number, (case, twin) in enumerate(zip(batch.cases, batch.twins, strict=True)):
        check = compare(twin, batch.run(number).trace(case.program), case.program, number)
        if not check.equal:
            return check.first_divergence
    return None


def test_nothing_is_found_where_nothing_is_wrong(batch):
    assert first_difference(batch) is None


# Where one bit of the text is turned, and in which register it shows first.
FAULTS = {
    "deliver.v": ("synapse + ONE_SYNAPSE", "synapse - ONE_SYNAPSE", "v"),
    "send.v": ("route + ONE_ROUTE", "route - ONE_ROUTE", "v"),
    "soma.v": ("'sh1;", "'sh0;", "v"),
    "schedule.v": ("sum > most ? most : sum", "sum > most ? sum : most", "v"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_the_verilog_is_located(name, batch, tmp_path):
    right, wrong, register = FAULTS[name]
    texts = circuit_files(circuit_profile("open_core"), batch.sizes)
    if name == "soma.v":  # the lowest bit of what the firing stage compares with
        line = next(line for line in texts[name].splitlines() if "_x_vth = param" in line)
        right, wrong = line, line.replace(";", " ^ 1;")
    assert right in texts[name]
    texts[name] = texts[name].replace(right, wrong, 1)
    circuit = build(tmp_path, circuit_profile("open_core"), batch.sizes, "iverilog", edit=lambda _: texts)
    found = first_difference(Batch(batch.cases, batch.twins, batch.sizes, circuit))
    assert found is not None and found.register == register
    assert found.expected != found.got


def test_a_fault_in_the_emulator_is_located(batch, monkeypatch):
    """The lowest bit of every saturated write is stuck at 0."""
    right = twin_numbers.saturate
    monkeypatch.setattr(twin_numbers, "saturate", lambda value, low, high: right(value, low, high) & ~1)
    twins = [run_twin(case.program, case.spikes) for case in batch.cases]
    found = first_difference(Batch(batch.cases, twins, batch.sizes, batch.circuit))
    assert found.register == "v" and found.tick == 0
    assert found.expected % 2 == 0


def test_a_fault_in_a_memory_image_is_located(batch):
    """One bit of one neuron's first voltage: the very neuron is named."""
    case, twin = batch.cases[0], batch.twins[0]
    field, first = next(part for part in placed(state_fields(case.program.profile)) if part[0].name == "v")
    files = run_files(case.program, batch.sizes, case.spikes)
    words = files["run/core0/state.hex"].splitlines()
    words[1] = f"{int(words[1], 16) ^ 1 << first + field.bits - 3:0{len(words[1])}x}"
    files["run/core0/state.hex"] = "\n".join(words) + "\n"
    write_files(batch.circuit.folder / "bad", files)
    log = batch.circuit.run(batch.circuit.folder / "bad" / "run", case.program.run_ticks)
    found = compare(twin, log.trace(case.program), case.program).first_divergence
    assert (found.tick, found.core, found.neuron, found.register) == (0, 0, 1, "v")
