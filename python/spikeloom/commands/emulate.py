"""`spikeloom emulate`."""

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
    Threads,
    Ticks,
    TrialSeed,
    effects_of,
)


def emulate(
    program: ProgramFile,
    inputs: Inputs,
    ticks: Ticks = None,
    record: Annotated[
        list[str] | None,
        typer.Option(metavar="POPULATION.WHAT", help="fc1.spikes, or a register, fc1.v; repeatable."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="RUN.npz", help="Write the recording here.")
    ] = None,
    timing: Annotated[
        Literal["none", "cycle"], typer.Option(help="cycle: count clocks, as the profile's controller does.")
    ] = "none",
    chip_seed: ChipSeed = None,
    trial_seed: TrialSeed = 0,
    age: Age = 0.0,
    effect: Effects = None,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Run samples through the emulated chip.

    \b
    Examples:
      spikeloom emulate net.spikeloom --inputs x.npy --record fc1.spikes -o run.npz
      spikeloom emulate net.spikeloom --inputs x.npy --chip-seed 7 --age 86400
      spikeloom emulate net.spikeloom --inputs x.npy --effect drift --effect read
    """
    from spikeloom.flows.terminal import files, printing, result_text

    if output is not None:
        files.check_output(output, ".npz", inputs=[inputs])
    loaded, samples = spikeloom.load_program(program), files.read_array(inputs)
    with printing.progress_bar() as progress:
        recording = spikeloom.emulate(
            loaded, samples, ticks=ticks, timing=timing, record=tuple(record or ()), chip_seed=chip_seed,
            trial_seed=trial_seed, age_s=age, effects=effects_of(effect), threads=threads, progress=progress,
        )  # fmt: skip
    if output is not None:
        recording.save(output)
    if json:
        printing.show_json({"wrote": output, **result_text.recording_facts(recording)})
    else:
        result_text.show_recording(loaded, recording, ticks or loaded.ticks, output)
