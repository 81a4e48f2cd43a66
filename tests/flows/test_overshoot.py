"""Do neurons that a chip resets to zero keep what they had above their threshold, where they are asked to?"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.emulation.emulate import emulate
from spikeloom.emulation.measure import Feed, next_feed
from spikeloom.errors import FitError
from spikeloom.flows.conversion import chain
from spikeloom.flows.convert import Conversion, convert
from spikeloom.flows.crosscheck import crosscheck
from spikeloom.flows.explain import explain
from spikeloom.network.carried import can_carry
from spikeloom.network.chip_layer import ChipLayer, Synapses
from spikeloom.network.from_fit import chip_layer
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place_without_limits
from spikeloom.profile.catalog import load_profile
from spikeloom.profile.schema import Profile
from spikeloom.profile.weights import effective_weights
from spikeloom.program.program import ChipProgram

TICKS, LINES, NEURONS, EARLY = 48, 12, 20, 2
ZERO = load_profile("ideal", override={"operation.fire.reset": "zero"})
LOIHI = load_profile("loihi1")


def layer_of_few_bits(profile: Profile) -> tuple[Synapses, ChipLayer]:
    """Neurons with weights of both signs and a bias, in threshold units and in the chip's codes."""
    rng = np.random.default_rng(5)
    step = 2 ** (9 - (profile.weights.bits or 8))
    codes = np.clip(rng.integers(-250, 250, (LINES, NEURONS)) // step * step, -256, 254).astype(np.int32)
    synapses = Synapses("fc", codes, rng.uniform(0.001, 0.002, NEURONS), rng.uniform(-0.05, 0.1, NEURONS))
    layer = AnnLayer("fc", synapses.weights, synapses.bias, "relu", (LINES,), (NEURONS,))
    return synapses, chip_layer(synapses, layer, profile, ticks=TICKS, peak=np.full(NEURONS, 5.0), depth=EARLY,
                                carries=True)  # fmt: skip


def subtracting(trains: NDArray, weights: NDArray, bias: NDArray) -> NDArray:
    """(samples, NEURONS) spikes of neurons that start at 1/2 and subtract their threshold of 1."""
    potential, counts = np.full((len(trains), NEURONS), 0.5), np.zeros((len(trains), NEURONS))
    for arriving in np.moveaxis(trains, 1, 0):
        potential += arriving @ weights + bias
        counts += potential > 1.0
        potential -= potential > 1.0
    return counts


@pytest.mark.parametrize("bits", [8, 3])
def test_neurons_on_the_chip_subtract_their_threshold(bits: int) -> None:
    profile = load_profile("loihi1", override={"weights.bits": bits})
    synapses, chip = layer_of_few_bits(profile)
    network = SpikingNetwork(profile)
    chip.add_to(network, (network.input("lines", LINES).name,), late=EARLY)
    trains = (np.random.default_rng(6).random((60, TICKS, LINES)) < 0.4).astype(np.uint8)
    early = np.pad(trains, ((0, 0), (EARLY, 0), (0, 0)))
    run = emulate(place_without_limits(network, ticks=TICKS + EARLY), early)
    wanted = subtracting(trains, synapses.weights, synapses.bias)
    assert wanted.max() > 20
    # A tick leaves 4095 of 4096 parts of the current: now and then a spike is a tick late, the last one lost.
    missed = np.abs(run.counts["fc"] - wanted)
    assert missed.max() <= 1
    assert missed.mean() < 0.05
    assert not any(count.any() for rule, count in run.rules.items() if rule.endswith(".wrap"))


def test_a_spike_takes_exactly_the_threshold() -> None:
    for bits in (8, 4, 3):
        profile = load_profile("loihi1", override={"weights.bits": bits})
        synapses, chip = layer_of_few_bits(profile)
        taken = sum(effective_weights(profile.weights, codes, {"w_exp": exponents})
                    for codes, exponents in chip.onto_itself)  # fmt: skip
        assert np.array_equal(-np.asarray(taken), chip.theta)
        assert np.array_equal(chip.params["vth"] * 64, chip.theta)
        unit = chip.theta * synapses.scales  # what a code of 1 adds, but for the rounding of the threshold
        assert np.ptp(unit) < 0.01 * unit.mean()


def small() -> Ann:
    """Twelve inputs, a hidden layer, four outputs."""
    rng = np.random.default_rng(3)
    shapes = ((12, 24), (24, 4))
    layers = tuple(
        AnnLayer(name, rng.normal(size=shape) * np.sqrt(2 / shape[0]), rng.normal(size=shape[1]) / 10, kind,
                 shape[:1], shape[1:])
        for name, shape, kind in zip(("a", "b"), shapes, ("relu", "identity"), strict=True)
    )  # fmt: skip
    return Ann("small", (12,), layers, None, np.arange(12))


ROWS = np.random.default_rng(4).random((300, 12))


@cache
def conversion(chip: str, overshoot: Literal["lose", "keep"]) -> Conversion:
    profile = ZERO if chip == "zero" else load_profile(chip)
    return convert(small(), profile, calibration=ROWS[:240], ticks=32, overshoot=overshoot)


def error(chip: str, overshoot: Literal["lose", "keep"], candidate: str) -> float:
    made = conversion(chip, overshoot)
    wanted, got = small().predict(ROWS[240:]), emulate(made.programs[candidate], ROWS[240:]).outputs
    return float(np.mean((got - wanted) ** 2) / np.mean((wanted - wanted.mean(axis=0)) ** 2))


def test_what_is_kept_is_worth_more_than_a_fit_on_what_is_lost() -> None:
    chosen = conversion("loihi1", "keep").chosen
    assert error("loihi1", "keep", chosen) < error("loihi1", "lose", "copy") / 3
    chosen = conversion("zero", "keep").chosen
    assert error("zero", "keep", chosen) < 0.6 * error("zero", "lose", "copy")


def test_references_agree_on_neurons_that_keep() -> None:
    assert crosscheck(conversion("loihi1", "keep").program, ROWS[240:241], reference="brian2").equal
    for chip in ("loihi1", "zero"):
        assert crosscheck(conversion(chip, "keep").program, ROWS[240:241], reference="twin").equal


def test_what_it_takes_is_counted() -> None:
    lost, kept = (explain(small(), LOIHI, overshoot=way).layers for way in ("lose", "keep"))
    assert [layer.neurons for layer in kept] == [layer.neurons for layer in lost]
    lines = 2  # of the bias
    assert [b.synapses - a.synapses for a, b in zip(lost, kept, strict=True)] == [24 + lines * 24, 0]
    beside = explain(small(), ZERO, overshoot="keep").layers
    assert [(layer.name, layer.neurons) for layer in beside] == [("a", 24), ("a_keeper", 24), ("b", 4)]
    sizes = {one.name: one.neurons.size for one in conversion("zero", "keep").program.populations}
    assert sizes == {"a": 24, "a_keeper": 24, "b": 4}


def test_who_can_keep_and_who_is_refused() -> None:
    assert all(can_carry(load_profile(name)) for name in ("loihi1", "loihi1:lava", "loihi1:brian"))
    leaky = load_profile("loihi1", override={"params.decay_v.default": 205})
    assert not any(
        can_carry(one) for one in (leaky, ZERO, *map(load_profile, ("ranc", "open_core", "brainscales2")))
    )
    with pytest.raises(FitError, match=r"overshoot.*brainscales2.*use overshoot=.lose"):
        convert(small(), "brainscales2", calibration=ROWS, overshoot="keep")
    found = explain(small(), "brainscales2", overshoot="keep")
    assert not found.fits and "overshoot" in found.problems[0].subject
    pooled = Ann("pooled", (4, 4, 1), (
        AnnLayer("conv", np.ones((1, 1, 1, 1)), np.zeros(1), "relu", (4, 4, 1), (4, 4, 1)),
        AnnLayer("pool", np.ones((1, 2, 2, 1)), np.zeros(1), "max", (4, 4, 1), (2, 2, 1), stride=(2, 2)),
        AnnLayer("out", np.ones((4, 1)), np.zeros(1), "identity", (2, 2, 1), (1,))), None, np.arange(16))  # fmt: skip
    assert explain(pooled, LOIHI, overshoot="keep").fits
    assert "a pool holds back" in explain(pooled, LOIHI, overshoot="keep", pool="race").problems[0].text
    with pytest.raises(FitError, match="overshoot"):
        convert(small(), LOIHI, calibration=ROWS, overshoot="double")  # type: ignore[arg-type]


def deep() -> Ann:
    """Three hidden layers of sigmoids, so that the last window starts three ticks late."""
    rng = np.random.default_rng(9)
    sizes = (12, 16, 16, 16, 4)
    kinds = ("sigmoid", "sigmoid", "sigmoid", "identity")
    layers = tuple(
        AnnLayer(name, 2 * rng.normal(size=shape) / np.sqrt(shape[0]), rng.normal(size=shape[1]), kind,
                 shape[:1], shape[1:])
        for name, shape, kind in zip("abcd", pairwise(sizes), kinds, strict=True)
    )  # fmt: skip
    return Ann("deep", (12,), layers, None, np.arange(12))


@pytest.mark.parametrize("overshoot", ["lose", "keep"])
def test_a_layer_sends_in_the_whole_network_what_it_was_fitted_to_send(
    overshoot: Literal["lose", "keep"], monkeypatch: pytest.MonkeyPatch
) -> None:
    fed: dict[tuple[str, int], Feed] = {}

    def watched(program: ChipProgram, feed: Feed, name: str, *, threads: int | None = None) -> Feed:
        fed[name, sum(one == name for one, _ in fed)] = sent = next_feed(program, feed, name, threads=threads)
        return sent

    monkeypatch.setattr(chain, "next_feed", watched)
    made = convert(deep(), LOIHI, calibration=ROWS[:60], ticks=16, overshoot=overshoot)
    order = np.random.default_rng(0).permutation(60)  # that of a conversion of seed 0
    program = made.programs["copy"]
    run = emulate(program, ROWS[:60][order], record=[f"{name}.spikes" for name in "abc"])
    for name in "abc":
        alone = fed[name, 0]
        arrives = np.zeros_like(alone.inputs)
        sample, tick, neuron = run.spikes[name][run.spikes[name][:, 1] + 1 < alone.ticks].T
        arrives[sample, tick + 1, neuron] = 1
        assert alone.inputs.any()
        assert np.array_equal(arrives, alone.inputs), name
