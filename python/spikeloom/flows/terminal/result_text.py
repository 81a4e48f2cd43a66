"""What each command says about its result, on at most 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeloom.flows.terminal.cycle_text import cycle_rows
from spikeloom.flows.terminal.printing import counted, facts, heading, number, percent, table
from spikeloom.flows.validation.layer_sizes import layer_size

if TYPE_CHECKING:
    from spikeloom.emulation.recording import Recording
    from spikeloom.flows.conversion.smaller.pruning import PrunedLayer
    from spikeloom.flows.convert import Conversion
    from spikeloom.flows.demo import DemoResult
    from spikeloom.program.program import ChipProgram
    from spikeloom.reference.compare import CrossCheck
    from spikeloom.reference.distributions import NoiseTest

LAYER_COLUMNS = ("layer", "neurons", "cores", "loss", "bound", "kind", "gap", "rounding", "plain")
SHOWN_SAMPLES, SHOWN_OUTPUTS = 5, 6  # as many as fit 80 columns, whatever the numbers


def show_demo(results: Sequence[DemoResult]) -> None:
    """Scores, layers, work and the Brian2 check of each network, then all of them in one table."""
    for result in results:
        heading(f"{result.title} on {result.profile}, {counted(result.ticks, 'tick')}")
        facts(("score", _scores(result)), *_answers(result))
        show_layers(result.layers)
        facts(("work", _work(result)), ("Brian2", _brian2(result)), ("took", f"{result.seconds:.0f} s\n"))
    columns = ("network", "ANN", "chip", "weight copy", "agrees", "NMSE", "Brian2")
    rows = [
        (
            f"{result.name}, {result.score_name}",
            *(_score(result, score) for score in (result.ann_score, result.snn_score, result.copy_score)),
            f"{result.agreement:.2f} %",
            result.nmse,
            "equal" if result.brian2_equal else "differs",
        )
        for result in results
    ]
    table(columns, rows)


def conversion_facts(conversion: Conversion) -> dict[str, Any]:
    """A conversion's figures, without its arrays."""
    program = conversion.program
    return {
        "network": conversion.ann.name,
        "profile": program.profile.name,
        "ticks": program.ticks,
        "neurons": program.n_neurons,
        "cores": program.n_cores,
        "candidates": conversion.candidates,
        "chosen": conversion.chosen,
        "layers": [
            row | fit.report() for row, fit in zip(layer_rows(conversion), conversion.layers, strict=True)
        ],
        "pruned": [layer.report() for layer in conversion.pruned],
        "mesh": program.report.get("mesh"),
        "robust": program.report.get("robust"),
        "warnings": conversion.warnings,
    }


def show_conversion(conversion: Conversion, rows: int, target: Path) -> None:
    """The scores of the candidates, the fit of each layer, and where the program is."""
    program = conversion.program
    facts(
        ("network", f"{conversion.ann.name}, {counted(len(conversion.layers), 'layer')}"),
        ("chip", f"{program.profile.chip.name} ({program.profile.name}), {counted(program.ticks, 'tick')}"),
        ("data", f"{rows:,} samples, a fifth of them to judge the candidates"),
    )
    if conversion.pruned:
        facts(*(("pruned", _pruned(layer)) for layer in conversion.pruned))
    show_candidates(conversion.candidates, conversion.chosen)
    show_layers(layer_rows(conversion))
    tuned = [("tuned", _tuned(program.report["chip"]))] if "chip" in program.report else []
    robust = [("robust", _robust(program.report["robust"]))] if "robust" in program.report else []
    mesh = [("mesh", _hops(program.report["mesh"]))] if "mesh" in program.report else []
    warnings = [("warning", text) for text in conversion.warnings]
    facts(*robust, *tuned, *mesh, *warnings, ("wrote", f"{target}, for {counted(program.n_cores, 'core')}"))


def _tuned(chip: Mapping[str, Any]) -> str:
    """How well the network does on its chip in each way of tuning it, and the runs on the chip that each takes."""
    ways = (
        f"{name} NMSE {number(nmse)} in {counted(chip['runs'][name], 'run')}"
        for name, nmse in chip["nmse"].items()
    )
    return f"to chip {chip['seed']} by {chip['chosen']}; {', '.join(ways)}"


def _robust(found: Mapping[str, Any]) -> str:
    """The share of virtual chips that lose less than a point, with the fit for many chips and with the usual one."""
    yields = ", ".join(f"{name} {percent(share)}" for name, share in found["yield"].items())
    return f"yield on {counted(found['chips'], 'virtual chip')}, weights off by {percent(found['spread'])}: {yields}"


def _hops(mesh: Mapping[str, float]) -> str:
    """What the packets of a tick cost on the mesh, and what they would cost elsewhere."""
    return (
        f"{number(mesh['hops'])} hops a tick; in the order of the layers {number(mesh['row_major'])}, "
        f"at random {number(mesh['random'])}"
    )


def _pruned(layer: PrunedLayer) -> str:
    """How many nodes are left, at what error of the next layer, and whether no others would do better."""
    proof = "proven the best" if layer.proven else f"no choice below {number(layer.bound)}"
    kept = f"{layer.name}: {layer.kept.size} of {layer.of} nodes"
    return f"{kept}, error {number(layer.error)} behind it, {proof}"


def show_candidates(candidates: Mapping[str, Mapping[str, float]], chosen: str) -> None:
    """The scores of every way in which the whole network was converted."""
    scores = list(dict.fromkeys(score for row in candidates.values() for score in row))
    rows = [
        (name + (" (chosen)" if name == chosen else ""), *(row.get(score) for score in scores))
        for name, row in candidates.items()
    ]
    table(("candidate", *scores), rows)


def layer_rows(conversion: Conversion) -> list[dict[str, Any]]:
    """For each layer its size, its cores and the quality of its fit."""
    return [
        {
            "name": fit.name,
            **layer_size(conversion.program, fit.name),
            "loss": fit.loss,
            "bound": fit.bound,
            "bound_tag": fit.bound_tag,
            "gap": fit.gap,
            "rounding": fit.rounding_loss,
            "plain_rounding": fit.plain_rounding_loss,
        }
        for fit in conversion.layers
    ]


def show_layers(layers: Iterable[Mapping[str, Any]]) -> None:
    """The fit, layer by layer. Losses are relative to the best constant output."""
    rows = [
        (
            layer["name"], layer["neurons"], layer["cores"], layer["loss"],
            "-" if layer["bound_tag"] == "none" else layer["bound"], layer["bound_tag"],
            percent(layer["gap"]), layer["rounding"], layer["plain_rounding"],
        )
        for layer in layers
    ]  # fmt: skip
    table(LAYER_COLUMNS, rows)


def recording_facts(recording: Recording) -> dict[str, Any]:
    """A run's outputs, events by sample, and what else it counted."""
    return {
        "outputs": recording.outputs,
        "events": recording.events,
        "rules": recording.rules,
        "energy": recording.energy,
        "cycles": recording.cycles,
        "effects": recording.effects,
        "notes": recording.notes,
    }


def show_recording(program: ChipProgram, recording: Recording, ticks: int, target: Path | None) -> None:
    """The work of a sample, the rules that acted, and the outputs of the first samples."""
    samples, profile = len(recording.outputs), program.profile
    facts(
        ("chip", f"{profile.chip.name} ({profile.name}), {counted(program.n_cores, 'core')}"),
        ("run", f"{counted(samples, 'sample')}, {counted(ticks, 'tick')} each"),
        ("work", f"a sample: {_run_work(recording)}"),
        *(
            [("effects", ", ".join(recording.effects) or "none: the ideal chip")]
            if profile.imperfection
            else []
        ),
        *cycle_rows(recording.cycles),
        *(("rule", f"{name} acted {n.sum():,} times") for name, n in recording.rules.items() if n.any()),
        *(("note", note) for note in recording.notes),
    )
    counts = [(name, spikes.shape[1], spikes.sum() / samples) for name, spikes in recording.counts.items()]
    table(("population", "neurons", "spikes a sample"), counts)
    shown = recording.outputs[:SHOWN_SAMPLES, :SHOWN_OUTPUTS]
    rows = [(str(k), *(f"{value:.3g}" for value in row)) for k, row in enumerate(shown)]
    table(("output of sample", *(f"[{k}]" for k in range(shown.shape[1]))), rows)
    if target is not None:
        facts(("wrote", str(target)))


def _run_work(recording: Recording) -> str:
    samples = len(recording.outputs)
    spikes, synops = (recording.events[name].sum() / samples for name in ("spikes", "synaptic_operations"))
    total, status = recording.energy.total_j, recording.energy.status
    return _described_work(spikes, synops, None if total is None else 1e6 * total / samples, status)


def show_crosscheck(check: CrossCheck, reference: str) -> None:
    """Equal, and over how much; or the first value that differs."""
    name = {"brian2": "Brian2", "twin": "twin", "rtl": "circuit"}[reference]
    same = check.first_divergence is None
    facts((name, compared(check.compared) if same else f"differs: {check.first_divergence}"))
    if check.notes:
        facts(*(("note", note) for note in check.notes))
    if check.left_out:
        facts(("left out", f"{', '.join(check.left_out)}: new in every step, and Brian2 draws its own"))
    if check.noise:
        show_noise(check.noise)
    if check.near_threshold:
        facts(
            ("skipped", f"{counted(check.near_threshold, 'state')} closer to the threshold than 1e-12 of it")
        )


def noise_words(check: CrossCheck) -> str:
    """What noisy runs said, where there were any."""
    if not check.noise:
        return ""
    worst = min(check.noise, key=lambda test: test.p / test.level)
    if not worst.ok:
        return f"; with noise {worst}"
    named = ", ".join(test.name for test in check.noise)
    return f"; with noise alike in {named} (least p {worst.p:.2g}, {worst.trials} trials)"


def show_noise(tests: Sequence[NoiseTest]) -> None:
    """Of each test of noisy runs its p and where it is smallest."""
    rows = [
        (test.name, f"{test.p:.4f}", f"{test.level:.4f}", f"{test.sample}, {test.neuron}",
         number(test.expected), number(test.got), "same" if test.ok else "differs")
        for test in tests
    ]  # fmt: skip
    table(("with noise", "p", "level", "sample, neuron", "Brian2", "chip", "verdict"), rows)


def compared(counts: Mapping[str, int]) -> str:
    """How much an equal check compared."""
    values, spikes = (f"{counts[key]:,}" for key in ("register_values", "spikes"))
    signals = (
        f", {counts['signal_values']:,} signals in {counts['clocks']:,} clocks" if "clocks" in counts else ""
    )
    return (
        f"equal: {spikes} spikes, {values} register values{signals}, {counted(counts['samples'], 'sample')}"
    )


def _scores(result: DemoResult) -> str:
    named = {"ANN": result.ann_score, "chip": result.snn_score, "weight copy": result.copy_score}
    scores = ", ".join(f"{name} {_score(result, score)}" for name, score in named.items())
    return f"{result.score_name}: {scores}"


def _score(result: DemoResult, score: float) -> str:
    return f"{score:.2f} %" if result.score_name == "accuracy" else f"{score:.1f}"


def _answers(result: DemoResult) -> tuple[tuple[str, str], ...]:
    """How near the chip's outputs are to the ANN's, on rows that the conversion has not seen."""
    agreement = f"{result.agreement:.2f} % of the ANN's answers, weight copy {result.copy_agreement:.2f} %"
    error = (
        f"NMSE {number(result.nmse)}, weight copy {number(result.copy_nmse)}; {result.samples:,} unseen rows"
    )
    return ("agrees", agreement), ("error", error)


def _work(result: DemoResult) -> str:
    work = _described_work(result.spikes, result.synops, result.energy_uj, result.energy_status)
    return f"an inference: {work}"


def _described_work(spikes: float, synops: float, energy_uj: float | None, status: str | None) -> str:
    """Energy comes with the weakest status of the costs that it is made of."""
    energy = "energy not modelled" if energy_uj is None else f"{number(energy_uj)} uJ (costs: {status})"
    return f"{spikes:,.0f} spikes, {synops:,.0f} synaptic operations, {energy}"


def _brian2(result: DemoResult) -> str:
    verdict = compared(result.brian2_compared) if result.brian2_equal else "differs"
    return f"{verdict}; {result.brian2_seconds:.1f} s"
