"""A network for chips that are not known: fitted for the expected loss over mismatch, and judged by its yield.

How much weights differ from chip to chip is seen on virtual chips, drawn from the profile's imperfections. The
network is converted once more, every layer by the method "robust" (`fit.many_chips`), and both networks are run on
other virtual chips, none of which `validate` draws. The yield is the share of these that lose less than one point
against the first network on the perfect chip; only a better yield on the held-out rows makes the robust one the
winner. Of the yield there is no bound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation.devices import touches_weights
from spikeloom.emulation.emulate import emulate
from spikeloom.emulation.instance import ChipChoice, instance_of
from spikeloom.errors import FitError
from spikeloom.fit.problem import Method, Objective
from spikeloom.flows.conversion.calibration import CalibrationSet
from spikeloom.flows.conversion.chain import Chain
from spikeloom.flows.conversion.synapse_list import SynapseList
from spikeloom.profile.schema import Profile
from spikeloom.program.program import ChipProgram

Array = NDArray[np.float64]
VIRTUAL = 2**31  # seed of the first virtual chip
LOOKED_AT = 2  # virtual chips that tell how much weights differ; those that judge come after them
MOST_CHIPS = 1000
ROBUST: Method = "robust"
POINT = 0.01  # what a good chip may lose


def check_robust(profile: Profile, robust_chips: int | None, objective: Objective) -> None:
    """Raise FitError for a number of chips that is none, and where no weight differs from chip to chip."""
    if robust_chips is None:
        return
    is_number = isinstance(robust_chips, int | np.integer) and not isinstance(robust_chips, bool)
    if not is_number or not 1 <= robust_chips <= MOST_CHIPS:
        raise FitError("robust_chips", "must be a whole number in range", value=robust_chips,
                       limit=f"1 to {MOST_CHIPS}")  # fmt: skip
    if not any(touches_weights(entry) for entry in profile.imperfection):
        raise FitError(f"profile {profile.name}", "has weights that are alike on every chip",
                       value=f"robust_chips {robust_chips}", remedy="leave robust_chips out")  # fmt: skip
    if objective not in ("matching", "l2"):
        raise FitError("robust_chips", "needs a loss whose mean over chips is known", value=objective,
                       limit="matching, l2")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Rival:
    """The network converted for many chips, and the figures of it and of the usual one; the better is `chosen`."""

    chain: Chain
    chosen: str
    figures: Mapping[str, Any]


def robust_rival(
    data: CalibrationSet, wanted: Array, usual: tuple[str, Chain], chips: int,
    convert: Callable[[CalibrationSet], Chain], threads: int | None,
) -> Rival:  # fmt: skip
    """Convert the network for many chips and hold it against the usual one on so many virtual chips.

    wanted: (held, outputs) of the network as it was given; usual: the winner on the perfect chip, with its name
    convert: the network by the method "robust", on this data
    """
    name, chain = usual
    spread = spread_of(chain.program)
    robust = convert(replace(data, spread=spread))
    rows = data.rows[data.held]
    perfect = _score(emulate(chain.program, rows, effects=(), threads=threads).outputs, wanted)
    scores = {key: _on_chips(one.program, rows, wanted, chips, threads)
              for key, one in ((name, chain), (ROBUST, robust))}  # fmt: skip
    yields = {key: float(np.mean(perfect - each < POINT)) for key, each in scores.items()}
    means = {key: float(each.mean()) for key, each in scores.items()}
    figures = {"spread": spread, "chips": chips, "perfect": perfect, "yield": yields, "mean": means}
    return Rival(robust, ROBUST if yields[ROBUST] > yields[name] else name, figures)


def spread_of(program: ChipProgram) -> float:
    """Relative standard deviation of a weight from chip to chip, large weights counting as they weigh."""
    names = tuple(entry.name for entry in program.profile.imperfection)
    given = SynapseList.of(program).weights
    off = 0.0
    for seed in range(VIRTUAL, VIRTUAL + LOOKED_AT):
        chip = instance_of(program, ChipChoice(seed, 0.0, names))
        assert chip.synapses is not None
        off += float(((chip.synapses.weights - given) ** 2).mean()) / LOOKED_AT
    return float(np.sqrt(off / max(float((given**2).mean()), 1e-300)))


def _on_chips(program: ChipProgram, rows: NDArray, wanted: Array, chips: int, threads: int | None) -> Array:
    """(chips,) the score on each virtual chip."""
    seeds = range(VIRTUAL + LOOKED_AT, VIRTUAL + LOOKED_AT + chips)
    runs = (emulate(program, rows, chip_seed=seed, threads=threads) for seed in seeds)
    return np.array([_score(run.outputs, wanted) for run in runs])


def _score(got: Array, wanted: Array) -> float:
    """Agreement of the largest output; where there is only one, the share of its variance that is right."""
    if wanted.shape[1] > 1:
        return float(np.mean(got.argmax(axis=1) == wanted.argmax(axis=1)))
    return 1.0 - float(((got - wanted) ** 2).mean() / max(float(wanted.var()), 1e-300))
