"""Memory images of the open cores, as their own Verilog reads them: tinyODIN, ODIN and RANC.

Layouts are those of the cores' documentation and RTL: tinyODIN 1865653, ODIN 1781931, RANC 08ae4bd.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from spikeloom.errors import ProgramError
from spikeloom.exporters.memh.odin import odin_files, tinyodin_files
from spikeloom.exporters.memh.ranc import ranc_files
from spikeloom.exporters.verilog.export import write_files
from spikeloom.program.program import ChipProgram

WRITERS: dict[str, Callable[[ChipProgram], dict[str, str]]] = {
    "tinyodin": tinyodin_files, "odin": odin_files, "ranc": ranc_files,
}  # fmt: skip


def export_memh(program: ChipProgram, folder: Path) -> list[Path]:
    """Write the memories of a program; nothing is written where the chip has no such image."""
    chip = program.profile.chip.id
    if chip not in WRITERS:
        raise ProgramError(
            f"profile {program.profile.name}", "has no memory image of this format", value=chip,
            limit=", ".join(WRITERS), remedy='for open_core use the format "verilog"',
        )  # fmt: skip
    return write_files(folder, WRITERS[chip](program))
