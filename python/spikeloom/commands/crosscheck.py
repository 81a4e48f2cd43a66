"""`spikeloom crosscheck`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

import spikeloom
from spikeloom.commands.options import Inputs, Json, ProgramFile, Ticks


def crosscheck(
    program: ProgramFile,
    inputs: Inputs,
    reference: Annotated[
        Literal["brian2", "twin"], typer.Option(help="Whom to compare with; the twin is plain Python.")
    ] = "brian2",
    samples: Annotated[int, typer.Option(min=1, help="Compare the first so many samples.")] = 3,
    ticks: Ticks = None,
    json: Json = False,
) -> int:
    """Compare every spike and every register, at every tick, with an independent reference.

    \b
    Example:
      spikeloom crosscheck net.spikeloom --inputs x.npy --reference brian2
    """
    from spikeloom.flows import files, printing, result_text

    loaded, rows = spikeloom.load_program(program), files.read_array(inputs)[:samples]
    result = spikeloom.crosscheck(loaded, rows, reference=reference, ticks=ticks)
    if json:
        printing.show_json({"reference": reference, **vars(result)})
    else:
        result_text.show_crosscheck(result, reference)
    return 0 if result.equal else 1
