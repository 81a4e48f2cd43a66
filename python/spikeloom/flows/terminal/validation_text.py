"""What `spikeloom validate` says, on at most 80 columns."""

from __future__ import annotations

from pathlib import Path

from spikeloom.flows.terminal.printing import counted, facts, interval_text, number, percent, table
from spikeloom.flows.terminal.result_text import compared, noise_words
from spikeloom.report.validation import ClosedLoop, LayerFigures, Stage, Validation

REFERENCE_NAMES = {"brian2": "Brian2", "twin": "twin"}


def validation_facts(result: Validation) -> dict[str, object]:
    """Every figure, without the arrays of the pictures."""
    found = result.facts()
    del found["pictures"]
    return found


def show_validation(result: Validation, target: Path | None) -> None:
    """The scores step by step, the layers, the work, the verdicts, and where the report is."""
    facts(
        ("network", f"{result.network}, {counted(len(result.layers), 'layer')}"),
        ("chip", f"{result.chip} ({result.profile}), {counted(result.ticks, 'tick')}; {result.fidelity}"),
        ("data", data_line(result)),
    )
    table(
        (result.score_name, "score", "95 % interval", "agrees", "NMSE"),
        [_stage_row(result, stage) for stage in result.stages],
    )
    if result.closed_loop is not None:
        _show_closed_loop(result.closed_loop)
    table(("layer", "neurons", "cores", "loss", "bound", "gap", "rounding", "corr.", "error"),
          [_layer_row(layer) for layer in result.layers])  # fmt: skip
    facts(
        ("ticks", ticks_line(result)),
        ("chips", result.imperfections),
        *((("yield", yield_line(result)),) if result.yield_ is not None else ()),
        ("idle", idle_line(result)),
        ("work", work_line(result)),
        *((REFERENCE_NAMES[name], verdict(result, name)) for name in (*result.checks, *result.unchecked)),
        *(("warning", text) for text in result.warnings),
        *((("wrote", str(target)),) if target is not None else ()),
    )


def _show_closed_loop(loop: ClosedLoop) -> None:
    """The mean return of each policy, and what it loses in the same episodes."""
    rows = [
        (policy.title, number(policy.mean), f"{number(policy.low)} to {number(policy.high)}",
         number(policy.lost), f"{number(policy.lost_low)} to {number(policy.lost_high)}")
        for policy in loop.policies
    ]  # fmt: skip
    table((f"{loop.episodes} episodes", "return", "95 % interval", "lost", "95 % interval"), rows)


def data_line(result: Validation) -> str:
    """Where the rows come from, and how many were left out."""
    data = result.data
    drawn = ", drawn from the same data by a fixed seed" if data.drawn else ""
    repeated = f"; {data.repeated:,} more were in both and judge nothing" if data.repeated else ""
    return f"{data.calibrated:,} rows to calibrate{drawn}, {data.judged:,} others to judge{repeated}"


def ticks_line(result: Validation) -> str:
    """The score, had the outputs been read earlier."""
    curve = result.curve
    shown = sorted({len(curve.ticks) * part // 4 - 1 for part in (1, 2, 3, 4)} - {-1})
    return ", ".join(f"{score_text(result, curve.score[k])} after {curve.ticks[k]}" for k in shown)


def yield_line(result: Validation) -> str:
    """How many of the judged chips are good, with how sure one can be of the share."""
    share = f"{percent(result.yield_, 0)} of {counted(len(result.chips), 'chip')} lose less than 1 point"
    calibrated = ""
    if result.calibrated_yield is not None:
        runs = f"{counted(result.calibration_runs, 'run')} each"
        share_then = f"{percent(result.calibrated_yield, 0)} of {len(result.calibrated_chips)}"
        calibrated = f"; calibrated by neurons, {share_then}, {runs}"
    return f"{share} {interval_text(*(result.yield_interval or (0.0, 1.0)))}{calibrated}"


def idle_line(result: Validation) -> str:
    """Neurons that do nothing of their own."""
    words = {"dead": "dead", "saturated": "saturated", "duplicates": "like another"}
    shown = []
    for name, word in words.items():
        counts = {layer.name: getattr(layer, name) for layer in result.layers if getattr(layer, name)}
        if counts:
            shown.append(f"{sum(counts.values()):,} {word} ({', '.join(counts)})")
    return ", ".join(shown) or "no neuron is dead, saturated or like another"


def work_line(result: Validation) -> str:
    """Spikes, operations and energy of a sample, with the weakest source behind the energy."""
    work = result.work
    energy = "energy not modelled"
    if work.energy_j is not None:
        energy = f"{number(1e6 * work.energy_j)} uJ (costs: {work.energy_status})"
    clocks = "" if work.clocks is None else f", {work.clocks:,.0f} clocks ({work.clocks_are})"
    events = f"{work.spikes:,.0f} spikes, {work.synaptic_operations:,.0f} synaptic operations"
    return f"a sample: {events}, {energy}{clocks}"


def verdict(result: Validation, name: str) -> str:
    """What a reference says of the first samples."""
    if name in result.unchecked:
        return f"not asked: {result.unchecked[name]}"
    check = result.checks[name]
    if check.first_divergence is not None:
        return f"differs: {check.first_divergence}"
    return f"{compared(check.compared)}{noise_words(check)}"


def score_text(result: Validation, score: float) -> str:
    """A share as a percentage, another score as a number."""
    return percent(score) if result.score_is_share else number(score)


def _stage_row(result: Validation, stage: Stage) -> tuple[str, ...]:
    low, high = (score_text(result, bound).removesuffix(" %") for bound in (stage.low, stage.high))
    return (stage.title, score_text(result, stage.score), f"{low} to {high}", percent(stage.agreement),
            number(stage.nmse))  # fmt: skip


def _layer_row(layer: LayerFigures) -> tuple[object, ...]:
    return (layer.name, layer.neurons, layer.cores, layer.loss, layer.bound, percent(layer.gap), layer.rounding,
            f"{layer.correlation:.4f}", layer.error)  # fmt: skip
