"""Is every value of a network checked against the profile when it is added, and kept unchanged afterwards?"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import (
    bsr_array,
    coo_array,
    csc_array,
    csr_array,
    csr_matrix,
    dia_array,
    dok_array,
    lil_array,
)
from small_networks import IDEAL, LOIHI, ones, small
from spikeloom.errors import NetworkError, ProfileError
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.projection import Convolution
from spikeloom.profile.catalog import load_profile
from spikeloom.profile.weights import effective_weights, weight_levels

ONE_AXON_DELAY = load_profile("loihi1", override={"time.delay_scope": "axon"})
NO_DELAY = load_profile("loihi1", override={"time.delay_scope": "none", "time.delay_max": 0})


def test_delays_belong_to_what_the_profile_says() -> None:
    network, source, target = small(ONE_AXON_DELAY)
    per_row = np.arange(4)[:, None] + np.zeros((4, 3), dtype=int)
    network.connect(source, target, ones(4, 3), delays=per_row)
    network.connect(source, target, csr_array(np.eye(4, 3, dtype=int)), delays=[1, 2, 3])
    for delays in (per_row.T[:, :3].repeat(2, axis=0)[:4, [0, 1, 1]] + np.arange(3),):
        with pytest.raises(NetworkError, match="several delays in one row"):
            network.connect(source, target, ones(4, 3), delays=delays)
    with pytest.raises(NetworkError, match="several delays in one row"):
        network.connect(source, target, csr_array(ones(4, 3)), delays=np.arange(12))
    network, source, target = small(NO_DELAY)
    with pytest.raises(NetworkError, match="delay is out of range; got 1, limit 0 to 0"):
        network.connect(source, target, ones(4, 3), delays=1)


def test_a_profile_is_known_by_name() -> None:
    assert SpikingNetwork("loihi1").profile == LOIHI
    with pytest.raises(ProfileError):
        SpikingNetwork("loihi7")


def test_defaults_fill_what_is_not_given() -> None:
    _, _, target = small()
    assert {name: values.tolist() for name, values in target.params.items()} == {
        "decay_u": [4095] * 3, "decay_v": [0] * 3, "vth": [10] * 3, "bias": [0] * 3, "bias_exp": [0] * 3,
        "refractory": [1] * 3, "vmin": [23] * 3, "vmax": [7] * 3,
    }  # fmt: skip
    assert all(values.dtype == np.int32 for values in target.params.values())
    _, _, target = small(IDEAL)
    assert target.params["vth"].dtype == np.float64
    assert target.init["v"].tolist() == [0.0] * 3


def test_whole_floats_are_codes() -> None:
    network, source, target = small()
    network.connect(source, target, np.full((4, 3), 7.0), w_exp=2.0, delays=np.full((4, 3), 3.0))
    assert network.projections[0].weights.dtype == np.int32
    assert network.projections[0].shared["w_exp"].tolist() == [2]


def test_a_chip_of_real_weights_takes_real_weights() -> None:
    network, source, target = small(IDEAL)
    network.connect(source, target, np.full((4, 3), 0.25))
    assert network.projections[0].weights.dtype == np.float64
    assert network.projections[0].modes == ()
    with pytest.raises(NetworkError, match="weight is not finite at index 0, 0; got inf"):
        network.connect(source, target, np.full((4, 3), np.inf))
    with pytest.raises(NetworkError, match="no weight mode mixed; known: none"):
        network.connect(source, target, np.ones((4, 3)), mode="mixed")


def test_arrays_are_copied_and_read_only() -> None:
    network, source, target = small()
    codes, delays = np.ones((4, 3), dtype=np.int32), np.zeros((4, 3), dtype=np.int32)
    exponents, threshold = np.array([1, 2, 1], dtype=np.int32), np.array([1, 2], dtype=np.int32)
    scale = np.array([1.0, 2.0])
    network.connect(source, target, codes, delays=delays, w_exp=exponents)
    other = network.population("other", 2, vth=threshold)
    network.output(other, scale=scale)
    for array in (codes, delays, exponents, threshold, scale):
        array[...] = 9
    projection = network.projections[0]
    assert projection.weights.max() == 1
    assert projection.delays.max() == 0  # type: ignore[union-attr]
    assert projection.shared["w_exp"][projection.formats].tolist() == [1, 2, 1]
    assert other.params["vth"].tolist() == [1, 2]
    assert network.readouts[0].scale.tolist() == [1.0, 2.0]
    kept = [projection.weights, projection.delays, projection.formats, *projection.shared.values()]
    for array in (*kept, *other.params.values(), network.readouts[0].scale, network.readouts[0].offset):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 1  # type: ignore[index]
    with pytest.raises(TypeError):
        network.populations["new"] = other  # type: ignore[index]


@pytest.mark.parametrize(
    "form", [csr_array, csc_array, coo_array, lil_array, dok_array, bsr_array, dia_array, csr_matrix]
)
def test_every_sparse_form_is_the_same_matrix(form: Callable[[np.ndarray], object]) -> None:
    codes = np.array([[0, 2, 0], [4, 0, 6], [0, 0, 0], [8, 0, 0]])
    network, source, target = small()
    network.connect(source, target, form(codes))
    stored = network.projections[0].weights
    assert isinstance(stored, csr_array)
    assert stored.has_canonical_format
    assert (stored.toarray() == codes).all()
    for array in (stored.data, stored.indices, stored.indptr):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_delays_of_a_sparse_matrix_go_with_its_data_or_its_places() -> None:
    codes = coo_array(([2, 4, 6], ([3, 0, 0], [0, 2, 1])), shape=(4, 3))
    dense = np.zeros((4, 3), dtype=int)
    dense[[3, 0, 0], [0, 2, 1]] = [1, 2, 3]
    network, source, target = small()
    network.connect(source, target, codes, delays=[1, 2, 3])
    network.connect(source, target, codes, delays=dense)
    for projection in network.projections:
        assert projection.weights.data.tolist() == [6, 4, 2]  # type: ignore[union-attr]
        assert projection.delays.tolist() == [3, 2, 1]  # type: ignore[union-attr]


def test_a_stored_zero_is_a_synapse() -> None:
    network, source, target = small()
    network.connect(source, target, csr_array(([0], ([1], [1])), shape=(4, 3)))
    assert network.projections[0].weights.data.tolist() == [0]  # type: ignore[union-attr]


def test_each_format_finds_its_own_mode() -> None:
    network, source, target = small()
    network.connect(source, target, [[1, -1, 2], [0, -3, -2], [0, 0, 0], [255, -255, 254]], w_exp=[0, 1, 2])
    projection = network.projections[0]
    assert [projection.modes[k] for k in projection.formats] == ["excitatory", "inhibitory", "mixed"]
    with pytest.raises(NetworkError, match="no weight mode holds all the weights; got -255 to 255"):
        network.connect(source, target, [[1, -1, 2], [0, -3, -2], [0, 0, 0], [255, -255, 254]], w_exp=1)


def test_formats_of_rows_and_channels() -> None:
    network, source, _ = small()
    target = network.population("t", 6, vth=1)
    network.connect(
        source, target, Convolution(ones(2, 1, 1, 3), (1, 2, 2)), w_exp=np.array([1, 3]).reshape(2, 1, 1, 1)
    )
    network.connect(source, target, Convolution(ones(2, 1, 1, 3), (1, 2, 2)), w_exp=[1, 0, 1])
    rows, channels = network.projections
    assert rows.shared["w_exp"][rows.formats].ravel().tolist() == [1, 3]
    assert channels.shared["w_exp"][channels.formats].tolist() == [1, 0, 1]


@settings(deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["excitatory", "inhibitory", "mixed"]),
    st.sampled_from([8, 6, 4, 2]),
)
def test_a_mode_holds_its_levels_and_nothing_else(seed: int, mode: str, bits: int) -> None:
    profile = load_profile("loihi1", override={"weights.bits": bits})
    levels = weight_levels(profile.weights, mode)
    rng = np.random.default_rng(seed)
    codes = rng.integers(levels.low // levels.step, levels.high // levels.step + 1, (4, 3)) * levels.step
    network, source, target = small(profile)
    network.connect(source, target, codes, mode=mode)
    assert network.projections[0].modes == (mode,)
    wrong = codes.copy()
    wrong[rng.integers(4), rng.integers(3)] = rng.choice(
        [levels.low - levels.step, levels.high + levels.step]
    )
    with pytest.raises(NetworkError, match="no weight mode holds"):
        network.connect(source, target, wrong, mode=mode)
    if levels.step > 1:
        wrong = codes.copy()
        wrong[rng.integers(4), rng.integers(3)] = levels.low + rng.integers(1, levels.step)
        with pytest.raises(NetworkError, match="no weight mode holds"):
            network.connect(source, target, csr_array(wrong), mode=mode)


@pytest.mark.parametrize("bits", [8, 7, 5, 3, 1])
def test_levels_are_the_codes_that_truncation_leaves(bits: int) -> None:
    """The contract of `Weights`: multiples of 2^(mantissa_bits - bits + sign_bit) from min to max."""
    weights = load_profile("loihi1", override={"weights.bits": bits}).weights if bits > 1 else LOIHI.weights
    for mode in weights.mode:
        step = 2 ** ((weights.mantissa_bits or 0) - (weights.bits or 0) + mode.sign_bit)
        every = [code for code in range(mode.min, mode.max + 1) if code % step == 0]
        levels = weight_levels(weights, mode.name)
        assert list(range(levels.low, levels.high + 1, levels.step)) == every
    with pytest.raises(ProfileError, match="weight mode loud: does not exist"):
        weight_levels(weights, "loud")


@given(st.integers(-256, 255), st.integers(-7, 7))
def test_effective_weights_follow_the_formula(code: int, exponent: int) -> None:
    """clip(fl(m 2^(unit_shift + w_exp) / 2^unit_shift) 2^unit_shift, -clip, clip), in exact rationals."""
    weights = LOIHI.weights
    exact = (
        code
        * 2 ** (weights.unit_shift + exponent + 7)
        // 2 ** (weights.unit_shift + 7)
        * 2**weights.unit_shift
    )
    limit = weights.clip or 0
    found = effective_weights(weights, code, {"w_exp": exponent})
    assert found == max(-limit, min(limit, exact))


def test_a_network_can_be_copied_and_sent() -> None:
    network, source, target = small()
    network.connect(source, target, ones(4, 3))
    for twin in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert list(twin.populations) == ["x", "n"]
        twin.connect(twin.populations["x"], twin.populations["n"], ones(4, 3))
        assert len(twin.projections) == 2
    assert len(network.projections) == 1


def test_a_free_register_starts_where_the_network_says() -> None:
    profile = load_profile("loihi1", override={"state.v.init": "free"})
    network = SpikingNetwork(profile)
    assert network.population("a", 2, vth=1, init={"v": [5, -6]}).init["v"].tolist() == [5, -6]
    assert network.population("b", 2, vth=1, init={"v": -(2**31)}).init["v"].tolist() == [-(2**31)] * 2
    with pytest.raises(
        NetworkError, match="population c: v is out of range; got 2147483648, limit -2147483648 to"
    ):
        network.population("c", 2, vth=1, init={"v": 2**31})
    with pytest.raises(NetworkError, match="no free register w; known: v"):
        network.population("c", 2, vth=1, init={"w": 1})
    with pytest.raises(NetworkError, match="v is not finite"):
        SpikingNetwork("ideal").population("c", 2, init={"v": np.nan})
