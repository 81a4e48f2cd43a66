"""Options that several commands have, each with its type and its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ARRAY = "an .npy file, an .npz file with one array, or FILE.npz:NAME; first axis the samples"
PROFILE = "a name (loihi1), a variant (loihi1:lava) or a file (my.toml)"
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads to use; all cores if not given.")]
Ticks = Annotated[int | None, typer.Option(min=1, help="Ticks of a sample; the program's if not given.")]
ProgramFile = Annotated[Path, typer.Argument(metavar="PROGRAM", help="A .spikeloom file made by `convert`.")]
Inputs = Annotated[str, typer.Option(metavar="X", help=f"The samples: {ARRAY}.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of every random choice.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change a profile field, e.g. weights.bits=4; repeatable."
    ),
]
