"""Circuits for the tests: one build a profile, and many random programs that run on it."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from agreement_cases import OWN
from spikeloom.errors import EmulationError
from spikeloom.exporters.verilog import circuit_files, run_files, write_files
from spikeloom.exporters.verilog_layout import lay_out
from spikeloom.exporters.verilog_sizes import Sizes, memory_sizes, most_spikes
from spikeloom.profile.catalog import load_profile
from spikeloom.reference.random_programs import RandomProgram, random_program
from spikeloom.reference.random_values import Options
from spikeloom.reference.rtl import SIMULATORS, Circuit, build_circuit
from spikeloom.reference.twin import run_twin

LIMITS = {"delivery.spikes_max.input": 15, "delivery.spikes_max.recurrent": 15}
WRAPPING = {"multi_spike": {"regs.i.overflow": "wrap"}, "subtract_reset": {"regs.exc.overflow": "wrap"}}
# Sums that saturate are no open core's: it adds through the rule. Those two accumulators wrap here.
PROFILES = (
    "open_core",
    "loihi1",
    "loihi1:lava",
    "multi_spike",
    "subtract_reset",
    "two_thresholds",
    "each_addition",
)
LANES = {
    "open_core": 4,
    "loihi1": 4,
    "loihi1:lava": 1,
    "multi_spike": 2,
    "subtract_reset": 8,
    "two_thresholds": 4,
}
PROGRAMS = 50
OPTIONS = Options(cores=3, neurons=8, ticks=12)

needs_simulator = pytest.mark.skipif(
    not any(map(shutil.which, SIMULATORS)), reason="no Verilog simulator; on Debian: apt install iverilog"
)


def circuit_profile(name):
    """A profile whose list a circuit carries, with the limits of the spike counts that it needs."""
    own = name in ("multi_spike", "subtract_reset", "two_thresholds", "each_addition")
    most = {} if name == "each_addition" else LIMITS
    return load_profile(OWN / f"{name}.toml" if own else name, override=most | WRAPPING.get(name, {}))


@dataclass(frozen=True)
class Batch:
    """The programs of one profile, and a circuit that is large enough for each of them."""

    cases: list[RandomProgram]
    twins: list  # Trace, or the error where a register left its width
    sizes: Sizes
    circuit: Circuit

    def run(self, number, detail="clocks"):
        """What the circuit does with one program."""
        case = self.cases[number]
        images = self.circuit.folder / f"program{number}"
        write_files(images, run_files(case.program, self.sizes, case.spikes))
        return self.circuit.run(images / "run", case.program.run_ticks, detail=detail)


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


def small_sizes(profile, cases, lanes, **others):
    """Four cores with buffers as small as can be, so that they fill."""
    layouts = [lay_out(case.program, lanes) for case in cases]
    time, most = profile.time, profile.delivery.spikes_max
    given = {
        "columns": 2, "rows": 2, "neurons": 8, "lanes": lanes,
        "axons": max(len(core.axon) for layout in layouts for core in layout.cores),
        "slots": 2 ** (time.spike_latency_ticks + time.delay_max).bit_length(),
        "input_max": most.input or 15, "recurrent_max": most.recurrent or 15,
        "router_buffer": 2, "output_fifo": 2, "receive_fifo": 2, "spikes_max": most_spikes(profile),
    }  # fmt: skip
    return Sizes(**(given | memory_sizes(layouts) | others))


def build(folder: Path, profile, sizes, simulator=None, edit=lambda texts: texts):
    """Write and compile a circuit; `edit` may change its texts."""
    write_files(folder, edit(circuit_files(profile, sizes)))
    return build_circuit(folder, simulator, optimise="-O1")


def batch_of(name, folder, programs=PROGRAMS):
    """Everything that a test of one profile needs."""
    profile, cases, twins = draw(name, programs)
    sizes = small_sizes(profile, cases, LANES.get(name, 2))
    return Batch(cases, twins, sizes, build(folder, profile, sizes))
