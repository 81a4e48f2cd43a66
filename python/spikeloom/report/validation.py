"""Everything that a validation found: plain figures and arrays, from which text, pictures and JSON are made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import SpikeloomError
from spikeloom.reference.compare import CrossCheck
from spikeloom.report.plain import to_plain, write_text

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Stage:
    """The network after one step of its way to the chip, on the rows that judge.

    name: "ann", "imported", "fitted", "quantised", "emulated", "in_the_loop", "imperfect" or "calibrated"; title: the
        same in words
    score, low, high: with the ends of its 95 % interval; agreement, agreement_low, agreement_high: share of the
        ANN's answers; nmse: squared error of the outputs over the variance of the ANN's
    """

    name: str
    title: str
    score: float
    low: float
    high: float
    agreement: float
    agreement_low: float
    agreement_high: float
    nmse: float


@dataclass(frozen=True)
class LayerFigures:
    """One layer: its size, its fit on the calibration rows, and what it did on the rows that judge.

    loss, bound, gap, rounding, plain_rounding: see `LayerFit`; bound_tag: what the bound proves
    correlation, error: of what the layer sends (the last one: of the outputs) with the ANN's activations, and the
        mean squared difference over their variance
    dead, saturated: neurons that never spike, and that are at their ceiling in more than half of the rows
    duplicates: neurons with the counts of an earlier one in every row; spikes: a sample
    """

    name: str
    neurons: int
    cores: int
    loss: float
    bound: float | None
    bound_tag: str
    gap: float | None
    rounding: float
    plain_rounding: float
    correlation: float
    error: float
    dead: int
    saturated: int
    duplicates: int
    spikes: float


@dataclass(frozen=True, eq=False)
class TickCurve:
    """The score, if the outputs are read after so many ticks of the layer's window; with 95 % intervals."""

    ticks: Ints
    score: Array
    low: Array
    high: Array


@dataclass(frozen=True)
class Work:
    """Of one sample on average. energy_j: absent where the profile states no cost; see `EnergyReport`."""

    spikes: float
    synaptic_operations: float
    energy_j: float | None
    energy_parts_j: Mapping[str, float]
    energy_status: str | None
    not_modelled: tuple[str, ...]
    clocks: float | None = None
    clocks_are: str = ""


@dataclass(frozen=True)
class DataUse:
    """How many rows calibrated, how many judged, how many were in both and therefore judged nothing."""

    calibrated: int
    judged: int
    repeated: int
    drawn: bool = False  # the calibration rows were drawn from the same data, by a fixed seed


@dataclass(frozen=True, eq=False)
class ResponseView:
    """Activity of a layer: ascending wanted rates in spikes a tick, and quantiles of those that came."""

    wanted: Array
    low: Array  # 10 %
    middle: Array  # median
    high: Array  # 90 %


@dataclass(frozen=True, eq=False)
class CodeHistogram:
    """How often each code of the chip's grid is used by a layer."""

    codes: Ints
    counts: Ints


@dataclass(frozen=True, eq=False)
class WeightHistogram:
    """How many synapses of a layer have a weight between two edges, where the chip has no grid."""

    edges: Array
    counts: Ints


@dataclass(frozen=True, eq=False)
class Raster:
    """Spikes of one sample: tick and neuron of each, of a layer with so many neurons.

    ticks: in fractions of a tick, where the profile divides it; window: first and last tick of the layer's own
    """

    ticks: Array
    neurons: Ints
    size: int
    window: tuple[float, float]


@dataclass(frozen=True, eq=False)
class PruningView:
    """errors: (n + 1,) of the next layer's pre-activations with 0, ..., n nodes left; kept: how many were."""

    errors: Array
    kept: int


@dataclass(frozen=True)
class CoreView:
    """What is on one core: population -> neurons; used: resource -> (used, limit or None)."""

    populations: Mapping[str, int]
    used: Mapping[str, tuple[int, int | None]]
    spikes_in: float  # spikes that arrive a sample

    @property
    def utilisation(self) -> float | None:
        """Share of the resource that is nearest to its limit; None where nothing is limited."""
        shares = [used / limit for used, limit in self.used.values() if limit]
        return max(shares, default=None)


@dataclass(frozen=True, eq=False)
class Pictures:
    """Arrays that only pictures need, by layer where not said otherwise."""

    rasters: Mapping[str, Raster]
    responses: Mapping[str, ResponseView]
    codes: Mapping[str, CodeHistogram]
    weights: Mapping[str, WeightHistogram]
    pruning: Mapping[str, PruningView]
    cores: tuple[CoreView, ...]
    chip_cores: int | None  # of the whole chip
    neuron: (
        tuple[Array, Array] | None
    )  # input / threshold, and spikes a tick of a neuron with default parameters


@dataclass(frozen=True)
class PolicyReturn:
    """A policy in its environment: the mean return of an episode, and what it loses against the ANN.

    low, high, lost_low, lost_high: ends of the 95 % intervals, by bootstrap over episodes; the loss is taken
        episode by episode, all of which start alike
    """

    title: str
    mean: float
    low: float
    high: float
    lost: float
    lost_low: float
    lost_high: float


@dataclass(frozen=True)
class ClosedLoop:
    """Policies in the same episodes: the ANN first, then the emulated chip, then an imperfect one."""

    episodes: int
    policies: tuple[PolicyReturn, ...]


@dataclass(frozen=True, eq=False)
class Validation:
    """A converted network judged on rows that it has not seen.

    stages: the score after each step from the ANN to the chip
    agreement: share of rows in which the emulated chip gives the ANN's answer
    yield_: share of chip instances that lose less than one point against the chip without imperfections; None
        where the profile has none; yield_interval: its 95 % interval over chips, by Wilson
    checks: reference -> whether every spike and register was equal; unchecked: reference -> why it was not asked
    chips: score of each chip instance; imperfections: what makes chips differ, or that nothing does
    calibrated_chips, calibrated_yield: the same with gain and offset of every neuron calibrated on each chip;
        calibration_runs: that this took of each
    metrics: NeuroBench's, by name
    closed_loop: a control policy in its environment, where one was given
    """

    network: str
    chip: str
    profile: str
    fidelity: str
    ticks: int
    data: DataUse
    score_name: str
    score_is_share: bool
    interval: str
    stages: tuple[Stage, ...]
    agreement: float
    yield_: float | None
    layers: tuple[LayerFigures, ...]
    curve: TickCurve
    work: Work
    metrics: Mapping[str, float | None]
    checks: Mapping[str, CrossCheck]
    unchecked: Mapping[str, str]
    chips: Mapping[int, float]
    imperfections: str
    warnings: tuple[str, ...]
    pictures: Pictures
    made_with: Mapping[str, str] = field(default_factory=dict)
    closed_loop: ClosedLoop | None = None
    yield_interval: tuple[float, float] | None = None
    calibrated_chips: Mapping[int, float] = field(default_factory=dict)
    calibrated_yield: float | None = None
    calibration_runs: int = 0

    @property
    def ok(self) -> bool:
        """True where every reference that was asked agrees."""
        return all(check.equal for check in self.checks.values())

    def stage(self, name: str) -> Stage:
        """The stage of this name. Raises SpikeloomError where there is none."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise SpikeloomError(f"stage {name}", "does not exist", limit=", ".join(s.name for s in self.stages))

    def facts(self) -> dict[str, object]:
        """Everything as plain JSON values."""
        plain = to_plain(self)
        assert isinstance(plain, dict)
        return plain | {"ok": self.ok}

    def save(self, path: str | Path) -> None:
        """Write the report: `.html`, one file that needs nothing else, or its twin in `.json`; atomically.

        Raises SpikeloomError for another ending, or where the file cannot be written.
        """
        target = Path(path)
        if target.suffix == ".json":
            write_text(target, json.dumps(self.facts(), allow_nan=False) + "\n")
        elif target.suffix == ".html":
            from spikeloom.report.html import page

            write_text(target, page(self))
        else:
            raise SpikeloomError(f"report {path}", "must end in .html or .json")
