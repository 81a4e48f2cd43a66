"""Is a chip file sound, and do emulator, twin and Brian2 mean the same by it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spikeloom.emulation.emulate import Progress, emulate
from spikeloom.errors import EmulationError, ProfileError
from spikeloom.flows.conversion.layers.response_curve import ResponseCurve, response_curve
from spikeloom.flows.counting import with_progress
from spikeloom.flows.crosscheck import crosscheck
from spikeloom.profile.catalog import load_profile
from spikeloom.profile.checks import soundness_findings
from spikeloom.profile.provenance import unsourced
from spikeloom.profile.schema import Profile
from spikeloom.profile.weights import mode_names, weight_levels
from spikeloom.reference.random_programs import RandomProgram, random_program
from spikeloom.reference.random_values import CARRIED
from spikeloom.reference.side_by_side import side_by_side
from spikeloom.reference.twin.executor import run_twin

BRIAN2_PROGRAMS = 8  # as one model; each costs Brian2 a second, so a few must do
FIFO_DEPTH, MAX_EVENTS = 8, 24  # of random programs in event mode


@dataclass(frozen=True)
class ProfileCheck:
    """What a check of a profile found; `ok` where `findings` is empty."""

    profile: str  # its name
    findings: tuple[str, ...] = ()  # what is wrong, "dotted.key: ..." or "program 17: ..."
    unsourced: tuple[str, ...] = ()  # dotted keys of numbers without provenance
    compared: Mapping[str, int] = field(default_factory=dict)  # reference -> programs that were equal
    remarks: tuple[str, ...] = ()  # what could not be checked, and why
    levels: Mapping[str, str] = field(default_factory=dict)  # weight mode -> its codes
    response: ResponseCurve | None = None  # of one neuron under constant input

    @property
    def ok(self) -> bool:
        """True where nothing is wrong; numbers without a source are reported, but not wrong."""
        return not self.findings

    def __str__(self) -> str:
        """The whole report, a line a fact."""
        lines = [
            f"{self.profile}: {'sound' if self.ok else f'{len(self.findings)} findings'}",
            *self.findings,
        ]
        lines += [f"{count} random programs equal to {name}" for name, count in self.compared.items()]
        lines += self.remarks
        if self.unsourced:
            lines.append(f"numbers without a source: {', '.join(self.unsourced)}")
        lines += [f"weights, mode {mode}: {codes}" for mode, codes in self.levels.items()]
        if self.response is not None:
            lines.append(f"spikes a tick by input / threshold: {self.response}")
        return "\n".join(lines)


def check_profile(
    profile: Profile | str | Path, *, programs: int = 200, seed: int = 0, progress: Progress | None = None
) -> ProfileCheck:
    """Check a profile, then run random programs of it on the emulator and on its references.

    Parameters
    ----------
    profile : a profile, or its name or path.
    programs : random programs to run on the emulator and the twin, every register compared at every tick; a
        few of them also in Brian2.
    seed : of the first program; program k has seed + k.
    progress : told "random programs", how many have run, and of how many.

    Returns all findings at once: schema, names that refer to nothing, widths that may leave 64 bits, and
    programs on which the executors differ. Raises ProfileError only where there is no such profile.
    """
    try:
        chip = load_profile(profile)
        findings = soundness_findings(chip)
    except ProfileError as error:
        if not error.findings:
            raise
        return ProfileCheck(str(profile), error.findings)
    if findings:
        return ProfileCheck(chip.name, tuple(findings))
    return _behaviour(chip, range(seed, seed + programs), progress)


@dataclass(frozen=True)
class _Outcome:
    """How a random program went: a difference, or none; a program that both refuse alike is no difference."""

    case: RandomProgram
    difference: str = ""
    refused: bool = False


def _behaviour(profile: Profile, seeds: Sequence[int], progress: Progress | None) -> ProfileCheck:
    """Run a sound profile."""
    small, remarks = _smaller(profile)
    outcomes: dict[int, _Outcome] = {}
    for seed in with_progress(seeds, len(seeds), "random programs", progress):
        outcomes[seed] = _outcome(random_program(small, seed))
    findings = [f"program {seed}: {one.difference}" for seed, one in outcomes.items() if one.difference]
    compared = {"the twin": sum(not one.difference for one in outcomes.values())}
    carried = [*outcomes.values()]
    if profile.fire.op == "multi_fire":
        carried = [_outcome(random_program(profile, seed, CARRIED)) for seed in seeds[:BRIAN2_PROGRAMS]]
    runs = [one.case for one in carried if not (one.difference or one.refused)]
    refused = sum(one.refused and not one.difference for one in outcomes.values())
    if refused:
        remarks.append(f"{refused} of them end alike, with a value outside its register")
    _ask_brian2(runs[:BRIAN2_PROGRAMS], findings, compared, remarks)
    response = None
    try:
        response = response_curve(profile)
    except EmulationError as error:
        findings.append(f"constant input: {error}")
    levels = {mode: str(weight_levels(profile.weights, mode)) for mode in mode_names(profile.weights)}
    facts = (unsourced(profile), compared, tuple(remarks), levels or {"float": "real numbers"}, response)
    return ProfileCheck(profile.name, tuple(findings), *facts)


def _smaller(profile: Profile) -> tuple[Profile, list[str]]:
    """In event mode a profile whose FIFO small programs fill, and whose drains the slow twin can follow."""
    if profile.event is None:
        return profile, []
    depth, events = min(profile.event.fifo_depth, FIFO_DEPTH), min(profile.event.max_events, MAX_EVENTS)
    small = load_profile(profile, override={"event.fifo_depth": depth, "event.max_events": events})
    return small, [f"random programs run with a FIFO of {depth} events and drains of {events}"]


def _outcome(case: RandomProgram) -> _Outcome:
    """Run one program on the emulator and on the twin."""
    try:
        check = crosscheck(case.program, case.spikes[None], reference="twin")
    except EmulationError:
        emulator = _refusal(lambda: emulate(case.program, case.spikes[None]))
        twin = _refusal(lambda: run_twin(case.program, case.spikes))
        said = f"the emulator says {emulator or 'nothing'}; the twin says {twin or 'nothing'}"
        return _Outcome(case, "" if _alike(emulator, twin) else said, refused=True)
    return _Outcome(case, "" if check.equal else str(check.first_divergence))


def _refusal(run: Callable[[], object]) -> EmulationError | None:
    try:
        run()
    except EmulationError as error:
        return error
    return None


def _alike(one: EmulationError | None, other: EmulationError | None) -> bool:
    """True where both name the same place and value; each has words of its own."""
    if one is None or other is None:
        return one is other
    return (one.subject, str(one.value)) == (other.subject, str(other.value))


def _ask_brian2(
    cases: Sequence[RandomProgram], findings: list[str], compared: dict[str, int], remarks: list[str]
) -> None:
    """Compare some programs with Brian2, as one model; what it cannot carry is remarked."""
    if not cases:
        return
    joined = side_by_side(cases)
    try:
        check = crosscheck(joined.program, joined.spikes[None], reference="brian2")
    except EmulationError as error:
        remarks.append(f"not compared with Brian2: {error}")
        return
    compared["Brian2"] = len(cases) if check.equal else 0
    if not check.equal:
        findings.append(f"{len(cases)} programs in Brian2: {check.first_divergence}")
