"""A program as a circuit: synthesizable Verilog of the open core, memory images, a test bench and a Makefile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeloom.exporters.verilog.bench import bench_module
from spikeloom.exporters.verilog.fields import accumulator_fields, placed, state_fields
from spikeloom.exporters.verilog.images import image_files, input_files
from spikeloom.exporters.verilog.layout import lay_out
from spikeloom.exporters.verilog.operations import check_expressible
from spikeloom.exporters.verilog.sizes import Sizes, open_core_tables, sizes_of, widths
from spikeloom.exporters.verilog.soma import soma_module
from spikeloom.profile.schema import Profile
from spikeloom.program.program import ChipProgram

MODULES = (
    "memory",
    "fifo",
    "schedule",
    "deliver",
    "accumulator",
    "send",
    "router",
    "barrier",
    "core",
    "mesh",
    "chip",
)


def export_verilog(program: ChipProgram, folder: Path) -> list[Path]:
    """Write the circuit of a program; nothing is written where it has none.

    The Verilog depends on the profile and on sizes only; what the program loads is in `run/`, with an input that
    has one spike on every line in the first tick.
    """
    cycles, _ = open_core_tables(program.profile)
    sizes = sizes_of(program.profile, [lay_out(program, cycles.lanes)])
    one_spike = np.ones((1, program.n_inputs), dtype=np.uint8)
    return write_files(folder, circuit_files(program.profile, sizes) | run_files(program, sizes, one_spike))


def write_files(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write texts below a folder; the files written."""
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def circuit_files(profile: Profile, sizes: Sizes) -> dict[str, str]:
    """Path -> text of everything that does not depend on a program.

    Raises ProgramError where the profile does what no circuit of this kind can do.
    """
    check_expressible(profile)
    fixed = files("spikeloom.exporters.verilog") / "circuit"
    found = {f"{name}.v": (fixed / f"{name}.v").read_text(encoding="utf-8") for name in MODULES}
    found["soma.v"] = soma_module(profile, sizes)
    found["bench.v"] = bench_module(profile, sizes, (fixed / "bench.v").read_text(encoding="utf-8"))
    found["sizes.vh"] = _header(widths(profile, sizes))
    found |= {name: (fixed / name).read_text(encoding="utf-8") for name in ("bench.cpp", "Makefile")}
    found["circuit.json"] = json.dumps(_description(profile, sizes), indent=1) + "\n"
    return found


def run_files(
    program: ChipProgram, sizes: Sizes, spikes: NDArray, biases: Mapping[str, NDArray] | None = None
) -> dict[str, str]:
    """Path -> text of the images of a program and of one sample's input, spike counts (ticks, input lines).

    `biases`: population -> one effective bias a neuron, instead of the program's.
    """
    layout = lay_out(program, sizes.lanes)
    images = image_files(program, layout, sizes, biases or {}) | input_files(layout, sizes, spikes)
    return {f"run/{path}": text for path, text in images.items()}


def _header(constants: Mapping[str, int]) -> str:
    """The text of `sizes.vh`."""
    lines = (f"`define {name} {value}\n" for name, value in constants.items())
    return f"// The sizes of this circuit.\n`ifndef SIZES\n`define SIZES\n{''.join(lines)}`endif\n"


def _description(profile: Profile, sizes: Sizes) -> dict[str, object]:
    """What a reader of the log needs to know: the widths, and where each register is in a word."""
    fields = {
        kind: [
            {"name": field.name, "first": first, "bits": field.bits, "signed": field.is_signed}
            for field, first in placed(found)
        ]
        for kind, found in (("state", state_fields(profile)), ("accumulator", accumulator_fields(profile)))
    }
    return {"profile": profile.name, "hash": profile.hash, "widths": widths(profile, sizes), **fields}
