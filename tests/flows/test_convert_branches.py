"""Do sums, concatenations and max pooling reach the chip, in step with one another, and what do they cost?"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from spikeloom.ann.graph import INPUT, Ann, AnnLayer
from spikeloom.emulation.emulate import emulate
from spikeloom.errors import AnnError, FitError
from spikeloom.flows.conversion.pools.max_pool import wired
from spikeloom.flows.convert import Conversion, convert
from spikeloom.flows.crosscheck import crosscheck
from spikeloom.flows.explain import explain
from spikeloom.profile.catalog import load_profile
from tolerances import SMALL_CONVERSION

RNG = np.random.default_rng(3)


def dense(name: str, n: int, m: int, activation: str = "relu", source: str | None = None) -> AnnLayer:
    weights = np.random.default_rng(n * m).normal(size=(n, m)) / np.sqrt(n)
    return AnnLayer(name, weights, np.full(m, 0.05), activation, (n,), (m,), source=source)


def joined() -> Ann:
    """relu(fc2(a) + a), where a has been through one layer less; then both side by side."""
    skip = AnnLayer("sum", np.eye(6), np.zeros(6), "identity", (6,), (6,), source="a")
    total = dense("sum", 6, 6, source="b")
    total = AnnLayer("sum", total.weights, total.bias, "relu", (6,), (6,), source="b", merged=(skip,))
    last = dense("out", 6, 3, "identity", "sum")
    beside = AnnLayer(
        "out", dense("out", 6, 3).weights[::-1], np.zeros(3), "identity", (6,), (3,), source="a"
    )
    last = AnnLayer("out", last.weights, last.bias, "identity", (6,), (3,), source="sum", merged=(beside,))
    return Ann("joined", (8,), (dense("a", 8, 6), dense("b", 6, 6), total, last), None, np.arange(8))


def pooled(window: int = 2) -> Ann:
    """One convolution, one max pool, a readout."""
    rng, side = np.random.default_rng(1), 8 // window
    layers = (
        AnnLayer("conv", rng.normal(size=(1, 3, 3, 3)) / 2, np.zeros(3), "relu", (8, 8, 1), (8, 8, 3),
                 padding=(1, 1, 1, 1)),
        AnnLayer("pool", np.ones((1, window, window, 3)), np.zeros(3), "max", (8, 8, 3), (side, side, 3),
                 stride=(window, window), groups=3),
        AnnLayer("out", rng.normal(size=(3, 2, 2, 3)) / 3, np.zeros(3), "relu", (side, side, 3),
                 (side - 1, side - 1, 3)),
        dense("scores", 3 * (side - 1) ** 2, 3, "identity"),
    )  # fmt: skip
    layers = (*layers[:3], AnnLayer("scores", layers[3].weights, layers[3].bias, "identity", (side - 1, side - 1, 3),
                                    (3,)))  # fmt: skip
    return Ann("pooled", (8, 8, 1), layers, None, np.arange(64))


def images(count: int) -> np.ndarray:
    """(count, 8, 8, 1) patches of light of different size, place and strength."""
    rng, line = np.random.default_rng(count), np.arange(8)
    y, x, width, strength = rng.uniform([1, 1, 1.0, 0.2], [7, 7, 3.0, 1.0], (count, 4)).T[:, :, None]
    rows, columns = (np.exp(-(((line - centre) / width) ** 2)) for centre in (y, x))
    return (strength[..., None] * rows[:, :, None] * columns[:, None, :])[..., None]


def error(conversion: Conversion, x: np.ndarray) -> float:
    got, wanted = emulate(conversion.program, x).outputs, conversion.ann.predict(x)
    return float(np.mean((got - wanted) ** 2) / np.mean((wanted - wanted.mean(axis=0)) ** 2))


def test_branches_meet_in_step() -> None:
    x = RNG.uniform(0, 1, (300, 8))
    conversion = convert(joined(), "loihi1", calibration=x[:250], ticks=32)
    assert error(conversion, x[250:]) < SMALL_CONVERSION
    program = conversion.program
    assert [placed.depth for placed in program.populations] == [0, 1, 2, 3]
    assert [(p.source, p.target) for p in conversion.network.projections][2:] == [
        ("b", "sum"), ("a", "sum"), ("sum", "out"), ("a", "out")]  # fmt: skip
    assert crosscheck(program, x[250:252], reference="twin").equal
    assert crosscheck(program, x[250:251], reference="brian2").equal


def test_max_pooling_on_the_chip() -> None:
    """As a tree; the other forms are in test_races.py."""
    x = images(200)
    conversion = convert(pooled(), "loihi1", calibration=x[:160], ticks=32)
    assert error(conversion, x[160:]) < SMALL_CONVERSION
    neurons = {placed.name: placed.neurons.size for placed in conversion.program.populations}
    made = {name: size for name, size in neurons.items() if name.startswith("pool")}
    windows = 4 * 4 * 3
    assert made == {"pool_1": windows, "pool_1_more": windows, "pool_2": windows}
    assert [fit.name for fit in conversion.layers] == ["conv", "out", "scores"]
    assert crosscheck(conversion.program, x[160:161], reference="twin").equal


@pytest.mark.parametrize("window", [2, 4, 8])
def test_a_tree_is_the_maximum_in_numbers(window: int) -> None:
    """Its neurons as rectifiers of numbers, and the sum of its terms."""
    ann = pooled(window) if window < 8 else None
    side = 8 // window
    pool = ann.layers[1] if ann else AnnLayer(
        "pool", np.ones((1, 8, 8, 3)), np.zeros(3), "max", (8, 8, 3), (1, 1, 3), stride=(8, 8), groups=3)  # fmt: skip
    x = RNG.uniform(0, 1, (4, 192))
    values = {"conv": x}
    made, terms = wired(pool, "conv", "tree")
    for layer in made:
        values[layer.name] = np.maximum(layer.drive(values), 0.0)
    assert sum(layer.n_outputs for layer in made) == (window * window - 1) * 3 * side * side
    assert len(terms) == 1 + int(np.log2(window * window))
    total = x.reshape(4, 8, 8, 3)[:, ::window, ::window].reshape(4, -1) + sum(
        values[t.name] for t in terms[1:]
    )
    np.testing.assert_allclose(total, pool.preactivation(x))


def overlapping() -> AnnLayer:
    """Windows of 3 x 3 every two pixels, padded at one end: the last one reaches beyond the image, too."""
    return AnnLayer("pool", np.ones((1, 3, 3, 3)), np.zeros(3), "max", (8, 8, 3), (4, 4, 3), stride=(2, 2),
                    padding=(1, 1, 0, 0), groups=3)  # fmt: skip


@pytest.mark.parametrize("pool", ["tree", "or"])
def test_windows_that_overlap_are_the_maximum_in_numbers(pool: Literal["tree", "or"]) -> None:
    values = {"conv": RNG.uniform(0, 1, (4, 192))}
    made, terms = wired(overlapping(), "conv", pool)
    if pool == "or":  # a neuron that any of its sources fires: here every source counts once
        [one], image = made, values["conv"].reshape(4, 8, 8, 3)
        padded = np.pad(image, ((0, 0), (1, 0), (1, 0), (0, 0)))
        sums = sum(padded[:, y : y + 7 : 2, x : x + 7 : 2] for y in range(3) for x in range(3))
        np.testing.assert_allclose(one.drive(values), sums.reshape(4, -1))  # type: ignore[union-attr]
        return
    for layer in made:
        values[layer.name] = np.maximum(layer.drive(values), 0.0)
    assert [term.name for term in terms] == ["pool_0", "pool_1", "pool_2", "pool_3", "pool_4"]
    total = sum(values[term.name] for term in terms)
    np.testing.assert_allclose(total, overlapping().preactivation(values["conv"]))


def test_windows_that_overlap_on_the_chip() -> None:
    plain, x = pooled(), images(120)
    ann = Ann(
        "overlapping", (8, 8, 1), (plain.layers[0], overlapping(), *plain.layers[2:]), None, np.arange(64)
    )
    conversion = convert(ann, "loihi1", calibration=x[:100], ticks=64)
    assert error(conversion, x[100:]) < SMALL_CONVERSION
    assert crosscheck(conversion.program, x[100:101], reference="twin").equal
    [tree, union] = explain(ann, "loihi1").pools
    assert (tree.neurons, union.neurons) == (9 * 48, 48)  # one more a window than the windows of a tiling


def test_a_pool_adds_up_on_a_neuron_that_is_not_reset_to_zero() -> None:
    with pytest.raises(FitError, match="not reset to zero"):
        convert(pooled(), "ideal", calibration=RNG.uniform(0, 1, (20, 8, 8, 1)), pool="or")


def test_what_cannot_be_carried_is_refused_by_the_layers_name() -> None:
    first = dense("a", 8, 6)
    twice = dense("out", 8, 6, "identity", INPUT)
    behind = AnnLayer("out", np.eye(6), np.zeros(6), "identity", (6,), (6,), source="a", merged=(twice,))
    both = Ann("both", (8,), (first, behind), None, np.arange(8))
    with pytest.raises(AnnError, match="layer 'out': takes the network's input, as another layer does"):
        convert(both, "loihi1", calibration=RNG.uniform(0, 1, (20, 8)))
    assert not explain(both, "loihi1").fits


@pytest.mark.parametrize(
    ("chip", "relays"), [("open_core 0", ["a_relay_1", "a_relay_2"]), ("loihi1 1", ["a_relay_1"])]
)
def test_a_branch_beyond_the_delays_goes_through_relays(chip: str, relays: list[str]) -> None:
    name, longest = chip.split()
    profile = load_profile(name, override={"time.delay_max": int(longest)})
    x = RNG.uniform(0, 1, (100, 8))
    conversion = convert(joined(), profile, calibration=x[:80], ticks=32)
    made = [placed.name for placed in conversion.program.populations]
    assert [name for name in made if "relay" in name] == relays
    assert error(conversion, x[80:]) < SMALL_CONVERSION
    assert crosscheck(conversion.program, x[80:82], reference="twin").equal
    found = explain(joined(), profile)
    assert found.fits
    assert [layer.name for layer in found.layers] == made
