"""The command line: one function a command, each calling the public function of that name.

Whatever takes time to import is imported inside the command that needs it, so that `--help` is instant.
Exit codes: 0 done; 1 a check failed its bar; 2 bad input, with one line on stderr; 3 a bug; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

import spikeloom
from spikeloom.errors import SpikeloomError

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Turn a trained network into a program of a neuromorphic chip, emulate it, check it against Brian2.",
    epilog="Start with `spikeloom demo`; `spikeloom COMMAND --help` has an example of each command.",
)

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


@app.command()
def demo(
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Run this network alone: mlp, cnn or cartpole; repeatable."),
    ] = None,
    threads: Threads = None,
    json: Json = False,
) -> int:
    """Convert, emulate and check the three bundled networks.

    Prints what each conversion costs in accuracy, how close every layer's fit is to its bound, the spikes of
    an inference, and whether Brian2 gives the same spikes and registers.

    \b
    Example:
      spikeloom demo --only mlp
    """
    from spikeloom.flows import printing, result_text
    from spikeloom.flows.demo import demo as run

    with printing.progress_bar() as progress:
        results = run(names=only or ("mlp", "cnn", "cartpole"), threads=threads, progress=progress)
    if json:
        printing.show_json({"results": results})
    else:
        result_text.show_demo(results)
    return 0 if all(result.brian2_equal for result in results) else 1


@app.command()
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
    from spikeloom.flows import files, printing, profile_text

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


@app.command()
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
    from spikeloom.flows import files, printing

    override = files.parse_settings(settings or ())
    chip = spikeloom.load_profile(profile, override=override) if override else profile
    result = spikeloom.check_profile(chip, programs=programs, seed=seed)
    if json:
        printing.show_json({"ok": result.ok, **vars(result)})
    else:
        printing.lines(str(result))
    return 0 if result.ok else 1


@app.command()
def convert(
    ann: Annotated[Path, typer.Argument(metavar="ANN", help="The trained network, an .onnx file.")],
    profile: Annotated[str, typer.Option("--profile", "-p", help=f"The chip: {PROFILE}.")],
    calibration: Annotated[str, typer.Option(metavar="X", help=f"Samples like those of use: {ARRAY}.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT.spikeloom", help="The program to write.")
    ],
    ticks: Annotated[int, typer.Option(min=1, help="Ticks of a sample.")] = 32,
    objective: Annotated[
        Literal["matching", "l2", "l1"], typer.Option(help="The error that a layer's fit makes small.")
    ] = "matching",
    encoding: Annotated[
        Literal["rate", "current", "bits"] | None,
        typer.Option(help="How the input becomes spikes; by the ticks if not given."),
    ] = None,
    gain: Annotated[
        Literal["keep", "free"] | None,
        typer.Option(help="keep: hold each neuron's gain, as control needs it; by the outputs if not given."),
    ] = None,
    seed: Seed = 0,
    settings: Settings = None,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Turn a trained network into a program of a chip.

    Every layer's synapses are solved on these samples under all that the chip allows; judge the result on
    others. Losses are relative to the best constant output; no synapses do better on these samples than the
    bound; "rounding" is what the chip's grid adds, "plain" what rounding to the nearest code would add.

    \b
    Example:
      spikeloom convert net.onnx -p loihi1 --calibration x.npy -o net.spikeloom
    """
    from spikeloom.flows import files, printing, result_text

    files.check_output(output, ".spikeloom", inputs=[ann, calibration])
    chip = spikeloom.load_profile(profile, override=files.parse_settings(settings or ()))
    network, rows = spikeloom.load_ann(ann), files.read_array(calibration)
    with printing.progress_bar() as progress:
        conversion = spikeloom.convert(
            network, chip, calibration=rows, ticks=ticks, objective=objective, encoding=encoding, gain=gain,
            seed=seed, threads=threads, progress=progress,
        )  # fmt: skip
    conversion.program.save(output)
    if json:
        printing.show_json({"wrote": output, **result_text.conversion_facts(conversion)})
    else:
        result_text.show_conversion(conversion, len(rows), output)


@app.command()
def emulate(
    program: ProgramFile,
    inputs: Inputs,
    ticks: Ticks = None,
    record: Annotated[
        list[str] | None,
        typer.Option(metavar="POPULATION.WHAT", help="fc1.spikes, or a register, fc1.v; repeatable."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="RUN.npz", help="Write the recording here.")
    ] = None,
    trial_seed: Annotated[int, typer.Option(min=0, help="Seed of what differs from run to run.")] = 0,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Run samples through the emulated chip.

    \b
    Example:
      spikeloom emulate net.spikeloom --inputs x.npy --record fc1.spikes -o run.npz
    """
    from spikeloom.flows import files, printing, result_text

    if output is not None:
        files.check_output(output, ".npz", inputs=[inputs])
    loaded, samples = spikeloom.load_program(program), files.read_array(inputs)
    with printing.progress_bar() as progress:
        recording = spikeloom.emulate(
            loaded, samples, ticks=ticks, record=tuple(record or ()), trial_seed=trial_seed, threads=threads,
            progress=progress,
        )  # fmt: skip
    if output is not None:
        recording.save(output)
    if json:
        printing.show_json({"wrote": output, **result_text.recording_facts(recording)})
    else:
        result_text.show_recording(loaded, recording, ticks or loaded.ticks, output)


@app.command()
def crosscheck(
    program: ProgramFile,
    inputs: Inputs,
    reference: Annotated[
        Literal["brian2", "twin"], typer.Option(help="Whom to compare with; the twin is plain Python.")
    ] = "brian2",
    samples: Annotated[int, typer.Option(min=1, help="Compare the first so many samples.")] = 3,
    ticks: Ticks = None,
    json: Json = False,
) -> int:
    """Compare every spike and every register, at every tick, with an independent reference.

    \b
    Example:
      spikeloom crosscheck net.spikeloom --inputs x.npy --reference brian2
    """
    from spikeloom.flows import files, printing, result_text

    loaded, rows = spikeloom.load_program(program), files.read_array(inputs)[:samples]
    result = spikeloom.crosscheck(loaded, rows, reference=reference, ticks=ticks)
    if json:
        printing.show_json({"reference": reference, **vars(result)})
    else:
        result_text.show_crosscheck(result, reference)
    return 0 if result.equal else 1


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
