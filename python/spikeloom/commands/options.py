"""Options that several commands have, each with its type and its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

ARRAY = "an .npy file, an .npz file with one array, or FILE.npz:NAME; first axis the samples"
PROFILE = "a name (loihi1), a variant (loihi1:lava) or a file (my.toml)"
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads to use; all cores if not given.")]
Ticks = Annotated[int | None, typer.Option(min=1, help="Ticks of a sample; the program's if not given.")]
ProgramFile = Annotated[Path, typer.Argument(metavar="PROGRAM", help="A .spikeloom file made by `convert`.")]
Inputs = Annotated[str, typer.Option(metavar="X", help=f"The samples: {ARRAY}.")]
ChipSeed = Annotated[
    int | None,
    typer.Option(min=0, help="Which chip: seed of what is frozen in it; the program's, else 0."),
]
TrialSeed = Annotated[int, typer.Option(min=0, help="Which trial: seed of what is new in every step.")]
Age = Annotated[float, typer.Option("--age", min=0.0, metavar="SECONDS", help="Since it was programmed.")]
Effects = Annotated[
    list[str] | None,
    typer.Option(
        "--effect",
        metavar="NAME",
        help="Only this imperfection of the profile acts, or none; repeatable. All act if not given.",
    ),
]
Pool = Annotated[
    Literal["tree", "race", "or"],
    typer.Option(
        help="Max pooling: a tree of differences, a race of its sources, or neurons that fire with any of them."
    ),
]
Overshoot = Annotated[
    Literal["lose", "keep"],
    typer.Option(
        help="keep: what a reset to zero loses, by synapses of neurons onto themselves, or by a second neuron each."
    ),
]
FitSeed = Annotated[
    int | None, typer.Option("--chip-seed", min=0, help="Tune the network to this chip, where chips differ.")
]
TimeLimit = Annotated[
    float | None,
    typer.Option(
        "--time-limit",
        metavar="SECONDS",
        help="After so long, layers still to be fitted take the weight copy.",
    ),
]
FanIn = Annotated[
    Literal["thin", "split"],
    typer.Option(
        "--fan-in",
        help="Synapses beyond what a neuron may have: leave inputs out, or sum them up by helper neurons.",
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of every random choice.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change a profile field, e.g. weights.bits=4; repeatable."
    ),
]


def effects_of(names: list[str] | None) -> list[str] | None:
    """What `--effect` asks for: None is all of them, "none" is the ideal chip."""
    return None if not names else [] if names == ["none"] else names
