"""`spikeloom sweep`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import spikeloom
from spikeloom.commands.options import Json


def sweep(
    grid: Annotated[
        Path, typer.Argument(metavar="GRID.toml", help="A table [grid] of lists, and [validate].")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where results are kept.")],
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes to use; one a processor if not given.")
    ] = None,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Use this Dask cluster instead of processes.")
    ] = None,
    json: Json = False,
) -> None:
    """Convert and score at every point of a grid: chips, ticks, sizes, seeds.

    Every point is saved as it ends. Stopped by anything, the same command goes on where it was; nothing is run
    twice. FOLDER gets table.csv, table.jsonl and a manifest of versions, hashes and seeds.

    \b
    GRID.toml:
      [validate]
      ann = "net.onnx"
      inputs = "x.npy"
      labels = "y.npy"
      profile = "loihi1"
      [grid]
      ticks = [8, 16, 32]
      "profile.weights.bits" = [4, 6, 8]
      "size.fc1" = [32, 64]

    \b
    Example:
      spikeloom sweep grid.toml -o results --workers 4
    """
    from spikeloom.flows.sweeping.cluster import dask_executor
    from spikeloom.flows.sweeping.task import read_grid
    from spikeloom.flows.terminal import printing, sweep_text

    task, axes = read_grid(grid)
    with printing.progress_bar() as progress, dask_executor(dask) as executor:
        table = spikeloom.sweep(task, axes, output, executor=executor, workers=workers, progress=progress)
    if json:
        printing.show_json({"wrote": output, "rows": table.rows})
    else:
        sweep_text.show_sweep(table, list(axes))
