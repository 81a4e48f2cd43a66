"""A converted network tuned to one chip: what was measured on it becomes part of the solution.

"synapses": every weight, threshold and bias is measured and divided by what the chip makes of it, so that their
effective values are the fitted ones; one run a source neuron. It needs weights that are real numbers and a membrane
that can be read. "codes": the same for weights that are integers, which are chosen anew for the measured gains, see
`code_tuning`. "neurons": each neuron's gain and offset alone, see `neuron_tuning`; any chip will do. In all,
thresholds and biases are kept within the profile's range. None has a bound of the whole, only the score on held-out
samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.emulation.emulate import emulate
from spikeloom.errors import FitError
from spikeloom.flows.conversion.synapse_list import SynapseList, with_values
from spikeloom.flows.conversion.tuning.bench import Tuned
from spikeloom.flows.conversion.tuning.chip_probe import gain_of, inside, probe_chip
from spikeloom.flows.conversion.tuning.code_tuning import tuned_by_codes
from spikeloom.flows.conversion.tuning.neuron_teaching import BATCH, STEPS
from spikeloom.flows.conversion.tuning.neuron_tuning import tuned_by_neurons
from spikeloom.network.chip_units import only_integrates, threshold_name
from spikeloom.profile.schema import Profile
from spikeloom.program.program import ChipProgram

Array = NDArray[np.float64]
TAUGHT = STEPS * BATCH  # samples by which gains and offsets are set, at most
SOLVED = 1000  # that integer weights are solved on, at most


def ways_to_tune(profile: Profile) -> tuple[str, ...]:
    """What chips of this profile let one measure."""
    if _hides_synapses(profile):
        return ("neurons",)
    if profile.weights.formula == "float":
        return "synapses", "neurons"
    return ("codes", "neurons") if _has_codes_with_gains(profile) else ("neurons",)


def tuned_to_chip(
    program: ChipProgram,
    perfect: ChipProgram,
    chip_seed: int,
    rows: NDArray,
    judges: tuple[NDArray, Array],
    threads: int | None,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[dict[str, ChipProgram], dict[str, Any]]:
    """The program as it is and tuned in every way there is, best first, and what each costs and scores on the chip.

    perfect: the same network on the ideal chip with continuous weights, which codes are chosen for
    rows: calibration samples; judges: held-out samples and the network's outputs (samples, outputs) on them
    tell: called after each of `ways_to_tune`
    """
    found = {}
    for name in ways_to_tune(program.profile):
        found[name] = _tuned(name, program, perfect, chip_seed, rows, threads)
        tell(f"chip {chip_seed} by {name}")
    found["nominal"] = Tuned(replace(program, chip_seed=chip_seed), 0)
    inputs, wanted = judges
    variance = max(float(((wanted - wanted.mean(axis=0)) ** 2).mean()), 1e-300)
    scores = {
        name: float(((emulate(one.program, inputs, threads=threads).outputs - wanted) ** 2).mean()) / variance
        for name, one in found.items()
    }
    order = sorted(found, key=lambda name: scores[name])
    facts = {
        "seed": chip_seed,
        "chosen": order[0],
        "nmse": scores,
        "runs": {name: found[name].runs for name in found},
    }
    return {name: found[name].program for name in order}, facts


def _tuned(
    name: str, program: ChipProgram, perfect: ChipProgram, chip_seed: int, rows: NDArray,
    threads: int | None,
) -> Tuned:  # fmt: skip
    if name == "synapses":
        return tuned_by_synapses(program, chip_seed, threads=threads)
    if name == "codes":
        return tuned_by_codes(program, perfect, rows[:SOLVED], chip_seed, threads=threads)
    return tuned_by_neurons(program, rows[:TAUGHT], chip_seed, threads=threads)


def check_tunable(profile: Profile, chip_seed: int) -> None:
    """Raise FitError where chips of this profile do not differ."""
    if not profile.imperfection:
        raise FitError(f"profile {profile.name}", "has no chip instances to fit", value=f"chip_seed {chip_seed}",
                       remedy="leave chip_seed out")  # fmt: skip


def _hides_synapses(profile: Profile) -> bool:
    """Whether one synapse cannot be measured and made up for alone: then neither its weight nor the threshold can."""
    return (
        profile.fire.reg not in profile.outputs.readable
        or not isinstance(profile.fire.thr, str)
        or profile.bias.kind != "register"
        or profile.fire.reset != "subtract"
    )


def _has_codes_with_gains(profile: Profile) -> bool:
    """Weights are integers of one mode, and a synapse has one gain, whatever its code, at a neuron that adds up."""
    of_weights = [entry for entry in profile.imperfection if getattr(entry, "of", "") == "weight"]
    return (
        profile.weights.formula == "int"
        and len(profile.weights.mode) == 1
        and profile.limits.fan_in is None
        and only_integrates(profile)
        and not any(getattr(entry, "scope", "") == "row" for entry in of_weights)
    )


def tuned_by_synapses(
    program: ChipProgram, chip_seed: int, *, noise: float = 0.0, seed: int = 0, threads: int | None = None
) -> Tuned:
    """Every synapse and neuron measured and made up for.

    noise: standard deviation of a measurement beside the chip's own, as a share of the programmed value
    """
    synapses = SynapseList.of(program)
    found = probe_chip(program, synapses, chip_seed, noise=noise, seed=seed, threads=threads)
    params = {
        name: inside(given / gain_of(effective, given), program.profile.params[name])
        for name, effective in zip(_names(program.profile), (found.thresholds, found.biases), strict=True)
        for given in [np.asarray(program.arrays.params[name])]
    }
    weights = synapses.weights / gain_of(found.weights, synapses.weights)
    return Tuned(with_values(program, weights, params, chip_seed=chip_seed), found.runs)


def _names(profile: Profile) -> tuple[str, str]:
    """Parameters of threshold and bias."""
    return threshold_name(profile), str(profile.bias.param)
