"""`spikeloom check`."""

from __future__ import annotations

from typing import Annotated

import typer

import spikeloom
from spikeloom.commands.options import PROFILE, Json, Seed, Settings


def check(
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help=f"{PROFILE.capitalize()}.")],
    programs: Annotated[int, typer.Option(min=1, help="How many random programs to compare.")] = 200,
    seed: Seed = 0,
    settings: Settings = None,
    json: Json = False,
) -> int:
    """Check a chip file, and the emulator on that chip.

    Do its fields, names and widths hold together? Then random programs run on the emulator, on the twin and
    on Brian2, and every register is compared. Ends with a neuron's response to constant input.

    \b
    Example:
      spikeloom check my.toml --programs 50
    """
    from spikeloom.flows.terminal import files, printing

    override = files.parse_settings(settings or ())
    chip = spikeloom.load_profile(profile, override=override) if override else profile
    with printing.progress_bar() as progress:
        result = spikeloom.check_profile(chip, programs=programs, seed=seed, progress=progress)
    if json:
        printing.show_json({"ok": result.ok, **vars(result)})
    else:
        printing.lines(str(result))
    return 0 if result.ok else 1
