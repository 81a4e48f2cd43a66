"""`spikeloom convert`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

import spikeloom
from spikeloom.commands.options import (
    ARRAY,
    PROFILE,
    FanIn,
    FitSeed,
    Json,
    Overshoot,
    Pool,
    Seed,
    Settings,
    Threads,
    TimeLimit,
)


def convert(
    ann: Annotated[Path, typer.Argument(metavar="ANN", help="The trained network, an .onnx or .keras file.")],
    profile: Annotated[str, typer.Option("--profile", "-p", help=f"The chip: {PROFILE}.")],
    calibration: Annotated[str, typer.Option(metavar="X", help=f"Samples like those of use: {ARRAY}.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT.spikeloom", help="The program to write.")
    ],
    ticks: Annotated[int, typer.Option(min=1, help="Ticks of a sample.")] = 32,
    size: Annotated[
        list[str] | None,
        typer.Option(metavar="LAYER=NODES", help="Prune a layer to its best nodes first; may be repeated."),
    ] = None,
    distil: Annotated[
        bool, typer.Option("--distil", help="Teach a pruned network the whole one's answers, without labels.")
    ] = False,
    objective: Annotated[
        Literal["matching", "l2", "l1", "linf"],
        typer.Option(help="The error that a layer's fit makes small."),
    ] = "matching",
    encoding: Annotated[
        Literal["rate", "current", "bits"] | None,
        typer.Option(help="How the input becomes spikes; by the ticks if not given."),
    ] = None,
    pool: Pool = "tree",
    overshoot: Overshoot = "lose",
    fan_in: FanIn = "thin",
    gain: Annotated[
        Literal["keep", "free"] | None,
        typer.Option(help="keep: hold each neuron's gain, as control needs it; by the outputs if not given."),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep every finished layer here, and go on from it after a break."),
    ] = None,
    chip_seed: FitSeed = None,
    robust_chips: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Also fit for unknown chips; N virtual ones judge by the yield."
        ),
    ] = None,
    time_limit: TimeLimit = None,
    seed: Seed = 0,
    settings: Settings = None,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Turn a trained network into a program of a chip.

    Every layer's synapses are solved on these samples under all that the chip allows; judge the result on
    others. Losses are relative to the best constant output; no synapses do better on these samples than the
    bound; "rounding" is what the chip's grid adds, "plain" what rounding to the nearest code would add.

    \b
    Example:
      spikeloom convert net.onnx -p loihi1 --calibration x.npy -o net.spikeloom
      spikeloom convert net.onnx -p loihi1 --calibration x.npy --size fc1=64 --distil -o small.spikeloom
    """
    from spikeloom.flows.terminal import files, printing, result_text

    files.check_output(output, ".spikeloom", inputs=[ann, calibration])
    chip = spikeloom.load_profile(profile, override=files.parse_settings(settings or ()))
    network, rows = spikeloom.load_ann(ann), files.read_array(calibration)
    with printing.progress_bar() as progress:
        conversion = spikeloom.convert(
            network, chip, calibration=rows, ticks=ticks, sizes=files.parse_sizes(size or ()), distil=distil,
            objective=objective, encoding=encoding, pool=pool, overshoot=overshoot, fan_in=fan_in, gain=gain,
            checkpoint=checkpoint, chip_seed=chip_seed, robust_chips=robust_chips, time_limit_s=time_limit,
            seed=seed, threads=threads, progress=progress,
        )  # fmt: skip
    conversion.program.save(output)
    if json:
        printing.show_json({"wrote": output, **result_text.conversion_facts(conversion)})
    else:
        result_text.show_conversion(conversion, len(rows), output)
