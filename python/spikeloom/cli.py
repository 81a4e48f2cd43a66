"""The command line: one file a command in `commands/`, each calling the public function of that name.

Whatever takes time to import is imported inside the command that needs it, so that `--help` is instant.
Exit codes: 0 done; 1 a check failed its bar; 2 bad input, with one line on stderr; 3 a bug; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from spikeloom.commands.check import check
from spikeloom.commands.convert import convert
from spikeloom.commands.crosscheck import crosscheck
from spikeloom.commands.demo import demo
from spikeloom.commands.emulate import emulate
from spikeloom.commands.explain import explain
from spikeloom.commands.export import export
from spikeloom.commands.groups import EXAMPLES, CommandGroups
from spikeloom.commands.profiles import profiles
from spikeloom.commands.sweep import sweep
from spikeloom.commands.validate import validate
from spikeloom.errors import SpikeloomError

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Turn a trained network into a program of a neuromorphic chip, emulate it, check it against Brian2.",
    epilog=EXAMPLES,
    cls=CommandGroups,
)
for command in (demo, profiles, check, explain, convert, emulate, crosscheck, validate, sweep, export):
    app.command()(command)


@app.callback(invoke_without_command=True)
def _before_any_command(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from spikeloom import __version__

        print(f"spikeloom {__version__}")
        raise typer.Exit


UsageError: Any = typer.BadParameter.__mro__[1]  # the class of every mistake in a command line


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; a mistake is one line on stderr, never a traceback."""
    try:
        code = app(list(arguments) or ["--help"], prog_name="spikeloom", standalone_mode=False)
    except UsageError as error:
        return _refuse(f"{error.format_message()} Try: spikeloom --help")
    except SpikeloomError as error:
        return _refuse(str(error))
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except MemoryError:
        return _refuse("out of memory; give fewer samples at a time")
    except OSError as error:
        return _refuse(f"file {error.filename}: {error.strerror}" if error.filename else str(error))
    except Exception as error:
        if os.environ.get("SPIKELOOM_TRACEBACK"):
            raise
        return _refuse(f"a bug: {type(error).__name__}: {error}; SPIKELOOM_TRACEBACK=1 shows where", code=3)
    return int(code or 0)


def main() -> None:
    """The entry point of the installed command."""
    sys.exit(run(sys.argv[1:]))


def _refuse(problem: str, code: int = 2) -> int:
    """Say what is wrong in one line."""
    print(f"error: {' '.join(problem.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
