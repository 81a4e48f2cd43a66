"""`spikeloom explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import spikeloom
from spikeloom.commands.options import PROFILE, FanIn, Json, Overshoot, Pool, Settings


def explain(
    ann: Annotated[Path, typer.Argument(metavar="ANN", help="The trained network, an .onnx or .keras file.")],
    profile: Annotated[str, typer.Option("--profile", "-p", help=f"The chip: {PROFILE}.")],
    pool: Pool = "tree",
    overshoot: Overshoot = "lose",
    fan_in: FanIn = "thin",
    settings: Settings = None,
    json: Json = False,
) -> int:
    """Does a network fit a chip, and if not, why? Needs no data.

    Prints for each layer its neurons, synapses, memory, axons and cores, and the limit of the chip that it comes
    nearest to; then what each max pooling takes in each form, what splitting a fan-in takes, what stands in the
    way, and what to change.

    \b
    Example:
      spikeloom explain net.onnx -p loihi1
    """
    from spikeloom.flows.terminal import explain_text, files, printing

    chip = spikeloom.load_profile(profile, override=files.parse_settings(settings or ()))
    found = spikeloom.explain(ann, chip, pool=pool, overshoot=overshoot, fan_in=fan_in)
    if json:
        printing.show_json({"fits": found.fits, **vars(found)})
    else:
        explain_text.show(found)
    return 0 if found.fits else 1
