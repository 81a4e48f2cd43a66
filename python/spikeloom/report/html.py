"""The report as one HTML file: pictures are inside it, and nothing is loaded when it is opened."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeloom.report import plots, plots_chip
from spikeloom.report.validation import Validation
from spikeloom.report.words import figure_text, percent, score_text, si

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Plot = Callable[[Validation], "Figure"]
TEMPLATE = "report.html.jinja"


@dataclass(frozen=True)
class Picture:
    """An inline SVG with its heading and what it shows."""

    title: str
    caption: str
    svg: str
    wide: bool = False


def page(result: Validation) -> str:
    """The whole page. The same validation gives the same bytes."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {
        "percent": percent,
        "figure": figure_text,
        "spent": plots_chip.energy_name,
        "svg": Markup,
        "si": si,
    }
    shown: dict[str, list[Picture]] = {
        section: [_picture(f"{section}{k}", result, *one) for k, one in enumerate(wanted)]
        for section, wanted in _sections(result).items()
    }
    return environment.get_template(TEMPLATE).render(
        v=result, pictures=shown, score=lambda value: score_text(result, value)
    )


def _sections(result: Validation) -> dict[str, list[tuple[str, str, Plot]]]:
    """The pictures of each section; those without anything to show are left out."""
    views = result.pictures
    every: list[tuple[str, str, str, Plot, Any]] = [
        ("score", "Score, step by step", "Bars are 95 % intervals over the judged rows.", plots.plot_stages, True),
        ("score", "Score against ticks", "What the outputs say if they are read early; one and the same run.",
         plots.plot_ticks, True),
        ("score", "Chip by chip", "Each dot is a chip with its own imperfections.", plots.plot_chips, result.chips),
        ("layers", "Loss and bound", "On the calibration rows. A fit that touches its bound cannot be better.",
         plots.plot_losses, True),
        ("layers", "Error on the judged rows", "Of what each layer sends; r is the correlation with the ANN's.",
         plots.plot_errors, True),
        ("layers", "Wanted and sent", "How often neurons spike, against how often they should.",
         plots.plot_responses, views.responses),
        ("layers", "A neuron's response", "Constant input, default parameters, beside an ideal neuron.",
         plots.plot_neuron, views.neuron),
        ("layers", "Codes in use", "Weights on the chip's grid.", plots.plot_codes, views.codes),
        ("layers", "Weights", "The chip has no grid: what was written, before its imperfections.",
         plots.plot_weights, views.weights),
        ("layers", "Pruning", "Error of the next layer with so many nodes left; the dot is what was kept.",
         plots.plot_pruning, views.pruning),
        ("chip", "Floor plan", "Cores by number; a core is as full as its tightest limit.",
         plots_chip.plot_floor_plan, views.cores),
        ("chip", "Traffic", "Spikes that arrive on the axons of each core.", plots_chip.plot_traffic, views.cores),
        ("chip", "Spikes of one sample", "Shaded: the layer's own window of ticks.", plots.plot_rasters,
         views.rasters),
        ("chip", "Energy", "By what it is spent on, as far as the profile states costs.", plots_chip.plot_energy,
         result.work.energy_parts_j),
    ]  # fmt: skip
    sections: dict[str, list[tuple[str, str, Plot]]] = {"score": [], "layers": [], "chip": []}
    for section, title, caption, plot, there in every:
        if there is not None and (there is True or len(there)):
            sections[section].append((title, caption, plot))
    return sections


def _picture(name: str, result: Validation, title: str, caption: str, plot: Plot) -> Picture:
    return Picture(title, caption, inline_svg(plot(result), name, title))


def inline_svg(figure: Figure, name: str, title: str) -> str:
    """A figure as an SVG element for HTML; its inner names start with `name`, so that none comes twice on a page."""
    from spikeloom.report.style import styled

    buffer = io.StringIO()
    with styled():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, dpi=160)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)
    used = set(_referenced(text))
    text = re.sub(r' id="([^"]+)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "", text)
    text = re.sub(r'(url\(#|href="#)', rf"\1{name}-", text)
    text = re.sub(
        r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', rf'<svg role="img" aria-label="{title}" \1>', text, count=1
    )
    return text.strip()


def _referenced(text: str) -> Iterator[str]:
    yield from re.findall(r"url\(#([^)]+)\)", text)
    yield from re.findall(r'href="#([^"]+)"', text)
