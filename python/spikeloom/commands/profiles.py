"""`spikeloom profiles`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import spikeloom
from spikeloom.commands.options import PROFILE, Json, Settings
from spikeloom.errors import SpikeloomError


def profiles(
    profile: Annotated[
        str | None, typer.Argument(metavar="PROFILE", help=f"The one to show: {PROFILE}.")
    ] = None,
    toml: Annotated[
        bool, typer.Option("--toml", help="Print a profile file to start your own from.")
    ] = False,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """List the chips, or show what one of them can do.

    \b
    Examples:
      spikeloom profiles
      spikeloom profiles loihi1 --set weights.bits=4
      spikeloom profiles loihi1 --toml > my.toml
    """
    from spikeloom.flows.terminal import files, printing, profile_text

    if profile is None:
        if toml or settings:
            raise SpikeloomError("profiles", "--toml and --set are about one profile", remedy="name it")
        every = [spikeloom.load_profile(name) for name in spikeloom.list_profiles()]
        if json:
            printing.show_json({"profiles": [profile_text.profile_facts(each) for each in every]})
        else:
            profile_text.show_profiles(every)
        return
    override = files.parse_settings(settings or ())
    chosen = spikeloom.load_profile(profile, override=override)
    if toml:
        sys.stdout.write(files.profile_toml(profile, override))
    elif json:
        printing.show_json(chosen.model_dump(mode="json", by_alias=True))
    else:
        profile_text.show_profile(chosen)
