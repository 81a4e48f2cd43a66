"""How fast is the emulator, clock by clock, beside the circuit of the same core under Verilator?

One open_core of N neurons and N axons with 4 lanes, every synapse there, 10 % of the axons active in every tick. Both
run the same program and inputs, take the same clocks and make the same spikes; Verilator writes no line for a clock.

    python python/examples/circuit_speed.py

needs Debian's `verilator` and `g++`. Figures are processor time of one thread, the least of several runs each.
"""

import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import spikeloom as sl
from spikeloom.exporters.verilog.export import circuit_files, run_files, write_files
from spikeloom.exporters.verilog.layout import lay_out
from spikeloom.exporters.verilog.sizes import sizes_of
from spikeloom.reference.circuit.rtl import build_circuit

TICKS = {256: 1000, 64: 4000}  # about as many clocks
ACTIVITY = 0.1


@dataclass(frozen=True)
class Speed:
    """Clocks of one run, and the seconds of processor time that each side took for them."""

    clocks: int
    spikes: int
    emulator_s: float
    verilator_s: float

    @property
    def ratio(self) -> float:
        """How many times as fast the emulator is."""
        return self.verilator_s / self.emulator_s


def core_program(neurons: int, ticks: int) -> sl.ChipProgram:
    """One core that is full: every axon reaches every neuron."""
    rng = np.random.default_rng(neurons)
    sizes = {"limits.neurons_per_core": neurons, "limits.in_axons_per_core": neurons, "cycles.lanes": 4}
    network = sl.SpikingNetwork(sl.load_profile("open_core", override=sizes))
    lines, cells = network.input("in", neurons), network.population("n", neurons, vth=4000, leak=8, bias=300)
    network.connect(lines, cells, rng.integers(-100, 128, (neurons, neurons)))
    network.output(cells)
    return sl.place(network, ticks=ticks)


def measure(neurons: int, ticks: int) -> Speed:
    """Run both sides; raises AssertionError where they differ."""
    program = core_program(neurons, ticks)
    spikes = (np.random.default_rng(1).random((ticks, neurons)) < ACTIVITY).astype(np.uint8)
    recording = sl.emulate(program, spikes[None], timing="cycle", threads=1)
    emulator = least_time(
        time.process_time, lambda: sl.emulate(program, spikes[None], timing="cycle", threads=1), 20
    )
    with tempfile.TemporaryDirectory() as name:
        verilator, log = run_verilator(program, spikes, Path(name))
    assert recording.cycles is not None
    assert log.clocks_per_tick == recording.cycles.per_tick[0].tolist()
    assert len(log.pushed) == int(recording.events["spikes"][0])
    return Speed(int(recording.cycles.total[0]), len(log.pushed), emulator, verilator)


def run_verilator(program, spikes, folder):
    """Processor time of the circuit, without that of its start; and its log."""
    sizes = sizes_of(program.profile, [lay_out(program, 4)])
    write_files(folder, circuit_files(program.profile, sizes) | run_files(program, sizes, spikes))
    circuit = build_circuit(folder, "verilator", optimise="-O3")
    start, whole = (
        least_time(children, lambda ticks=ticks: circuit.run(folder / "run", ticks, detail="spikes"))
        for ticks in (1, len(spikes))
    )
    return whole - start, circuit.run(folder / "run", len(spikes), detail="spikes")


def least_time(clock, run, runs=3):
    """The shortest of several runs, by a clock of processor time."""
    seconds = []
    for _ in range(runs):
        started = clock()
        run()
        seconds.append(clock() - started)
    return min(seconds)


def children() -> float:
    """Processor time of all programs that were run and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    print("neurons  clocks     spikes  Verilator       emulator        ratio")
    for neurons in [int(size) for size in sys.argv[1:]] or TICKS:
        found = measure(neurons, TICKS.get(neurons, 1000))
        rates = [found.clocks / seconds / 1e6 for seconds in (found.verilator_s, found.emulator_s)]
        print(f"{neurons:<7}  {found.clocks:<9,}  {found.spikes:<6,}  {rates[0]:<6.3g} Mclock/s "
              f"{rates[1]:<6.4g} Mclock/s  {found.ratio:.0f}")  # fmt: skip
