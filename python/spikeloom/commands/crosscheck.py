"""`spikeloom crosscheck`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

import spikeloom
from spikeloom.commands.options import Inputs, Json, ProgramFile, Ticks


def crosscheck(
    program: ProgramFile,
    inputs: Inputs,
    reference: Annotated[
        Literal["brian2", "twin", "rtl"],
        typer.Option(help="Whom to compare with: twin is plain Python, rtl the circuit of an open core."),
    ] = "brian2",
    samples: Annotated[int, typer.Option(min=1, help="Compare the first so many samples.")] = 3,
    ticks: Ticks = None,
    script: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.py", help="Write the Brian2 model and what it must give as a script of its own."
        ),
    ] = None,
    json: Json = False,
) -> int:
    """Compare every spike and every register, at every tick, with an independent reference.

    \b
    Example:
      spikeloom crosscheck net.spikeloom --inputs x.npy --reference brian2
      spikeloom crosscheck net.spikeloom --inputs x.npy --samples 1 --script check.py
    """
    from spikeloom.flows import files, printing, result_text

    if script is not None:
        files.check_output(script, ".py", inputs=[program, inputs])
    loaded, rows = spikeloom.load_program(program), files.read_array(inputs)[:samples]
    result = spikeloom.crosscheck(loaded, rows, reference=reference, ticks=ticks, script=script)
    if json:
        printing.show_json({"reference": reference, "wrote": script, **vars(result)})
    else:
        result_text.show_crosscheck(result, reference)
    return 0 if result.equal else 1
