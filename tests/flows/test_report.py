"""Does a report open anywhere, alone, and show what was found?"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.flows.convert import convert
from spikeloom.flows.terminal.validation_text import verdict
from spikeloom.flows.validate import validate
from spikeloom.reference.compare import CrossCheck, Divergence
from spikeloom.reference.distributions import NoiseTest
from spikeloom.report import plots, plots_chip
from spikeloom.report.html import page
from spikeloom.report.validation import Validation, WeightHistogram

PLOTS = [function for module in (plots, plots_chip) for name, function in vars(module).items()
         if name.startswith("plot_")]  # fmt: skip
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--allow-file-access-from-files")  # fmt: skip


@cache
def judged() -> Validation:
    """A pruned network on loihi1, with chips and real weights as a profile with imperfections would have them."""
    rng = np.random.default_rng(8)
    layers = (AnnLayer("fc1", rng.normal(size=(4, 12)), np.zeros(12), "relu", (4,), (12,)),
              AnnLayer("fc2", rng.normal(size=(12, 3)), np.zeros(3), "identity", (12,), (3,)))  # fmt: skip
    ann = Ann("net", (4,), layers, None, np.arange(4))
    conversion = convert(ann, "loihi1", calibration=rng.random((120, 4)), ticks=16, sizes={"fc1": 8})
    found = validate(conversion, rng.random((60, 4)), rng.integers(3, size=60))
    weights = {"fc1": WeightHistogram(np.linspace(-1.0, 1.0, 5), np.array([1, 20, 9, 2]))}
    pictures = replace(found.pictures, weights=weights)
    return replace(found, chips={1: 0.5, 2: 0.4, 3: 0.45}, yield_=1 / 3, pictures=pictures)


@cache
def shown() -> str:
    return page(judged())


def bare() -> Validation:
    """Without all that can be left out, so that the page is quickly made."""
    views = replace(
        judged().pictures, responses={}, codes={}, weights={}, rasters={}, pruning={}, neuron=None
    )
    work = replace(judged().work, energy_j=None, energy_parts_j={}, energy_status=None)
    return replace(judged(), pictures=views, chips={}, yield_=None, work=work, warnings=())


def _text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_the_page_needs_nothing_but_itself() -> None:
    html = shown()
    assert not re.search(r"https?:|<script|<iframe|@import|url\((?!#)", html)
    assert {target[:5] for target in re.findall(r'(?:href|src)="(?!#)([^"]{0,12})', html)} == {"data:"}
    assert page(bare()) == page(bare())


def test_names_inside_the_pictures_are_unique_and_found() -> None:
    html = shown()
    names = re.findall(r' id="([^"]+)"', html)
    assert len(names) == len(set(names))
    referenced = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', html))
    assert {a or b for a, b in referenced} == set(names)


def test_the_page_tells_scores_layers_data_and_verdicts() -> None:
    found, text = judged(), _text(shown())
    for stage in found.stages:
        assert stage.title.replace("'", "&#39;") in text
        assert f"{100 * stage.score:.2f} %" in text
    for said in ("fc1", "fc2", "120 rows to calibrate", "60 others to judge", "33 % of 3 chips", "secondary",
                 "Brian2 agrees in", "equal in every spike and register", "fc1: 8 of 12 nodes kept"):  # fmt: skip
        assert said in text
    assert shown().count("<svg ") == 14


def test_a_difference_and_an_unasked_reference_are_told() -> None:
    divergence = Divergence(sample=0, tick=3, core=0, neuron=7, register="v", expected=1, got=2)
    checks = {"twin": CrossCheck(False, judged().checks["twin"].compared, divergence)}
    text = _text(page(replace(bare(), checks=checks, unchecked={"brian2": "operation alias: not carried"})))
    assert "twin differs; compared" in text
    assert "tick 3" in text
    assert "Brian2 was not asked" in text
    assert "operation alias: not carried" in text


def test_a_check_that_fails_with_noise_alone_says_so() -> None:
    odd = NoiseTest("rates", 0.0002, 0.001, 1, 7, 3.0, 4.5, 50)
    check = replace(judged().checks["twin"], equal=False, noise=(odd,))
    found = replace(bare(), checks={"brian2": check})
    text = _text(page(found))
    assert "register values, but not with noise" in text
    assert "rates not alike in 50 trials, p = 0.0002" in text
    assert "neuron 7 of sample 1: 3 in Brian2, 4.5 on the chip" in text
    assert "with noise rates of sample 1, neuron 7: should be 3" in verdict(found, "brian2")


def test_names_of_users_are_text_and_nothing_else() -> None:
    html = page(replace(bare(), network="<script>alert(1)</script> & co"))
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_what_is_not_there_is_left_out() -> None:
    html = page(bare())
    assert html.count("<svg ") == 6
    assert "not modelled" in _text(html)
    assert "Warnings" not in html


@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.__name__)
def test_every_picture_is_a_figure_of_its_own_and_changes_no_settings(plot: Callable[..., Any]) -> None:
    before = dict(mpl.rcParams)
    figure = plot(judged())
    assert figure.axes[0].has_data() or figure.axes[0].patches
    assert dict(mpl.rcParams) == before


def test_the_twin_in_json_holds_the_same_figures(tmp_path: Path) -> None:
    judged().save(tmp_path / "report.json")
    facts = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert facts["yield_"] == 1 / 3
    assert facts["chips"] == {"1": 0.5, "2": 0.4, "3": 0.45}
    bare().save(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page(bare())


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to open the report in")
def test_a_browser_shows_it_without_overflow_at_phone_and_desk_width(tmp_path: Path) -> None:
    source = "statistical to somebody's commit, devices/neurons/simulation/in_one_file.py"
    long_words = replace(judged(), fidelity=source, imperfections=source)
    (tmp_path / "report.html").write_text(page(long_words), encoding="utf-8")
    widths = (320, 390, 1280)
    frames = "".join(
        f'<iframe src="report.html" style="width:{w}px;height:800px;border:0"></iframe>' for w in widths
    )
    measure = """<script>addEventListener("load", () => { document.title = [...document.querySelectorAll("iframe")]
      .map(f => f.contentDocument.documentElement).map(e => e.scrollWidth - e.clientWidth).join(",") })</script>"""
    (tmp_path / "frames.html").write_text(f"<body>{frames}{measure}</body>", encoding="utf-8")
    command = [str(CHROMIUM), *QUIET, f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=3000",
               "--dump-dom", (tmp_path / "frames.html").as_uri()]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    found = re.search(r"<title>([\d,]+)</title>", done.stdout)
    assert found is not None, done.stderr
    assert found[1] == "0,0,0"
