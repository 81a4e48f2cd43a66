"""Circuits for the tests: one build a profile, and many random programs that run on it."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from agreement_cases import OWN
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import EmulationError
from spikeloom.exporters.verilog.export import circuit_files, run_files, write_files
from spikeloom.exporters.verilog.layout import lay_out
from spikeloom.exporters.verilog.sizes import Sizes, sizes_of
from spikeloom.flows.comparison.emulated_traces import everything
from spikeloom.profile.catalog import load_profile
from spikeloom.reference.circuit.rtl import SIMULATORS, Circuit, build_circuit
from spikeloom.reference.random_programs import RandomProgram, random_program
from spikeloom.reference.random_values import Options
from spikeloom.reference.twin.executor import run_twin


def without_aliases(name):
    """The operations of a profile but for `alias`, which a pipeline cannot carry."""
    kept = [entry for entry in load_profile(name).operation if entry.op != "alias"]
    return [entry.model_dump(by_alias=True, exclude_unset=True) for entry in kept]


# Lists of chips whose own controller is another: here they run on open_core. Counts of spikes need a limit there, and
# a register that the tick's sum enters must wrap.
CHANGES = {
    "open_core": {},
    "loihi1": {"delivery.spikes_max": {"input": 15, "recurrent": 15}},
    "loihi1:lava": {"delivery.spikes_max": {"input": 15, "recurrent": 15}},
    "xylo_a2": {"operation": without_aliases("xylo_a2")},
    "ranc": {},
    "every_operation": {},
    "each_addition": {},
}
PROFILES = tuple(CHANGES)
LANES = {"open_core": 4, "loihi1": 4, "loihi1:lava": 1, "xylo_a2": 2, "ranc": 8, "every_operation": 4}
PROGRAMS = 50
OPTIONS = Options(cores=3, neurons=8, ticks=12)
DELAY_MAX = 5

needs_simulator = pytest.mark.skipif(
    not any(map(shutil.which, SIMULATORS)), reason="no Verilog simulator; on Debian: apt install iverilog"
)


def circuit_profile(name):
    """A profile's list on the controller open_core: four small cores whose buffers are as small as can be."""
    own = OWN / f"{name}.toml"
    source = own if own.exists() else name
    return load_profile(
        source, override=CHANGES[name] | on_open_core(load_profile(source), LANES.get(name, 2))
    )


def on_open_core(profile, lanes):
    """The sizes of four cores for any list."""
    time, most = profile.time, profile.delivery.spikes_max
    delays = {} if time.delay_scope == "none" else {"time.delay_scope": "axon", "time.delay_max": DELAY_MAX}
    reach = time.spike_latency_ticks + (DELAY_MAX if delays else 0)
    cycles = {
        "controller": "open_core", "lanes": lanes, "slots": 2 ** reach.bit_length(),
        "count_bits": max(most.input or 15, most.recurrent or 15).bit_length(),
        "output_fifo": 2, "receive_fifo": 2,
    }  # fmt: skip
    mesh = {"topology": "mesh2d", "width": 2, "height": 2, "buffer": 2}
    sizes = {"limits.cores": 4, "limits.neurons_per_core": 8, "limits.in_axons_per_core": 24}
    return {**sizes, **delays, "cycles": cycles, "noc": mesh}


@dataclass(frozen=True)
class Batch:
    """The programs of one profile, and a circuit that is large enough for each of them."""

    cases: list[RandomProgram]
    twins: list  # Trace, or the error where a register left its width
    sizes: Sizes
    circuit: Circuit

    def layout(self, number):
        """The tables of one program."""
        return lay_out(self.cases[number].program, self.sizes.lanes)

    def emulated(self, number):
        """What the emulator does with it, clock by clock."""
        case = self.cases[number]
        record = [*everything(case.program), "clocks"]
        return emulate(case.program, case.spikes[None], record=record, timing="cycle", threads=1)

    def run(self, number, detail="clocks", clocks=20_000):
        """What the circuit does with one program."""
        case = self.cases[number]
        images = self.circuit.folder / f"program{number}"
        write_files(images, run_files(case.program, self.sizes, case.spikes))
        return self.circuit.run(images / "run", case.program.run_ticks, detail=detail, clocks=clocks)


def draw(name, programs=PROGRAMS):
    """Random programs of a profile, and what the twin does with them."""
    profile = circuit_profile(name)
    cases = [random_program(profile, seed, OPTIONS) for seed in range(programs)]
    return profile, cases, [twin_of(case) for case in cases]


def twin_of(case):
    try:
        return run_twin(case.program, case.spikes)
    except EmulationError as error:
        return error


def common_sizes(profile, cases):
    """A circuit of all four cores that is large enough for each of the programs."""
    layouts = [lay_out(case.program, profile.cycles.lanes) for case in cases]
    return replace(sizes_of(profile, layouts), columns=2, rows=2)


def build(folder: Path, profile, sizes, simulator=None, edit=lambda texts: texts):
    """Write and compile a circuit; `edit` may change its texts."""
    write_files(folder, edit(circuit_files(profile, sizes)))
    return build_circuit(folder, simulator, optimise="-O1")


def batch_of(name, folder, programs=PROGRAMS):
    """Everything that a test of one profile needs."""
    profile, cases, twins = draw(name, programs)
    sizes = common_sizes(profile, cases)
    return Batch(cases, twins, sizes, build(folder, profile, sizes))
