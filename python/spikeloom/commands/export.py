"""`spikeloom export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

import spikeloom
from spikeloom.commands.options import Json, ProgramFile


def export(
    program: ProgramFile,
    format: Annotated[
        Literal["memh", "nir", "verilog"],
        typer.Option(
            help="memh: memory images of tinyodin, odin and ranc; nir: a graph for other simulators; "
            "verilog: the circuit of an open core."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="A new folder.")],
    json: Json = False,
) -> None:
    """Write a program in the files of another tool.

    \b
    Examples:
      spikeloom export net.spikeloom --format nir -o folder
      spikeloom export net.spikeloom --format verilog -o circuit
    """
    from spikeloom.flows.terminal import printing

    paths = spikeloom.export(spikeloom.load_program(program), format, output)
    if json:
        printing.show_json({"wrote": output, "files": paths})
    else:
        printing.lines(f"wrote     {output}, {len(paths)} files")
