"""Does a program of every shipped chip and variant run, get saved, load, run alike and agree with the twin? Does each
profile pass its check?"""

from __future__ import annotations

from pathlib import Path

import pytest
import spikeloom as sl
from spikeloom.reference.random_programs import random_program


@pytest.mark.parametrize("name", sl.list_profiles())
def test_a_program_goes_the_whole_way(name: str, tmp_path: Path) -> None:
    # One without a value outside its register, which some variants refuse to run.
    profile = sl.load_profile(name)
    for seed in range(20):
        case = random_program(profile, seed)
        try:
            run = sl.emulate(case.program, case.spikes[None])
        except sl.EmulationError as error:
            assert "left its width" in str(error)
            continue
        if worked(run, name):
            break
    assert worked(run, name)
    case.program.save(tmp_path / "net.spikeloom")
    loaded = sl.load_program(tmp_path / "net.spikeloom")
    assert loaded.profile == profile
    again = sl.emulate(loaded, case.spikes[None], threads=2)
    assert again.outputs.tobytes() == run.outputs.tobytes()
    assert {key: counts.tobytes() for key, counts in again.counts.items()} == {
        key: counts.tobytes() for key, counts in run.counts.items()
    }
    check = sl.crosscheck(loaded, case.spikes[None], reference="twin")
    assert check.equal, check.first_divergence


def worked(run: sl.Recording, name: str) -> bool:
    """Whether synapses were read and neurons fired, which those of the matrix mode never do."""
    fired = run.events["spikes"].sum() > 5 or name == "brainscales2_matrix"
    return bool(fired and run.events["synaptic_operations"].sum() > 5)


@pytest.mark.parametrize("name", sl.list_profiles())
def test_the_profile_passes_its_check(name: str) -> None:
    first = {"state.v.init": 0} if name == "ranc:sim" else None  # 32 bits of a first value would trap
    check = sl.check_profile(sl.load_profile(name, override=first), programs=2)
    assert check.ok and check.compared["the twin"] == 2, check.findings
    carried = sl.load_profile(name).event is None  # the others are refused by name
    assert ("Brian2" in check.compared) == carried
    assert carried or "event mode" in " ".join(check.remarks)
