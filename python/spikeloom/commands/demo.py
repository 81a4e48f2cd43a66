"""`spikeloom demo`."""

from __future__ import annotations

from typing import Annotated

import typer

from spikeloom.commands.options import Json, Threads


def demo(
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Run this network alone: mlp, cnn, small_cnn or cartpole; repeatable."
        ),
    ] = None,
    threads: Threads = None,
    json: Json = False,
) -> int:
    """Convert, emulate and check three bundled networks.

    Prints what each conversion costs in accuracy, how close every layer's fit is to its bound, the spikes of
    an inference, and whether Brian2 gives the same spikes and registers.

    \b
    Example:
      spikeloom demo --only mlp
    """
    from spikeloom.flows.demo import demo as run
    from spikeloom.flows.terminal import printing, result_text

    with printing.progress_bar() as progress:
        results = run(names=only or ("mlp", "cnn", "cartpole"), threads=threads, progress=progress)
    if json:
        printing.show_json({"results": results})
    else:
        result_text.show_demo(results)
    return 0 if all(result.brian2_equal for result in results) else 1
