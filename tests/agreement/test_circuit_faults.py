"""Is one wrong bit found, and by its clock, signal and neuron? In the Verilog, in the emulator, in a memory image."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from chip_clocks import clocks_of_chip, with_bit_turned
from circuit_cases import Batch, build, circuit_profile, common_sizes, draw
from spikeloom.exporters.verilog.export import circuit_files, run_files, write_files
from spikeloom.exporters.verilog.fields import placed, state_fields
from spikeloom.flows.comparison.circuit_check import compared_sample
from spikeloom.flows.comparison.circuit_traces import clocks_of_circuit
from spikeloom.reference.circuit.compare_clocks import compare_clocks

pytestmark = pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="no Icarus Verilog; on Debian: apt install iverilog"
)
PROGRAMS = 12
WEIGHT_BIT = 5  # of the first lane, which stands lowest


@pytest.fixture(scope="module")
def batch(tmp_path_factory):
    profile, cases, twins = draw("open_core", PROGRAMS)
    sizes = common_sizes(profile, cases)
    return Batch(cases, twins, sizes, build(tmp_path_factory.mktemp("sound"), profile, sizes, "iverilog"))


@pytest.fixture(scope="module")
def emulated(batch):
    return [batch.emulated(number) for number in range(PROGRAMS)]


def divergence(batch, emulated, number, log):
    """The first difference between a log and the emulator."""
    program, clocks = batch.cases[number].program, clocks_of_circuit(log, batch.layout(number), batch.sizes)
    found = compared_sample(program, emulated[number], 0, log.trace(program), clocks).first_divergence
    return None if found is None else replace(found, sample=number)


def first_difference(batch, emulated):
    """The first divergence over all programs."""
    found = (divergence(batch, emulated, number, batch.run(number)) for number in range(PROGRAMS))
    return next((one for one in found if one is not None), None)


def test_nothing_is_found_where_nothing_is_wrong(batch, emulated):
    assert first_difference(batch, emulated) is None


ROUTERS = {f"{kind}_{side}" for kind in ("router", "moves") for side in "LEWNS"}

# Where one bit of the text is turned, and the signals of which one shows it first.
FAULTS = {
    "deliver.v": ("synapse + ONE_SYNAPSE", "synapse - ONE_SYNAPSE", {"v"}),
    "send.v": ("route + ONE_ROUTE", "route - ONE_ROUTE", {"SCHED"}),
    "schedule.v": ("sum > most ? most : sum", "sum > most ? sum : most", {"v", "phase"}),
    "barrier.v": ("go = second", "go = first", {"phase", "go"}),
    "router.v": ("input_empty[side] && to == from", "input_empty[side] && to == from && !full[side]", ROUTERS),
}  # fmt: skip


def broken(batch, folder, file, right, wrong):
    """The batch on a circuit one of whose files is changed in one place."""
    texts = circuit_files(circuit_profile("open_core"), batch.sizes)
    assert right in texts[file]
    texts[file] = texts[file].replace(right, wrong, 1)
    circuit = build(folder, circuit_profile("open_core"), batch.sizes, "iverilog", edit=lambda _: texts)
    return replace(batch, circuit=circuit)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_the_verilog_is_located(name, batch, emulated, tmp_path):
    right, wrong, signals = FAULTS[name]
    found = first_difference(broken(batch, tmp_path, name, right, wrong), emulated)
    assert found.register.split(",")[0] in signals
    assert found.expected != found.got
    assert found.clock is not None or name == "send.v"  # seen in SCHED, after the tick


def test_one_bit_of_one_neuron_in_the_verilog_is_located(batch, emulated, tmp_path):
    """The lowest bit of the threshold of each core's neuron 1 is turned where it fires, and in no other neuron."""
    soma = circuit_files(circuit_profile("open_core"), batch.sizes)["soma.v"]
    line = next(line for line in soma.splitlines() if "_x_vth =" in line)
    stage, zeros = line.split("_x_vth")[0].split()[-1], line.split("[")[1].split(":")[0]
    fault = line.replace(";", f" ^ {{{zeros}'d0, {stage}_neuron == 1}};")
    found = first_difference(broken(batch, tmp_path, "soma.v", line, fault), emulated)
    program = batch.cases[found.sample].program
    assert found.neuron in [int(first) + 1 for first in program.arrays.core_neuron_start[:-1]]
    assert found.register == "spike_neuron" or abs(found.expected - found.got) == 1
    assert found.clock is not None


def test_a_fault_in_the_emulator_is_located(batch):
    """One bit of one voltage of the saved state is turned before a tick; first without, so that only it differs."""
    number, bit = 1, 12
    case = batch.cases[number]
    program, log = case.program, batch.run(number)
    circuit = replace(clocks_of_circuit(log, batch.layout(number), batch.sizes), most={}, schedule={})
    assert compare_clocks(circuit, clocks_of_chip(program, case.spikes), program).equal
    element, tick, neuron = program.profile.element_names().index("v"), 3, program.n_neurons - 1

    def disturb(now, chip):
        if now == tick:
            chip.restore(with_bit_turned(chip.state(), element, neuron, program.n_neurons, bit))

    found = compare_clocks(circuit, clocks_of_chip(program, case.spikes, disturb), program).first_divergence
    assert (found.tick, found.neuron, found.register) == (tick, neuron, "v")
    assert found.clock == written_in(circuit, program, tick, neuron)


def written_in(clocks, program, tick, neuron):
    """The first clock of a tick in which a neuron is in the write stage."""
    core = int(np.searchsorted(program.arrays.core_neuron_start, neuron, side="right")) - 1
    local, signals = neuron - program.arrays.core_neuron_start[core], clocks.signals
    after = clocks.ends[tick - 1] if tick else -1
    rows = (signals.place == core) & (signals.values["neuron"] == local) & (signals.clock > after)
    return int(signals.clock[rows].min())


@pytest.mark.parametrize("image", ["state", "synapse"])
def test_a_fault_in_a_memory_image_is_located(image, batch, emulated):
    """One bit of a neuron's first voltage, or of a weight that the input reads: the very neuron is named."""
    number = 1
    case, layout = batch.cases[number], batch.layout(number)
    core, axon, _ = next(
        t for line in np.flatnonzero(case.spikes.any(axis=0)) for t in layout.input_targets[line]
    )
    _, target, _, address = layout.cores[core].run[layout.cores[core].axon[axon][0]]
    files = run_files(case.program, batch.sizes, case.spikes)
    words = files[f"run/core{core}/{image}.hex"].splitlines()
    field, first = next(part for part in placed(state_fields(case.program.profile)) if part[0].name == "v")
    word, bit = (1, first + field.bits - 3) if image == "state" else (address, WEIGHT_BIT)
    words[word] = f"{int(words[word], 16) ^ 1 << bit:0{len(words[word])}x}"
    files[f"run/core{core}/{image}.hex"] = "\n".join(words) + "\n"
    write_files(batch.circuit.folder / image, files)
    log = batch.circuit.run(batch.circuit.folder / image / "run", case.program.run_ticks)
    found = divergence(batch, emulated, number, log)
    hit = layout.cores[core].first_neuron + (1 if image == "state" else target * batch.sizes.lanes)
    assert (found.core, found.neuron, found.register) == (core, hit, "v")
    sound = clocks_of_circuit(log, layout, batch.sizes)
    assert found.clock == written_in(sound, case.program, found.tick, hit)
    assert image != "state" or found.tick == 0
