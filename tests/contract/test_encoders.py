"""Laws of the encoders, and the same input for whoever runs the program."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeloom import _core
from spikeloom.emulation.emulate import emulate
from spikeloom.emulation.encoding import encode
from spikeloom.emulation.inputs import encoded_inputs
from spikeloom.errors import EmulationError, NetworkError
from spikeloom.network.network import SpikingNetwork
from spikeloom.placement.place import place
from spikeloom.program.program import ChipProgram

HALF = Fraction(1, 2)
UNIT = st.floats(0, 1, width=64)


@given(UNIT, st.integers(1, 300))
def test_rate_has_made_the_exact_number_of_spikes_after_every_tick(x: float, ticks: int) -> None:
    spikes = encode([[x]], "rate", None, ticks).ravel().astype(int)
    exact = Fraction(x)
    assert np.cumsum(spikes).tolist() == [floor(HALF + k * exact) for k in range(1, ticks + 1)]
    assert set(spikes.tolist()) <= {0, 1}


@pytest.mark.parametrize(
    "x", [Fraction(1, 2), Fraction(1, 6), Fraction(3, 14), Fraction(5, 18), Fraction(1, 10)]
)
def test_rate_is_exact_where_a_product_is_next_to_a_half(x: Fraction) -> None:
    for value in (np.nextafter(float(x), 0), float(x), np.nextafter(float(x), 1)):
        spikes = encode([[value]], "rate", None, 100).ravel().astype(int)
        assert np.cumsum(spikes).tolist() == [floor(HALF + k * Fraction(float(value))) for k in range(1, 101)]


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=6), st.floats(0.1, 3))
@settings(max_examples=50)
def test_signed_channels_are_pairs_of_which_one_is_silent(values: list[float], scale: float) -> None:
    both = encode([values], "rate", scale, 20, signed=True)[0].reshape(20, -1, 2)
    assert not (both[:, :, 0].any(axis=0) & both[:, :, 1].any(axis=0)).any()
    x = np.clip(np.array(values) * scale, -1, 1)
    assert np.array_equal(both[:, :, 0], encode([np.maximum(x, 0)], "rate", None, 20)[0])
    assert np.array_equal(both[:, :, 1], encode([np.maximum(-x, 0)], "rate", None, 20)[0])


@given(UNIT, st.integers(1, 16))
def test_bit_planes_add_up_to_the_rounded_value(x: float, planes: int) -> None:
    spikes = encode([[x]], "bits", None, 3, planes=planes)[0]
    assert (spikes == spikes[0]).all() and spikes.max() <= 1
    value = float(spikes[0] @ 2.0 ** -np.arange(1, planes + 1))
    assert value == min(np.rint(x * 2**planes), 2**planes - 1) / 2**planes
    assert abs(value - x) <= 2.0**-planes


@given(UNIT, st.integers(0, 2**32 - 1), st.integers(0, 1000))
@settings(max_examples=50)
def test_bernoulli_follows_the_words_of_its_counter(x: float, trial_seed: int, sample: int) -> None:
    spikes = encode([[x, x]], "bernoulli", None, 4, trial_seed=trial_seed, first_sample=sample, first_line=5)[
        0
    ]
    for tick in range(4):
        for line in range(2):
            index = 5 + line
            word = _core.philox([index >> 2, tick, sample, 0], [trial_seed, 1])[index & 3]
            assert spikes[tick, line] == (word < x * 2**32)


def test_bernoulli_has_its_probability() -> None:
    spikes = encode(np.tile([[0.0, 0.25, 0.9, 1.0]], (50, 1)), "bernoulli", None, 400, trial_seed=3)
    assert spikes[:, :, 0].max() == 0 and spikes[:, :, 3].min() == 1
    # 20000 draws: five standard errors
    assert abs(spikes[:, :, 1].mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / 20000)
    assert abs(spikes[:, :, 2].mean() - 0.9) < 5 * np.sqrt(0.9 * 0.1 / 20000)


def program(encoding: str, **options: object) -> ChipProgram:
    network = SpikingNetwork("ideal")
    lines = 6 * int(options.get("planes", 1)) * (2 if options.get("signed") else 1)
    source = network.input("in", lines, encoding=encoding, **options)
    target = network.population("out", 2, vth=1.0)
    network.connect(source, target, np.random.default_rng(1).normal(size=(lines, 2)))
    network.output(target)
    return place(network, ticks=12)


@pytest.mark.parametrize(
    ("encoding", "options"),
    [
        ("rate", {}),
        ("rate", {"signed": True, "scale": 0.5}),
        ("bits", {"planes": 4}),
        ("bernoulli", {"signed": True}),
    ],
)
def test_a_run_gets_exactly_the_encoded_spikes(encoding: str, options: dict) -> None:
    made = program(encoding, **options)
    x = np.random.default_rng(2).uniform(-1 if options.get("signed") else 0, 1, (5, 6))
    spikes = encoded_inputs(made, x, trial_seed=7).spikes
    assert spikes.shape == (5, 12, made.n_inputs) and spikes.any()
    direct = encode(x, encoding, options.get("scale"), 12, signed=bool(options.get("signed")),
                    planes=int(options.get("planes", 1)), trial_seed=7)  # fmt: skip
    assert np.array_equal(spikes, direct)
    recording = emulate(made, x, trial_seed=7)
    assert recording.events["input_spikes"].tolist() == spikes.sum(axis=(1, 2)).tolist()
    assert recording.notes == ()


def test_a_sample_draws_by_its_row_whatever_the_chunk() -> None:
    made = program("bernoulli")
    x = np.full((40, 6), 0.5)
    whole = encoded_inputs(made, x, trial_seed=1).spikes
    assert len({sample.tobytes() for sample in whole}) == 40
    assert np.array_equal(encoded_inputs(made, x[:3], trial_seed=1).spikes, whole[:3])
    assert not np.array_equal(encoded_inputs(made, x, trial_seed=2).spikes, whole)
    one, many = (emulate(made, x, trial_seed=1, threads=n).events["input_spikes"] for n in (1, 7))
    assert one.tolist() == many.tolist() == whole.sum(axis=(1, 2)).tolist()


def test_clipped_values_are_counted() -> None:
    x = np.full((3, 6), 0.5)
    x[0, :2], x[2, 5] = 1.5, -0.25
    recording = emulate(program("rate"), x)
    assert recording.notes == ("input in: 3 of 18 values were clipped to the encoder's range",)
    assert np.array_equal(recording.outputs, emulate(program("rate"), np.clip(x, 0, 1)).outputs)
    signed = emulate(program("rate", signed=True), np.full((1, 6), -1.5))
    assert signed.notes == ("input in: 6 of 6 values were clipped to the encoder's range",)


def test_images_are_flattened_row_by_row() -> None:
    made = program("rate")
    x = np.random.default_rng(3).random((2, 3, 2))
    assert np.array_equal(emulate(made, x).outputs, emulate(made, x.reshape(2, 6)).outputs)


def test_constant_lines_send_whatever_the_sample_and_take_no_value() -> None:
    network = SpikingNetwork("ideal")
    values = network.input("in", 2, encoding="rate")
    lines = network.input("bias", 2, encoding="constant", scale=[3, 0.5])
    target = network.population("out", 1, vth=1.0)
    network.connect(values, target, [[0.0], [0.0]])
    network.connect(lines, target, [[1.0], [2.0]])
    network.output(target, read="v")
    made = place(network, ticks=4)
    for inputs in (np.zeros((2, 2)), {"in": np.ones((2, 2))}):
        spikes = encoded_inputs(made, inputs).spikes
        assert (spikes[:, :, 2:] == [[3, 1], [3, 0], [3, 1], [3, 0]]).all()
    with pytest.raises(EmulationError, match="one array for each input"):
        encoded_inputs(made, {"in": np.zeros((2, 2)), "bias": np.zeros((2, 2))})
    for refused in ({"scale": None}, {"scale": 0.0}, {"scale": 256}, {"scale": 1, "signed": True}):
        with pytest.raises(NetworkError, match="takes no values|out of range"):
            network.input("more", 2, encoding="constant", **refused)


def test_an_encoder_refuses_what_it_cannot_show() -> None:
    for values, named in (([1.0], "samples, channels"), ([[np.nan]], "NaN"), ([[np.inf]], "NaN or infinity")):
        with pytest.raises(EmulationError, match=named):
            encode(values, "rate", None, 4)
    with pytest.raises(EmulationError, match="trial_seed"):
        encode([[0.5]], "bernoulli", None, 4, trial_seed=-1)
    with pytest.raises(EmulationError, match="morse: is unknown"):
        encode([[0.5]], "morse", None, 4)  # type: ignore[arg-type]
    with pytest.raises(EmulationError, match="values from 0 to 1"):
        _core.encode_rate(np.array([[1.5]]), np.zeros((1, 2, 1), dtype=np.uint8), 0)
    with pytest.raises(EmulationError, match="needs x"):
        _core.encode_rate(np.array([[0.5, 0.5]]), np.zeros((1, 2, 1), dtype=np.uint8), 0)
