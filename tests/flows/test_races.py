"""Do neurons that hold one another back send the largest of their inputs, and keepers what a reset loses?"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from scipy.sparse import csr_array
from spikeloom.ann.graph import Ann, AnnLayer
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import FitError
from spikeloom.flows.conversion.pools import races
from spikeloom.flows.convert import convert
from spikeloom.flows.crosscheck import crosscheck
from spikeloom.flows.explain import explain
from spikeloom.network.chip_layer import ChipLayer
from spikeloom.network.held_back import hold_back, keep
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.wired import wired_layer
from spikeloom.placement.place import place_without_limits
from spikeloom.profile.catalog import load_profile

TICKS, CODE, LARGEST = 64, 200, 255
THRESHOLD = 120_000 // 64  # 9.4 spikes of a line through CODE bring a neuron to it
WINDOWS = csr_array(np.kron(np.eye(3), np.ones((4, 1))))  # three windows of four neurons


def sources() -> ChipLayer:
    """Twelve neurons, each behind four lines of its own."""
    codes, size = np.kron(np.eye(12, dtype=np.int32), np.full((4, 1), CODE, dtype=np.int32)), 12
    return ChipLayer("sources", (codes,), {"w_exp": 0}, {"vth": np.full(size, THRESHOLD, dtype=np.int32)}, {},
                     np.full(size, THRESHOLD * 64.0))  # fmt: skip


def counts(trains: np.ndarray, *, kept: bool, held: bool) -> tuple[np.ndarray, np.ndarray]:
    """(samples, 12) and (samples, 3) spikes of the sources, and of neurons that any of a window's fires."""
    network = SpikingNetwork("loihi1")
    network.input("lines", 48)
    layer, pool = sources(), wired_layer("pool", [WINDOWS], load_profile("loihi1"), LARGEST)
    layer.add_to(network, ("lines",))
    if kept:
        keep(network, layer, ("lines",), LARGEST)
    pool.add_to(network, ("sources",))
    if held:
        hold_back(network, layer, "pool", WINDOWS, LARGEST)
    run = emulate(place_without_limits(network, ticks=TICKS + 4), np.pad(trains, ((0, 0), (0, 4), (0, 0))))
    return run.counts["sources"], run.counts["pool"]


def random_trains() -> tuple[np.ndarray, np.ndarray]:
    """(40, TICKS, 48) spikes of lines at constant rates, and (40, 12) thresholds that each neuron gets in all."""
    rng = np.random.default_rng(7)
    rates = rng.uniform(0, 1, (40, 12, 1)) * np.ones(4)
    trains = (rng.uniform(size=(40, TICKS, 48)) < rates.reshape(40, 1, 48)).astype(np.uint8)
    given = trains.sum(axis=1).reshape(40, 12, 4).sum(axis=2) * CODE * 64.0 / (THRESHOLD * 64.0)
    return trains, given


def test_keepers_make_good_what_the_reset_loses() -> None:
    trains, given = random_trains()
    alone, _ = counts(trains, kept=False, held=False)
    kept, _ = counts(trains, kept=True, held=False)
    assert (given - alone).max() > 3  # a spike of four loses up to a third of a threshold
    assert (kept <= given + 1e-9).all()
    assert (given - kept).max() < 3  # two in the keeper, and what its own resets lose
    assert ((given - kept) ** 2).mean() < 0.5 * ((given - alone) ** 2).mean()


def test_a_pool_that_holds_its_sources_back_sends_the_largest() -> None:
    trains, given = random_trains()
    largest = given.reshape(40, 3, 4).max(axis=2)
    _, union = counts(trains, kept=False, held=False)
    _, held = counts(trains, kept=False, held=True)
    _, race = counts(trains, kept=True, held=True)
    errors = [np.mean((sent - largest) ** 2) for sent in (union, held, race)]
    assert errors[1] < 0.2 * errors[0]
    assert errors[2] < 0.5 * errors[1]
    assert np.abs(race - largest).max() < 3


def pooled() -> Ann:
    """A convolution, a max pool of 2 x 2, a readout."""
    rng = np.random.default_rng(1)
    layers = (
        AnnLayer("conv", rng.normal(size=(1, 3, 3, 3)) / 2, np.zeros(3), "relu", (8, 8, 1), (8, 8, 3),
                 padding=(1, 1, 1, 1)),
        AnnLayer("pool", np.ones((1, 2, 2, 3)), np.zeros(3), "max", (8, 8, 3), (4, 4, 3), stride=(2, 2), groups=3),
        AnnLayer("scores", rng.normal(size=(48, 3)) / 4, np.zeros(3), "identity", (4, 4, 3), (3,)),
    )  # fmt: skip
    return Ann("pooled", (8, 8, 1), layers, None, np.arange(64))


def images(count: int) -> np.ndarray:
    """(count, 8, 8, 1) sums of a few waves, from 0 to 1."""
    rng, line = np.random.default_rng(count), np.arange(8)
    y, x, start = rng.uniform(0.2, 1.2, (3, count, 1, 1))
    return (0.5 + 0.5 * np.sin(y * line[:, None] + x * line + 6 * start))[..., None]


def error(pool: Literal["or", "race"], x: np.ndarray) -> float:
    conversion = convert(pooled(), "loihi1", calibration=x[:60], ticks=32, pool=pool)
    assert crosscheck(conversion.program, x[60:61], reference="twin").equal
    assert pool == "or" or crosscheck(conversion.program, x[60:61], reference="brian2").equal
    made = {placed.name: placed.neurons.size for placed in conversion.program.populations}
    assert made == {"conv": 192, "pool": 48, "scores": 3} | ({"conv_keeper": 192} if pool == "race" else {})
    got, wanted = emulate(conversion.program, x[60:]).outputs, conversion.ann.predict(x[60:])
    return float(np.mean((got - wanted) ** 2) / np.mean((wanted - wanted.mean(axis=0)) ** 2))


def test_the_maximum_on_the_chip(monkeypatch: pytest.MonkeyPatch) -> None:
    x = images(90)
    held, race = error("or", x), error("race", x)
    monkeypatch.setattr(races, "can_hold_back", lambda profile: False)
    union = error("or", x)
    assert held < 0.5 * union
    assert race < 0.7 * held


def test_costs_are_those_of_the_network() -> None:
    ann = pooled()
    for cost in explain(ann, "loihi1").pools:
        found = explain(ann, "loihi1", pool=cost.pool)
        plain = explain(
            Ann("plain", (8, 8, 1), (ann.layers[0], dense_behind()), None, np.arange(64)), "loihi1"
        )
        neurons, synapses = ([sum(getattr(layer, what) for layer in one.layers) for one in (found, plain)]
                             for what in ("neurons", "synapses"))  # fmt: skip
        behind = [
            next(layer.synapses for layer in one.layers if layer.name == "scores") for one in (found, plain)
        ]
        assert neurons[0] - neurons[1] == cost.neurons
        assert (synapses[0] - behind[0]) - (synapses[1] - behind[1]) == cost.synapses


def dense_behind() -> AnnLayer:
    return AnnLayer("scores", np.ones((192, 3)), np.zeros(3), "identity", (8, 8, 3), (3,))


def test_a_race_that_cannot_be_is_refused() -> None:
    ann, x = pooled(), images(20)
    overlapping = AnnLayer("pool", np.ones((1, 3, 3, 3)), np.zeros(3), "max", (8, 8, 3), (4, 4, 3), stride=(2, 2),
                           padding=(1, 1, 0, 0), groups=3)  # fmt: skip
    other = Ann("overlapping", (8, 8, 1), (ann.layers[0], overlapping, ann.layers[2]), None, np.arange(64))
    with pytest.raises(FitError, match="layer 'pool'.*cannot race.*use pool=\"tree\""):
        convert(other, "loihi1", calibration=x, pool="race")
    with pytest.raises(FitError, match="not reset to zero"):
        convert(ann, "ideal", calibration=x, pool="race")
    assert [cost.pool for cost in explain(other, "loihi1").pools] == ["tree", "or"]
    assert [cost.pool for cost in explain(ann, "loihi1").pools] == ["tree", "race", "or"]
