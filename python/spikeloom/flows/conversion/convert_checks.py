"""What a conversion is asked for, checked before any work."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.ann.graph import Ann
from spikeloom.errors import AnnError, FitError
from spikeloom.flows.conversion.axon_plan import most_axons
from spikeloom.flows.conversion.pools.max_pool import Pool
from spikeloom.flows.conversion.tuning.chip_loop import check_tunable
from spikeloom.profile.schema import Profile

Array = NDArray[np.float64]
FEWEST_ROWS = 10  # below this, neither a fit nor a held-out score means anything
MOST_TICKS = 4096
MOST_NEURONS = 64  # of a unit


def checked_rows(ann: Ann, calibration: ArrayLike) -> Array:
    """Calibration rows as finite float64 of the ANN's input shape."""
    subject = f"calibration data of {ann.name}"
    try:
        rows = np.asarray(calibration, dtype=np.float64)
    except (TypeError, ValueError):
        raise AnnError(subject, "is not an array of numbers") from None
    if rows.ndim != 1 + len(ann.input_shape) or rows.shape[1:] != ann.input_shape:
        raise AnnError(subject, "has the wrong shape", value=rows.shape, limit=("N", *ann.input_shape))
    if len(rows) < FEWEST_ROWS:
        raise AnnError(
            subject, "has too few rows", value=len(rows), limit=FEWEST_ROWS, remedy="give more rows"
        )
    if not np.isfinite(rows).all():
        bad = int(np.flatnonzero(~np.isfinite(rows).reshape(len(rows), -1).all(axis=1))[0])
        raise AnnError(subject, f"row {bad} holds NaN or infinity", remedy="remove or repair that row")
    if (rows == rows[0]).all():
        raise AnnError(
            subject, "has only rows that are alike", value=len(rows), remedy="give rows like those of use"
        )
    return rows


def check_numbers(
    profile: Profile, ticks: int, chip_seed: int | None, neurons_per_unit: int, axons: int | None
) -> None:
    """Raise FitError for a number out of range, and for a chip that no network can be tuned to."""
    for name, value, most in (
        ("ticks", ticks, MOST_TICKS),
        ("neurons_per_unit", neurons_per_unit, MOST_NEURONS),
        ("axons_per_source", 1 if axons is None else axons, most_axons(profile)),
    ):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 1 <= value <= most:
            raise FitError(name, "must be a whole number in range", value=value, limit=f"1 to {most}")
    if chip_seed is not None:
        check_tunable(profile, chip_seed)
        if (
            isinstance(chip_seed, bool)
            or not isinstance(chip_seed, int | np.integer)
            or not 0 <= chip_seed < 2**32
        ):
            raise FitError(
                "chip_seed", "must be a whole number of 32 bits", value=chip_seed, limit="0 to 2^32 - 1"
            )


def check_choices(**choices: tuple[object, tuple[object, ...]]) -> None:
    """Raise FitError for a choice, by its name (value, known ones), that is not known."""
    for name, (value, known) in choices.items():
        if value not in known:
            raise FitError(name, "is unknown", value=value, limit=", ".join(str(k) for k in known if k))


def check_pool(ann: Ann, profile: Profile, pool: Pool, neurons_per_unit: int) -> None:
    """Raise FitError where the chip's neurons cannot take the largest of rates in this form."""
    pools = [layer.name for layer in ann.layers if layer.is_max]
    if pools and neurons_per_unit > 1:
        raise FitError(f"layer {pools[0]!r}", "takes the largest of single neurons", value=neurons_per_unit, limit=1,
                       remedy="leave neurons_per_unit out")  # fmt: skip
    if pools and pool != "tree" and getattr(profile.fire, "reset", "subtract") != "zero":
        raise FitError(f"layer {pools[0]!r}", "adds its sources up on a neuron that is not reset to zero", value=pool,
                       limit="reset = zero", remedy='use pool="tree"')  # fmt: skip
