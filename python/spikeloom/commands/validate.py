"""`spikeloom validate`."""

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
    Inputs,
    Json,
    Overshoot,
    Pool,
    Seed,
    Settings,
    Threads,
    TimeLimit,
)


def validate(
    ann: Annotated[Path, typer.Argument(metavar="ANN", help="The trained network, an .onnx or .keras file.")],
    profile: Annotated[str, typer.Option("--profile", "-p", help=f"The chip: {PROFILE}.")],
    inputs: Inputs,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="Y", help="The class of each sample, or numbers like the outputs; .npy or .npz."
        ),
    ] = None,
    calibration: Annotated[
        str | None,
        typer.Option(metavar="X", help=f"Samples for the fit; drawn from the inputs if not given: {ARRAY}."),
    ] = None,
    ticks: Annotated[int, typer.Option(min=1, help="Ticks of a sample.")] = 32,
    size: Annotated[
        list[str] | None,
        typer.Option(metavar="LAYER=NODES", help="Prune a layer to its best nodes first; may be repeated."),
    ] = None,
    encoding: Annotated[
        Literal["rate", "current", "bits"] | None,
        typer.Option(help="How the input becomes spikes; by the ticks if not given."),
    ] = None,
    chips: Annotated[int, typer.Option(min=0, help="Chip instances to judge on, where chips differ.")] = 20,
    calibrate_chips: Annotated[
        int,
        typer.Option(min=0, help="Of so many, judge also with gain and offset of every neuron calibrated."),
    ] = 3,
    reference: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Compare with this one alone: twin or brian2; repeatable."),
    ] = None,
    environment: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A control policy: let it act in this gymnasium environment."),
    ] = None,
    pool: Pool = "tree",
    overshoot: Overshoot = "lose",
    fan_in: FanIn = "thin",
    chip_seed: FitSeed = None,
    time_limit: TimeLimit = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="REPORT", help="Write the report: .html, or .json with all arrays."
        ),
    ] = None,
    seed: Seed = 0,
    settings: Settings = None,
    threads: Threads = None,
    json: Json = False,
) -> int:
    """How would a trained network do on a chip?

    Converts it, then judges it on samples that the conversion has not seen: the score after every step to the
    chip, each layer's error, the work of a sample, and whether twin and Brian2 agree in every register.
    Without --calibration up to 2000 samples, at most half, are drawn from the inputs, and only the others are
    judged. With --chip-seed the network is tuned to that chip, whose score stands beside those of chips
    that the fit has not seen.

    \b
    Examples:
      spikeloom validate net.onnx -p loihi1 --inputs x.npy --labels y.npy -o report.html
      spikeloom validate net.onnx -p pcm_crossbar --inputs x.npy --labels y.npy --chip-seed 7
      spikeloom validate policy.onnx -p loihi1 --inputs x.npy --environment CartPole-v1
    """
    from spikeloom.flows.terminal import files, printing, validation_text
    from spikeloom.flows.validation.validate_files import convert_and_validate, read_samples

    if output is not None:
        given: list[str | Path] = [ann, inputs, *(path for path in (labels, calibration) if path)]
        files.check_output(output, ".json" if output.suffix == ".json" else ".html", inputs=given)
    chip = spikeloom.load_profile(profile, override=files.parse_settings(settings or ()))
    samples = read_samples(inputs, labels, calibration)
    with printing.progress_bar() as progress:
        result = convert_and_validate(
            ann, chip, samples, chips=chips, references=reference or ("twin", "brian2"), ticks=ticks,
            calibrate_chips=calibrate_chips, environment=environment,
            sizes=files.parse_sizes(size or ()), encoding=encoding, pool=pool, overshoot=overshoot, fan_in=fan_in,
            chip_seed=chip_seed, time_limit_s=time_limit, seed=seed, threads=threads, progress=progress,
        )  # fmt: skip
    if output is not None:
        result.save(output)
    if json:
        printing.show_json({"wrote": output, **validation_text.validation_facts(result)})
    else:
        validation_text.show_validation(result, output)
    return 0 if result.ok else 1
