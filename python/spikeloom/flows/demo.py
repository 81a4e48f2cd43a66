"""The bundled networks, end to end: converted, run on unseen data, and checked against Brian2."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.bundled.cartpole import CARTPOLE
from spikeloom.bundled.load import BUNDLES, SHOWN, Bundle, load_bundle
from spikeloom.emulation.emulate import Progress, emulate
from spikeloom.emulation.recording import Recording
from spikeloom.errors import SpikeloomError
from spikeloom.flows.convert import Conversion, convert
from spikeloom.flows.crosscheck import crosscheck
from spikeloom.flows.validation.closed_loop import choosing, judging
from spikeloom.profile.catalog import load_profile
from spikeloom.profile.schema import Profile
from spikeloom.program.program import ChipProgram

Array = NDArray[np.float64]
Policy = Callable[[NDArray[np.floating]], Array]
CHECKED_SAMPLES = 3


@dataclass(frozen=True)
class DemoResult:
    """What the demo shows of one network. Scores are accuracies in per cent, or mean returns.

    agreement, nmse: share of inputs with the ANN's answer in per cent, and squared error of the outputs over the
    variance of the ANN's; copy_*: the same for the plain weight copy
    spikes, synops: spikes and synaptic operations per inference; energy_uj: of those the profile has costs for
    """

    name: str
    title: str
    profile: str
    ticks: int
    score_name: str
    ann_score: float
    snn_score: float
    copy_score: float
    agreement: float
    copy_agreement: float
    nmse: float
    copy_nmse: float
    samples: int
    chosen: str
    layers: tuple[Mapping[str, Any], ...]
    spikes: float
    synops: float
    energy_uj: float | None
    energy_status: str
    brian2_equal: bool
    brian2_compared: Mapping[str, int]
    brian2_samples: int
    brian2_seconds: float
    seconds: float


def demo(
    *,
    names: Collection[str] = SHOWN,
    profile: str | Profile = "loihi1",
    threads: int | None = None,
    progress: Progress | None = None,
) -> tuple[DemoResult, ...]:
    """Convert, run and check the bundled networks; see `DemoResult`. Raises SpikeloomError for an unknown name."""
    unknown = [name for name in names if name not in BUNDLES]
    if unknown:
        raise SpikeloomError(f"bundled network {unknown[0]}", "does not exist", limit=", ".join(BUNDLES))
    chip = load_profile(profile)
    return tuple(_show(load_bundle(name), chip, threads, progress) for name in BUNDLES if name in names)


@dataclass(frozen=True)
class _Judged:
    """One program on the unseen rows: its run, score, agreement with the ANN in per cent and output error."""

    recording: Recording
    score: float
    agreement: float
    nmse: float


def _show(bundle: Bundle, chip: Profile, threads: int | None, progress: Progress | None) -> DemoResult:
    started = time.perf_counter()
    environment = choosing(CARTPOLE) if _acts(bundle) else None
    conversion = convert(
        bundle.onnx_path, chip, calibration=bundle.calibration, ticks=bundle.ticks, environment=environment,
        threads=threads, progress=progress,
    )  # fmt: skip
    wanted = conversion.ann.predict(bundle.inputs)
    chosen = _judged(conversion.program, bundle, wanted, threads)
    copy = _judged(conversion.programs["copy"], bundle, wanted, threads)
    checking = time.perf_counter()
    check = crosscheck(conversion.program, bundle.inputs[:CHECKED_SAMPLES], reference="brian2")
    ended = time.perf_counter()
    events, energy = chosen.recording.events, chosen.recording.energy
    return DemoResult(
        name=bundle.name,
        title=bundle.title,
        profile=chip.name,
        ticks=conversion.program.ticks,
        score_name="mean return" if _acts(bundle) else "accuracy",
        ann_score=_score(bundle, wanted, conversion.ann.predict),
        snn_score=chosen.score,
        copy_score=copy.score,
        agreement=chosen.agreement,
        copy_agreement=copy.agreement,
        nmse=chosen.nmse,
        copy_nmse=copy.nmse,
        samples=len(bundle.inputs),
        chosen=conversion.chosen,
        layers=tuple(_layer_row(conversion, index) for index in range(len(conversion.layers))),
        spikes=float(events["spikes"].mean()),
        synops=float(events["synaptic_operations"].mean()),
        energy_uj=None if energy.total_j is None else 1e6 * energy.total_j / len(bundle.inputs),
        energy_status=energy.status or "not modelled",
        brian2_equal=check.equal,
        brian2_compared=check.compared,
        brian2_samples=CHECKED_SAMPLES,
        brian2_seconds=ended - checking,
        seconds=time.perf_counter() - started,
    )


def _judged(program: ChipProgram, bundle: Bundle, wanted: Array, threads: int | None) -> _Judged:
    recording = emulate(program, bundle.inputs, threads=threads)
    got = recording.outputs
    score = _score(bundle, got, lambda x: emulate(program, x, threads=threads).outputs)
    agreement = 100.0 * float(np.mean(got.argmax(axis=1) == wanted.argmax(axis=1)))
    nmse = float(np.mean((got - wanted) ** 2) / np.mean((wanted - wanted.mean(axis=0)) ** 2))
    return _Judged(recording, score, agreement, nmse)


def _acts(bundle: Bundle) -> bool:
    """True for a control policy, which is judged by its return."""
    return bundle.labels is None


def _score(bundle: Bundle, outputs: Array, policy: Policy) -> float:
    """Accuracy in per cent of the outputs on the unseen rows, or the policy's mean return over the judging seeds."""
    if bundle.labels is None:
        return float(np.asarray(judging(CARTPOLE)(policy)).mean())
    return 100.0 * float(np.mean(outputs.argmax(axis=1) == bundle.labels))


def _layer_row(conversion: Conversion, index: int) -> dict[str, Any]:
    fit, program = conversion.layers[index], conversion.program
    neurons = next(population.neurons for population in program.populations if population.name == fit.name)
    starts = program.arrays.core_neuron_start
    return {
        "name": fit.name,
        "neurons": int(neurons.size),
        "cores": int(np.unique(np.searchsorted(starts, neurons, side="right")).size),
        "loss": fit.loss,
        "bound": fit.bound,
        "gap": fit.gap,
        "bound_tag": fit.bound_tag,
        "rounding": fit.rounding_loss,
        "plain_rounding": fit.plain_rounding_loss,
    }
