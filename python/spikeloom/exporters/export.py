"""A program in the form that other tools, a chip or its circuit load."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Literal, get_args

from spikeloom.errors import ProgramError
from spikeloom.program.program import ChipProgram

Format = Literal["memh", "nir", "verilog"]


def export(program: ChipProgram, format: Format, folder: str | Path) -> list[Path]:
    """Write a program in another form, and give the files written.

    Parameters
    ----------
    format : "memh", the neuron and synapse memories of `tinyodin`, `odin` and `ranc` as their Verilog reads them,
        with the registers that belong to them and the addresses of the input lines; "nir", a graph for other
        simulators, with a table of what each register became; "verilog", the circuit of a profile whose controller
        is `open_core`: synthesizable Verilog, memory images, a test bench and a Makefile.
    folder : where to write; it is made where it does not exist, its parent must.

    Raises ProgramError where the format is unknown, or cannot say what the program does.
    """
    if format not in get_args(Format):
        raise ProgramError("format", "is unknown", value=format, limit=", ".join(get_args(Format)))
    target = Path(folder)
    if not target.parent.is_dir() or (target.exists() and not target.is_dir()):
        raise ProgramError(
            f"folder {target}", "cannot be made", remedy="name a folder inside one that exists"
        )
    target.mkdir(exist_ok=True)
    writer = import_module(f"spikeloom.exporters.{format}.export")
    written: list[Path] = getattr(writer, f"export_{format}")(program, target)
    return written
