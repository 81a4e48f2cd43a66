"""What the circuit of a program does: written, built and run in a folder that is taken away again."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from numpy.typing import NDArray

from spikeloom.exporters.export import export
from spikeloom.exporters.verilog import run_files, write_files
from spikeloom.exporters.verilog_layout import lay_out
from spikeloom.exporters.verilog_sizes import open_core_tables, sizes_of
from spikeloom.program.program import ChipProgram
from spikeloom.reference.rtl import available_simulator, build_circuit
from spikeloom.reference.rtl_log import CircuitLog

Biases = Mapping[str, NDArray]  # population -> one effective bias a neuron


def circuit_logs(
    program: ChipProgram, samples: NDArray, ticks: int, biases: Sequence[Biases]
) -> list[CircuitLog]:
    """Run spike counts (samples, ticks, input lines) on the circuit, each sample from the program's first state.

    Raises ProgramError where the profile has no circuit, EmulationError where there is no Verilog simulator.
    """
    cycles, _ = open_core_tables(program.profile)
    available_simulator()
    sizes = sizes_of(program.profile, [lay_out(program, cycles.lanes)])
    logs = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export(program, "verilog", folder / "circuit")
        circuit = build_circuit(folder / "circuit")
        for number, (spikes, given) in enumerate(zip(samples, biases, strict=True)):
            images = folder / f"sample{number}"
            write_files(images, run_files(program, sizes, spikes, given))
            logs.append(circuit.run(images / "run", ticks, detail="ticks"))
    return logs
