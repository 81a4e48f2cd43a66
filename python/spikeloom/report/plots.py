"""Pictures of a validation, each a function that returns a matplotlib figure of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from spikeloom.report.style import BLUE, GREEN, INK, ORANGE, QUIET, RED, SKY, new_figure, styled
from spikeloom.report.validation import Validation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 0.36  # inches of a row of a chart
MANY_POINTS = 1500  # points beyond which a cloud is drawn as pixels
LONG_TITLE = 30  # letters
MOST_BARS = 80  # codes beyond which a histogram is an outline
SCORE_LABELS = {"accuracy": "accuracy, %", "agreement": "agreement with the ANN, %"}


def plot_stages(result: Validation) -> Figure:
    """The score after each step from the ANN to the chip, with its interval."""
    with styled():
        figure, (axes,) = new_figure(0.9 + ROW * len(result.stages))
        for place, stage in enumerate(result.stages):
            score, low, high = (_scaled(result, x) for x in (stage.score, stage.low, stage.high))
            colour = RED if stage.name in ("emulated", "in_the_loop", "imperfect", "calibrated") else BLUE
            axes.plot(
                [low, high], [place, place], color=colour, linewidth=5, alpha=0.3, solid_capstyle="round"
            )
            axes.plot([score], [place], "o", color=colour, markersize=6)
        axes.set_yticks(range(len(result.stages)), [_in_lines(stage.title) for stage in result.stages])
        axes.invert_yaxis()
        axes.margins(y=0.12)
        axes.set_xlabel(score_label(result))
        axes.grid(axis="y", visible=False)
        return figure


def plot_ticks(result: Validation) -> Figure:
    """The score if the outputs are read after fewer ticks."""
    with styled():
        figure, (axes,) = new_figure(2.9)
        curve = result.curve
        low, score, high = (_scaled(result, x) for x in (curve.low, curve.score, curve.high))
        axes.fill_between(curve.ticks, low, high, color=BLUE, alpha=0.2, linewidth=0, label="95 % interval")
        axes.plot(curve.ticks, score, color=BLUE, label="emulated chip")
        before = result.stage("imported").score
        axes.axhline(_scaled(result, before), color=INK, linestyle="--", linewidth=1, label="ANN")
        axes.set_xlabel("ticks of the window until the outputs are read")
        axes.set_ylabel(score_label(result))
        axes.set_xlim(1, curve.ticks[-1])
        axes.legend(loc="best")
        return figure


def plot_losses(result: Validation) -> Figure:
    """Each layer's loss beside the bound below it, and what the grid adds: by this fit, and by plain rounding."""
    series = (("loss", "loss of the fit", "o", BLUE), ("bound", "bound: none can be lower", "|", INK),
              ("rounding", "added by the grid", "s", GREEN),
              ("plain_rounding", "by rounding to the nearest", "D", ORANGE))  # fmt: skip
    from matplotlib.ticker import LogLocator, NullFormatter

    with styled():
        figure, (axes,) = new_figure(1.5 + ROW * len(result.layers))
        for name, label, marker, colour in series:
            points = [(getattr(layer, name), k) for k, layer in enumerate(result.layers)]
            shown = [(x, k) for x, k in points if x is not None and x > 0]
            if shown:
                x, y = np.array(shown).T
                axes.plot(x, y, marker, color=colour, label=label, markersize=10 if marker == "|" else 6,
                          markeredgewidth=2 if marker == "|" else 0)  # fmt: skip
        axes.set_xscale("log")
        axes.set_xlim(_decades(axes.dataLim.intervalx))
        axes.xaxis.set_major_locator(LogLocator(numticks=6))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_yticks(range(len(result.layers)), [layer.name for layer in result.layers])
        axes.set_ylim(len(result.layers) - 0.5, -0.5)
        axes.set_xlabel("relative to the best constant output")
        axes.legend(loc="lower center", bbox_to_anchor=(0.42, 1.0), ncols=2)
        return figure


def plot_errors(result: Validation) -> Figure:
    """How far what each layer sends is from the ANN's activations, on the rows that judge."""
    with styled():
        figure, (axes,) = new_figure(0.9 + ROW * len(result.layers))
        places = range(len(result.layers))
        errors = [100 * layer.error for layer in result.layers]
        axes.barh(places, errors, color=SKY, height=0.6)
        for place, layer in zip(places, result.layers, strict=True):
            axes.annotate(f"r = {layer.correlation:.4f}", (100 * layer.error, place), (5, 0),
                          textcoords="offset points", va="center", color=INK)  # fmt: skip
        axes.set_yticks(places, [layer.name for layer in result.layers])
        axes.invert_yaxis()
        axes.set_xlim(0, 1.35 * max([*errors, 1e-9]))
        axes.set_xlabel("squared error, % of the variance")
        axes.grid(axis="y", visible=False)
        return figure


def plot_rasters(result: Validation) -> Figure:
    """Every spike of one sample; the shaded ticks are the layer's own window."""
    rasters = result.pictures.rasters
    with styled():
        figure, axes = new_figure(0.6 + 1.15 * len(rasters), len(rasters), sharex=True)
        for (name, raster), axis in zip(rasters.items(), axes, strict=True):
            first, end = raster.window
            axis.axvspan(first - 0.5, end - 0.5, color="#eef2f6", linewidth=0)
            axis.plot(raster.ticks, raster.neurons, "|", color=BLUE, markersize=3, markeredgewidth=0.8,
                      rasterized=raster.ticks.size > MANY_POINTS)  # fmt: skip
            axis.set_ylim(-0.5, raster.size - 0.5)
            axis.set_title(f"{name}: {raster.ticks.size:,} spikes of {raster.size:,} neurons")
            axis.grid(visible=False)
        axes[-1].set_xlabel("tick")
        return figure


def plot_responses(result: Validation) -> Figure:
    """What the neurons of each layer should send, and what they send: median, and the middle 80 %."""
    responses = result.pictures.responses
    with styled():
        figure, axes = new_figure(0.5 + 1.75 * max(len(responses), 1), max(len(responses), 1))
        for (name, view), axis in zip(responses.items(), axes, strict=False):
            axis.fill_between(
                view.wanted, view.low, view.high, color=BLUE, alpha=0.25, linewidth=0, label="middle 80 %"
            )
            axis.plot(view.wanted, view.middle, color=BLUE, label="emulated, median")
            top = float(view.wanted.max(initial=1e-9))
            axis.plot([0, top], [0, top], "--", color=INK, linewidth=1, label="wanted")
            axis.set_title(name)
            axis.set_ylabel("spikes a tick")
        axes[-1].set_xlabel("wanted spikes a tick")
        if responses:
            axes[0].legend(loc="upper left")
        return figure


def plot_neuron(result: Validation) -> Figure:
    """Spikes of a neuron with default parameters under a constant input, beside an ideal one."""
    with styled():
        figure, (axes,) = new_figure(2.6)
        if result.pictures.neuron is not None:
            drive, rate = result.pictures.neuron
            axes.plot(drive, np.clip(drive, 0.0, 1.0), "--", color=INK, linewidth=1, label="ideal")
            axes.plot(drive, rate, color=RED, label=result.profile)
            axes.legend(loc="upper left")
        axes.set_xlabel("input of a tick / threshold")
        axes.set_ylabel("spikes a tick")
        return figure


def plot_codes(result: Validation) -> Figure:
    """How often each layer uses each code of the chip's grid."""
    codes = result.pictures.codes
    with styled():
        figure, axes = new_figure(0.5 + 1.3 * max(len(codes), 1), max(len(codes), 1))
        for (name, histogram), axis in zip(codes.items(), axes, strict=False):
            _histogram(axis, histogram.codes, histogram.counts)
            axis.set_title(
                f"{name}: {histogram.codes.size} codes of {histogram.codes[0]} to {histogram.codes[-1]}"
            )
        axes[-1].set_xlabel("weight code")
        return figure


def plot_weights(result: Validation) -> Figure:
    """How the real weights of each layer spread, where the chip has no grid."""
    weights = result.pictures.weights
    with styled():
        figure, axes = new_figure(0.5 + 1.3 * max(len(weights), 1), max(len(weights), 1))
        for (name, histogram), axis in zip(weights.items(), axes, strict=False):
            axis.stairs(histogram.counts, histogram.edges, fill=True, color=GREEN)
            axis.set_title(f"{name}: {histogram.counts.sum():,} synapses")
            axis.set_ylim(bottom=0)
            axis.set_ylabel("synapses")
        axes[-1].set_xlabel("weight")
        return figure


def plot_chips(result: Validation) -> Figure:
    """The score of each chip instance, best first, as it is and calibrated, beside the chip without imperfections."""
    with styled():
        figure, (axes,) = new_figure(2.7)
        order = sorted(result.chips, key=lambda seed: result.chips[seed], reverse=True)
        place = {seed: rank for rank, seed in enumerate(order, start=1)}
        for chips, colour, label in (
            (result.chips, RED, "chip instance"), (result.calibrated_chips, GREEN, "calibrated"),
        ):  # fmt: skip
            if chips:
                scores = [_scaled(result, score) for score in chips.values()]
                axes.plot(
                    [place[seed] for seed in chips], scores, "o", color=colour, markersize=5, label=label
                )
        ideal = _scaled(result, result.stage("emulated").score)
        axes.axhline(ideal, color=BLUE, linewidth=1, label="without imperfections")
        if result.score_is_share:
            axes.axhline(ideal - 1.0, color=QUIET, linestyle=":", linewidth=1, label="one point less")
        axes.set_xlabel("chips, best first")
        axes.set_xlim(0.5, len(order) + 0.5)
        axes.locator_params(axis="x", integer=True)
        axes.set_ylabel(score_label(result))
        axes.legend(loc="best")
        return figure


def plot_pruning(result: Validation) -> Figure:
    """What a layer's size costs the next layer, and the size that was taken."""
    from matplotlib.ticker import LogLocator, NullFormatter

    pruning = result.pictures.pruning
    with styled():
        figure, axes = new_figure(0.5 + 1.6 * len(pruning), len(pruning))
        for (name, view), axis in zip(pruning.items(), axes, strict=True):
            least = min(view.errors[view.errors > 0.0].min(initial=1.0), 0.1)  # 0 where all nodes are left
            errors = np.maximum(view.errors, least)
            axis.plot(range(len(errors)), errors, color=BLUE)
            axis.plot([view.kept], [errors[view.kept]], "o", color=RED)
            axis.set_title(f"{name}: {view.kept} of {len(view.errors) - 1} nodes kept")
            axis.set_ylabel("error")
            axis.set_yscale("log")
            axis.yaxis.set_major_locator(LogLocator(numticks=5))
            axis.yaxis.set_minor_formatter(NullFormatter())
        axes[-1].set_xlabel("nodes left")
        return figure


def _decades(interval: Any) -> tuple[float, float]:
    """The powers of ten around an interval, at least two of them, so that two ticks have a label."""
    low, high = (float(value) for value in interval)
    if not 0.0 < low <= high < np.inf:
        return 0.1, 1.0
    first, last = np.floor(np.log10(low) + 1e-9), np.ceil(np.log10(high) - 1e-9)
    return 10.0**first / 1.3, 10.0 ** max(last, first + 1) * 1.3


def _in_lines(title: str) -> str:
    """A long title in two lines, broken after its first part."""
    return title.replace("; ", "\n") if len(title) > LONG_TITLE else title


def score_label(result: Validation) -> str:
    """The score's name with its unit."""
    return SCORE_LABELS.get(result.score_name, result.score_name)


def _scaled(result: Validation, score: Any) -> Any:
    """Shares in per cent."""
    return 100 * score if result.score_is_share else score


def _histogram(axes: Axes, codes: Sequence[int] | Any, counts: Any) -> None:
    """Bars one code wide; an outline where there are too many."""
    step = int(np.diff(codes).min()) if len(codes) > 1 else 1
    if len(codes) <= MOST_BARS:
        axes.bar(codes, counts, width=0.85 * step, color=GREEN)
    else:
        grid = np.arange(codes[0], codes[-1] + step, step)
        heights = np.zeros(grid.size)
        heights[(np.asarray(codes) - codes[0]) // step] = counts
        axes.fill_between(grid, heights, step="mid", color=GREEN, linewidth=0)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("synapses")
