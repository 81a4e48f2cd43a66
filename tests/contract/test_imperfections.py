"""Imperfections: which seed moves what, each of them alone, and the same chip in core and twin."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import spikeloom as sl
from chip_instances import CHIPS, UNSIZED, case, flawed, on_chip, sized
from spikeloom.emulation.chip import Chip
from spikeloom.emulation.devices import unrolled
from spikeloom.emulation.emulate import emulate
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.program.program import ChipProgram
from spikeloom.reference.random_programs import random_program
from test_same_bytes import contents, everything


def test_core_and_twin_make_the_same_chip() -> None:
    profile = flawed()
    spikes = 0
    for seed in range(25):
        case = random_program(profile, seed)
        check = sl.crosscheck(
            case.program, case.spikes[None], reference="twin", chip_seed=seed, trial_seed=seed
        )
        assert check.equal, f"program {seed}: {check.first_divergence}"
        spikes += check.compared["spikes"]
    assert spikes > 100


@pytest.mark.parametrize("name", CHIPS)
def test_core_and_twin_agree_on_every_chip_profile(name: str) -> None:
    profile = sized(name)
    for seed in range(8):
        case = random_program(profile, seed)
        chip = {"chip_seed": seed, "trial_seed": seed + 1, "age_s": 1e4}
        check = sl.crosscheck(case.program, case.spikes[None], reference="twin", **chip)
        assert check.equal, f"program {seed}: {check.first_divergence}"
    alone = sl.crosscheck(case.program, case.spikes[None], reference="brian2", chip_seed=3, age_s=1e4)
    assert alone.equal and alone.left_out == profile.temporal_effects != (), alone.first_divergence


def test_a_read_sees_what_all_frozen_effects_have_left() -> None:
    program = case("pcm_crossbar")[0]
    stuck = [entry for entry in program.profile.imperfection if entry.name == "stuck"][0]
    profile = sl.load_profile("pcm_crossbar", override={"imperfection.stuck.fraction": 1.0})
    instance = on_chip(replace(program, profile=profile), "read", "stuck")
    assert stuck.at == 0.0 and (instance.synapses.weights == 0.0).all() and (instance.read_std == 0.0).all()


@pytest.mark.parametrize("name", CHIPS)
def test_each_effect_can_be_left_out_alone_and_moves_no_other(name: str) -> None:
    program, _ = case(name)
    names = [entry.name for entry in program.profile.imperfection]
    ideal, whole = on_chip(program), on_chip(program, *names, age_s=1e5)
    assert ideal.synapses is None and ideal.dead is None and ideal.read_std is None
    for effect in names:
        without = on_chip(program, *(other for other in names if other != effect), age_s=1e5)
        only = on_chip(program, effect, age_s=1e5)
        for parameter, nominal in ideal.params.items():
            by = {e.name for e in program.profile.imperfection if getattr(e, "of", "") == parameter}
            assert (only.params[parameter] == nominal).all() or effect in by
            assert effect in by or (without.params[parameter] == whole.params[parameter]).all()
            assert by != {effect} or (without.params[parameter] == ideal.params[parameter]).all()


@pytest.mark.parametrize("name", CHIPS)
def test_the_trial_moves_noise_and_the_chip_moves_mismatch(name: str) -> None:
    moved = {"trial": 0, "chip": 0}
    for seed in range(2, 8):
        for what, differs in moves(*case(name, seed)).items():
            moved[what] += differs
    assert all(moved.values())


def moves(program: ChipProgram, inputs: np.ndarray) -> dict[str, bool]:
    """Whether the trial moves temporal effects and the chip frozen ones; neither moves the other's."""
    temporal = list(program.profile.temporal_effects)
    frozen = [entry.name for entry in program.profile.imperfection if entry.name not in temporal]
    record = everything(program)

    def run(effects: list[str], **seeds: int) -> dict[str, bytes]:
        return contents(emulate(program, inputs, record=record, effects=effects, age_s=1e3, **seeds))

    chip_0, trial_0 = run(frozen), run(temporal)
    assert run(frozen, trial_seed=1) == chip_0 == run(frozen, chip_seed=0)  # chip 0 unless told
    assert run(temporal, chip_seed=1) == trial_0
    return {"chip": run(frozen, chip_seed=1) != chip_0, "trial": run(temporal, trial_seed=1) != trial_0}


@pytest.mark.parametrize("name", CHIPS)
def test_same_seeds_same_bytes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program, inputs = case(name)
    record, seeds = everything(program), {"chip_seed": 4, "trial_seed": 9, "age_s": 50.0}
    whole = emulate(program, inputs, record=record, threads=1, **seeds)
    assert contents(emulate(program, inputs, record=record, threads=3, **seeds)) == contents(whole)
    order = [2, 0, 3, 1]
    shuffled = emulate(program, inputs[order], record=record, sample_ids=order, **seeds)
    for place_, row in enumerate(order):
        alone = emulate(program, inputs[row : row + 1], record=record, sample_ids=[row], **seeds)
        assert contents(alone) == contents(whole, slice(row, row + 1))
        assert contents(shuffled, slice(place_, place_ + 1)) == contents(alone)
    for level in ("baseline", "v3", "v4"):
        monkeypatch.setenv("SPIKELOOM_KERNELS", level)
        fresh, _ = case(name)  # loaded anew
        try:
            assert contents(emulate(fresh, inputs, record=record, **seeds)) == contents(whole)
        except sl.EmulationError:  # this processor lacks the level
            continue


@pytest.mark.parametrize(("name", "key"), [(name, key) for name in CHIPS for key in UNSIZED[name]])
def test_what_has_no_size_acts_once_it_has_one_and_alone(name: str, key: str) -> None:
    effect, differ = key.split(".")[0], 0
    for seed in range(6):
        program, inputs = case(name, seed)
        record = everything(program)
        one = emulate(program, inputs, record=record, effects=[effect], chip_seed=seed, trial_seed=seed)
        none = emulate(program, inputs, record=record, effects=[])
        assert one.effects == (effect,)
        differ += contents(one) != contents(none)
    assert differ > 0


def test_a_recording_names_the_effects_that_acted() -> None:
    program, inputs = case("brainscales2")
    names = tuple(entry.name for entry in program.profile.imperfection)
    assert emulate(program, inputs).effects == names
    shipped = random_program(sl.load_profile("brainscales2"), 2)
    unsized = {key.split(".")[0] for key in UNSIZED["brainscales2"]}  # does nothing, so it is not said to act
    acted = emulate(shipped.program, shipped.spikes[None]).effects
    assert acted == tuple(name for name in names if name not in unsized)
    assert emulate(program, inputs, effects=()).effects == ()
    assert emulate(program, inputs, effects=["leak", "threshold"]).effects == ("threshold", "leak")
    assert emulate(*case("loihi1")).effects == ()


def test_a_chip_clocked_by_a_script_is_the_same_chip() -> None:
    program, inputs = case("brainscales2")
    run = emulate(program, inputs[:1], chip_seed=3, trial_seed=4, record=everything(program))
    chip = Chip(program, chip_seed=3, trial_seed=4)
    last, steps = program.populations[-1], program.profile.time.steps_per_tick
    for tick, lines in enumerate(inputs[0]):
        chip.tick(lines[None])
        end = run.registers[f"{last.name}.v"][0, (tick + 1) * steps - 1]
        assert (chip.registers(last.name)["v"][0] == end).all()
    state = chip.state()
    with pytest.raises(sl.EmulationError, match="belongs to another program"):
        Chip(program, chip_seed=2, trial_seed=4).restore(state)


def test_unrolled_synapses_are_those_of_the_program() -> None:
    for seed in range(10):
        program = random_program(sl.load_profile("brainscales2"), seed).program
        arrays, synapses = program.arrays, unrolled(program)
        for axon, template in enumerate(arrays.axon_template):
            runs = range(arrays.template_run_start[template], arrays.template_run_start[template + 1])
            for run in runs:
                k = np.arange(arrays.run_length[run])
                mine = synapses.weights[synapses.axon_weight[axon] + synapses.run_weight[run] + k]
                assert (mine == arrays.codes[arrays.axon_weight[axon] + arrays.run_weight[run] + k]).all()


@pytest.mark.parametrize("name", ["brainscales2", "pcm_crossbar", "pcm_crossbar:adc"])
def test_a_network_is_built_run_saved_loaded_and_cross_checked(name: str, tmp_path: Path) -> None:
    network = SpikingNetwork(name)
    lines, rng = network.input("x", 6, encoding="rate"), np.random.default_rng(0)
    scale = 40 if name == "brainscales2" else 1.0
    hidden = network.population("hidden", 8)
    out = network.population("out", 3)
    for source, target in ((lines, hidden), (hidden, out)):
        weights = rng.uniform(0.2, 1.0, (source.size, target.size)) * scale
        network.connect(source, target, np.round(weights) if scale > 1 else weights)
    network.output(out)
    program = place(network, ticks=12)
    program.save(tmp_path / "net.spikeloom")
    loaded = sl.load_program(tmp_path / "net.spikeloom")
    x = rng.random((3, 6))
    first, again = emulate(program, x, chip_seed=1), emulate(loaded, x, chip_seed=1)
    assert first.outputs.tobytes() == again.outputs.tobytes() and first.outputs.sum() > 0
    assert sl.crosscheck(loaded, x, reference="twin", chip_seed=1).equal
    assert sl.crosscheck(loaded, x, reference="brian2", chip_seed=1).equal


def test_what_has_no_size_is_no_noise() -> None:
    assert sl.load_profile("dynap_se2").temporal_effects == ()
    assert sized("dynap_se2").temporal_effects == ("late",)
