"""What `spikeloom --help` shows: commands by what one wants to know, and the three uses with their commands."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

GROUPS = {
    "Start here": ("demo", "profiles"),
    "A network on a chip": ("explain", "convert", "validate", "sweep"),
    "Proof": ("check", "crosscheck"),
    "A program": ("emulate", "export"),
}
WHOLE = 200  # letters of a line of help: never cut
EXAMPLES = """\b
Judge a trained network on a chip that you have no access to:
  spikeloom explain  net.onnx -p loihi1
  spikeloom validate net.onnx -p loihi1 --inputs x.npy -o report.html
\b
Check the emulator against Brian2, spike by spike:
  spikeloom convert    net.onnx -p loihi1 --calibration x.npy -o net.spikeloom
  spikeloom crosscheck net.spikeloom --inputs x.npy --script check.py
\b
Script runs: many at once, or each tick from Python (python/examples):
  spikeloom sweep grid.toml -o results --workers 4
  spikeloom emulate net.spikeloom --inputs x.npy --record fc1.v -o run.npz
\b
`spikeloom COMMAND --help` says more, with examples; --json prints one object.
Exit codes: 0 done, 1 a check failed its bar, 2 bad input, told in one line.
"""


class CommandGroups(TyperGroup):
    """The commands of the program, in groups."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write each group as a section; a command of no group would be missing, which a test looks for."""
        width = max(len(name) for name in self.commands)
        for title, names in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([
                    (name.ljust(width), self.commands[name].get_short_help_str(WHOLE))
                    for name in names
                ])  # fmt: skip
