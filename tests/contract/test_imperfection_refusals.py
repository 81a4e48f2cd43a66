"""What contradicts itself, or what a chip cannot be, is refused by name."""

from __future__ import annotations

import pytest
import spikeloom as sl
from chip_instances import array_of, case
from spikeloom.emulation.emulate import emulate


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"effects": ["leek"]}, "effect leek: is no imperfection of the profile; limit threshold, leak"),
        ({"effects": "leak"}, "effects: must be a list of names; got leak"),
        ({"chip_seed": -1}, "chip_seed: must be an integer of 32 bits; got -1, limit 0 to 2.32 - 1"),
        ({"trial_seed": 2**32}, "trial_seed: is out of range"),
        ({"age_s": -1.0}, "age_s: must be finite and not negative; got -1.0"),
        ({"sample_ids": [1]}, "sample_ids: need one number for each sample"),
    ],
)
def test_what_a_chip_cannot_be_is_refused(asked: dict[str, object], message: str) -> None:
    program, inputs = case("brainscales2")
    with pytest.raises(sl.EmulationError, match=message):
        emulate(program, inputs, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "value", "finding"),
    [
        (
            "imperfection.threshold.std",
            -1.0,
            "imperfection.threshold.*std: should be greater than or equal to 0",
        ),
        ("imperfection.threshold.cv", 0.1, "imperfection.threshold.cv: needs either cv or std"),
        ("imperfection.threshold.of", "v_thr", "of: no real parameter v_thr; did you mean v_thr_lsb"),
        (
            "imperfection.threshold.scope",
            "row",
            "scope: a parameter's mismatch is one of the neuron or the core",
        ),
        (
            "imperfection.membrane_time.distribution",
            "normal",
            "tau_mem_s is a time constant, which only a lognormal",
        ),
        ("imperfection.synapse.scope", "neuron", "scope: a weight's mismatch is one of the synapse, the row"),
        (
            "imperfection.rails.operations",
            ["fire"],
            "operations: fire makes the spikes and cannot be left out",
        ),
        ("imperfection.rails.operations", ["railz"], "operations: no operation railz; did you mean rails"),
        (
            "params.tau_syn_s.min",
            0.0,
            "params.tau_syn_s is a time constant: it needs the format float and a min",
        ),
        ("weights.limit", 2.0, "weights.limit: only the formula float has one"),
    ],
)
def test_a_contradictory_profile_is_refused(key: str, value: object, finding: str) -> None:
    with pytest.raises(sl.ProfileError, match=finding):
        sl.load_profile("brainscales2", override={key: value})


def test_a_weight_beyond_the_devices_is_refused() -> None:
    with pytest.raises(sl.NetworkError, match="weight is out of range at index 0, 0; got 1.5, limit -1 to 1"):
        array_of(1.5, sl.load_profile("pcm_crossbar"), size=2)
