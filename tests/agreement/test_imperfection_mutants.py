"""Would this suite see a wrong imperfection? Each mutant breaks one rule of the twin's chips; on some program, chip,
age and choice of effects it must differ from the right twin."""

from functools import cache

import mutants_of_imperfections  # noqa: F401 - fills the table
import mutants_of_noise  # noqa: F401
import numpy as np
import pytest
from agreement_cases import SHORT, profile_of
from flaw_hooks import FLAW_MUTANTS
from spikeloom.emulation.emulate import emulate
from spikeloom.flows.crosscheck import emulated_trace
from spikeloom.reference.compare import compare
from spikeloom.reference.random_programs import random_program
from spikeloom.reference.twin.executor import run_twin
from spikeloom.reference.twin.imperfections import Flaws

CHIPS = 12  # of each profile, on core and twin
MOST = 40  # on which a mutant may show


@cache
def chip_of(name, seed):
    """A random program, and one chip to run it on: every other chip has all effects, the rest some of them."""
    profile, rng = profile_of(name), np.random.default_rng(seed)
    case = random_program(profile, seed, SHORT)
    names = [entry.name for entry in profile.imperfection]
    effects = tuple(name for name in names if seed % 2 or rng.random() < 0.6)
    chip = {
        "chip_seed": int(rng.integers(1, 2**32)),
        "age_s": float(10 ** rng.uniform(0, 7)),
        "effects": effects,
    }
    return case, chip, {"trial_seed": int(rng.integers(1, 2**32)), "sample": int(rng.integers(1, 1000))}


def run(name, seed):
    case, chip, trial = chip_of(name, seed)
    flaws = Flaws(case.program.profile, chip["chip_seed"], chip["age_s"], chip["effects"])
    return run_twin(case.program, case.spikes, chip=flaws, **trial)


@cache
def right(name, seed):
    return run(name, seed)


@pytest.mark.parametrize(
    "name", ["flawed", "brainscales2", "brainscales2_matrix", "pcm_crossbar", "dynap_se2"]
)
def test_the_core_makes_the_twins_chips(name):
    for seed in range(CHIPS):
        case, chip, trial = chip_of(name, seed)
        elements = ("spikes", *case.program.profile.element_names())
        record = [f"{placed.name}.{what}" for placed in case.program.populations for what in elements]
        recording = emulate(
            case.program, case.spikes[None], record=record, trial_seed=trial["trial_seed"],
            sample_ids=[trial["sample"]], **chip,
        )  # fmt: skip
        check = compare(right(name, seed), emulated_trace(case.program, recording, 0), case.program, seed)
        assert check.equal, f"chip {seed}: {check.first_divergence}"
        assert recording.effects == chip["effects"]


@pytest.mark.parametrize("name", FLAW_MUTANTS)
def test_a_mutant_is_killed(name, monkeypatch):
    mutate, profiles = FLAW_MUTANTS[name]
    for seed in range(MOST):
        for profile in profiles:
            expected, case = right(profile, seed), chip_of(profile, seed)[0]
            with monkeypatch.context() as context:
                mutate(context.setattr)
                got = run(profile, seed)
            if not compare(expected, got, case.program).equal:
                return
    pytest.fail(f"{name} survived {MOST * len(profiles)} chips")
