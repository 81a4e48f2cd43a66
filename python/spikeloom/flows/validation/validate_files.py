"""From files to a validation: what `spikeloom validate` does, and each point of a sweep."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.ann.graph import Ann
from spikeloom.ann.load import load_ann
from spikeloom.emulation.emulate import Progress
from spikeloom.errors import SpikeloomError
from spikeloom.flows.convert import convert
from spikeloom.flows.rows import draw_calibration
from spikeloom.flows.terminal.files import read_array
from spikeloom.flows.validate import check_choices, validate, with_drawn_calibration
from spikeloom.flows.validation.closed_loop import choosing, judging
from spikeloom.flows.validation.scoring import make_scorer
from spikeloom.profile.schema import Profile
from spikeloom.report.validation import Validation


@dataclass(frozen=True, eq=False)
class Samples:
    """Rows to calibrate on, others to judge on with their labels, and whether the first were drawn from the data."""

    calibration: NDArray
    inputs: NDArray
    labels: NDArray | None
    drawn: bool


def read_samples(inputs: str, labels: str | None, calibration: str | None) -> Samples:
    """Read the arrays; without calibration data, draw it from the inputs.

    Raises SpikeloomError for a file that cannot be read, or where labels and inputs differ in length.
    """
    rows = read_array(inputs)
    answers = None if labels is None else read_array(labels, axes=1)
    if answers is not None and len(answers) != len(rows):
        raise SpikeloomError(f"labels {labels}", "are not one a row of the inputs", value=len(answers),
                             limit=len(rows))  # fmt: skip
    if calibration is not None:
        return Samples(read_array(calibration), rows, answers, drawn=False)
    drawn = draw_calibration(rows)
    rest = np.setdiff1d(np.arange(len(rows)), drawn)
    return Samples(rows[drawn], rows[rest], None if answers is None else answers[rest], drawn=True)


def convert_and_validate(
    ann: Ann | str | Path,
    profile: Profile,
    samples: Samples,
    *,
    chips: int,
    references: Collection[str],
    calibrate_chips: int = 3,
    environment: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Validation:
    """Convert with these options of `convert`, then judge; what can be wrong is checked before that work.

    environment: a gymnasium environment that the network acts in; other episodes of it choose than those that judge.
    """
    check_choices(chips, references, calibrate_chips)
    make_scorer(samples.labels, np.zeros((len(samples.inputs), load_ann(ann).layers[-1].n_outputs)), None)
    conversion = convert(
        ann, profile, calibration=samples.calibration, threads=threads, progress=progress,
        environment=None if environment is None else choosing(environment), **options,
    )  # fmt: skip
    found = validate(
        conversion, samples.inputs, samples.labels, chips=chips, calibrate_chips=calibrate_chips,
        references=references, threads=threads, progress=progress,
        environment=None if environment is None else judging(environment),
    )  # fmt: skip
    return with_drawn_calibration(found) if samples.drawn else found
