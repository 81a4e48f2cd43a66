"""The circuit as a reference: builds an exported folder with Verilator or Icarus Verilog, and runs it.

Nothing here knows how the Verilog was written; the folder's `circuit.json` says how to read its log.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from spikeloom.errors import EmulationError
from spikeloom.reference.circuit.log import CircuitLog, read_log

Simulator = Literal["verilator", "iverilog"]
SIMULATORS: tuple[Simulator, ...] = (
    "verilator",
    "iverilog",
)  # the faster one first; also Debian's package names
DETAIL = {"spikes": 0, "ticks": 1, "clocks": 2}
Detail = Literal["spikes", "ticks", "clocks"]


@dataclass(frozen=True)
class Circuit:
    """A circuit that is ready to run: its folder, and the command that runs its test bench."""

    folder: Path
    command: tuple[str, ...]

    def run(self, images: Path, ticks: int, *, detail: Detail = "clocks", clocks: int = 0) -> CircuitLog:
        """Run one sample.

        Parameters
        ----------
        images : folder with the memory images and the input of every core.
        ticks : how many ticks to run.
        detail : "spikes" and the end of every tick; "ticks": also all memories after every tick; "clocks":
            also every clock in which an observed signal changed.
        clocks : stop after so many, whatever has ended; 0: never.
        """
        options = {"ticks": ticks, "detail": DETAIL[detail], "clocks": clocks}
        _run([*self.command, *(f"+{name}={value}" for name, value in options.items())], images)
        return read_log(images / "run.log", self.folder / "circuit.json")


def available_simulator() -> Simulator:
    """The simulator that is used.

    Raises EmulationError, with the packages to install, where there is none.
    """
    found = [name for name in SIMULATORS if shutil.which(name)]
    if "verilator" in found and shutil.which("g++") is None:
        found.remove("verilator")
    if not found:
        remedy = "on Debian: apt install verilator g++, or apt install iverilog"
        raise EmulationError("reference rtl", "needs a Verilog simulator", remedy=remedy)
    return found[0]


def build_circuit(folder: Path, simulator: Simulator | None = None, *, optimise: str = "-O2") -> Circuit:
    """Compile the test bench of an exported folder.

    Parameters
    ----------
    folder : what `export` wrote.
    simulator : which one; the fastest that is installed unless given.
    optimise : how well the C++ compiler optimises what Verilator makes; of short runs it takes most of the time.

    Raises EmulationError where there is no simulator, or where it has anything to complain about.
    """
    if (simulator or available_simulator()) == "verilator":
        _run(["make", "-s", "obj_dir/Vbench", f"OPT={optimise}"], folder)
        return Circuit(folder, (str(folder / "obj_dir" / "Vbench"),))
    _run(["make", "-s", "bench.vvp"], folder)
    return Circuit(folder, ("vvp", "-n", str(folder / "bench.vvp")))


def _run(command: Sequence[str], folder: Path) -> None:
    """Run a tool; it must end well and say nothing that looks like a complaint."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    if done.returncode != 0 or "warning" in said.lower() or "error" in said.lower():
        raise EmulationError(f"circuit in {folder}", f"{Path(command[0]).name} failed", value=said[-2000:])
