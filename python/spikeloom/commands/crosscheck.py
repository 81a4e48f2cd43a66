"""`spikeloom crosscheck`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

import spikeloom
from spikeloom.commands.options import (
    Age,
    ChipSeed,
    Effects,
    Inputs,
    Json,
    ProgramFile,
    Ticks,
    TrialSeed,
    effects_of,
)


def crosscheck(
    program: ProgramFile,
    inputs: Inputs,
    reference: Annotated[
        Literal["brian2", "twin", "rtl"],
        typer.Option(help="Whom to compare with: twin is plain Python, rtl the circuit of an open core."),
    ] = "brian2",
    samples: Annotated[int, typer.Option(min=1, help="Compare the first so many samples.")] = 3,
    ticks: Ticks = None,
    chip_seed: ChipSeed = None,
    trial_seed: TrialSeed = 0,
    age: Age = 0.0,
    effect: Effects = None,
    script: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.py", help="Write the Brian2 model and what it must give as a script of its own."
        ),
    ] = None,
    trials: Annotated[
        int,
        typer.Option(min=0, help="With Brian2: run so often with noise, and test rates and intervals, too."),
    ] = 0,
    level: Annotated[
        float, typer.Option(help="How often those tests may fail equal executors, all together.")
    ] = 0.01,
    json: Json = False,
) -> int:
    """Compare every spike and every register, at every tick, with an independent reference.

    Noise that is new in every step is left out of that comparison, because Brian2 draws numbers of its own;
    --trials compares it as a distribution. What is frozen in a chip is passed on to the reference, and every
    register compared.

    \b
    Examples:
      spikeloom crosscheck net.spikeloom --inputs x.npy --reference brian2
      spikeloom crosscheck net.spikeloom --inputs x.npy --samples 1 --script check.py
      spikeloom crosscheck net.spikeloom --inputs x.npy --reference twin --chip-seed 7
      spikeloom crosscheck noisy.spikeloom --inputs x.npy --trials 200 --script check.py
    """
    from spikeloom.flows.terminal import files, printing, result_text

    if script is not None:
        files.check_output(script, ".py", inputs=[program, inputs])
    loaded, rows = spikeloom.load_program(program), files.read_array(inputs)[:samples]
    with printing.progress_bar() as progress:
        result = spikeloom.crosscheck(
            loaded, rows, reference=reference, ticks=ticks, script=script, trials=trials, level=level,
            chip_seed=chip_seed, trial_seed=trial_seed, age_s=age, effects=effects_of(effect),
            progress=progress,
        )  # fmt: skip
    if json:
        printing.show_json({"reference": reference, "wrote": script, **vars(result)})
    else:
        result_text.show_crosscheck(result, reference)
    return 0 if result.equal else 1
