"""What the circuit of a program does: written, built and run in a folder that is taken away again."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeloom.exporters.export import export
from spikeloom.exporters.verilog.export import run_files, write_files
from spikeloom.exporters.verilog.layout import Layout, lay_out
from spikeloom.exporters.verilog.sizes import Sizes, open_core_tables, sizes_of
from spikeloom.program.program import ChipProgram
from spikeloom.reference.circuit.compare_clocks import ClockTrace
from spikeloom.reference.circuit.log import CircuitLog
from spikeloom.reference.circuit.rtl import build_circuit
from spikeloom.reference.circuit.signals import SIDES
from spikeloom.reference.compare import Trace

PATIENCE = 10_000  # clocks that a run may take too many before it is stopped
Biases = Mapping[str, NDArray]  # population -> one effective bias a neuron


def circuit_traces(
    program: ChipProgram, samples: NDArray, per_tick: NDArray, biases: Sequence[Biases]
) -> list[tuple[Trace, ClockTrace]]:
    """Run spike counts (samples, ticks, input lines) on the circuit, each sample from the program's first state.

    `per_tick`: (samples, ticks) clocks that each tick should take; a circuit that is not at its end long after them
    is stopped there.
    """
    cycles, _ = open_core_tables(program.profile)
    layout = lay_out(program, cycles.lanes)
    sizes = sizes_of(program.profile, [layout])
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export(program, "verilog", folder / "circuit")
        circuit = build_circuit(folder / "circuit")
        for number, (spikes, given) in enumerate(zip(samples, biases, strict=True)):
            images = folder / f"sample{number}"
            write_files(images, run_files(program, sizes, spikes, given))
            longest = int(per_tick[number].sum()) + PATIENCE
            log = circuit.run(images / "run", per_tick.shape[1], detail="clocks", clocks=longest)
            found.append((log.trace(program), clocks_of_circuit(log, layout, sizes)))
            (images / "run" / "run.log").unlink()  # it is large
    return found


def clocks_of_circuit(log: CircuitLog, layout: Layout, sizes: Sizes) -> ClockTrace:
    """What a log says of every clock, its axons by their number in the program."""
    signals = log.signals()
    most = {}
    for name in ("output_fifo", "receive_fifo", *(f"router_{side}" for side in SIDES)):
        places = sizes.cores if name.startswith("router") else len(layout.cores)
        most[name] = np.zeros(places, dtype=np.int64)
        held = signals.place < places
        np.maximum.at(most[name], signals.place[held], signals.values[name][held])
    schedule = {
        (tick, slot, layout.cores[core].program_axon[axon]): count
        for tick, core, slot, axon, count in log.schedule()
    }
    return ClockTrace(np.array(log.ends, dtype=np.int64), signals, most, schedule)
