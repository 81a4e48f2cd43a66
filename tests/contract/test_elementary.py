"""exp, log and the normal numbers: how near to the truth, and the same bits wherever they run."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from scipy.special import ndtri
from spikeloom import _core
from spikeloom.errors import EmulationError
from spikeloom.reference.twin import elementary as twin_elementary
from tolerances import ELEMENTARY, NORMAL_NUMBER

LEVELS = ("baseline", "v3", "v4")
# SHA-256 of the bits of the functions at `arguments()`, the same on every machine.
HASHES = {
    "exp": "154a3815417646c0c44d24108ae0ee27e53fc4ae9b543475bf89ce0f04def521",
    "log": "ff442163071d8d52c13ba3799d7c04c0bed7a658d8b4c98b81ded5530c437e42",
    "normal": "e8c7a17c88e1396e59880d96166ab6f6e17f7501b611b5fb38101c6aa303a6f1",
}


def arguments(name: str) -> np.ndarray:
    """Values over the whole range, made from integers alone, so that every machine has the same."""
    steps = np.arange(40001, dtype=np.int64)
    if name == "normal":
        edges = np.array([0, 1, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1], dtype=np.int64)
        return np.concatenate([edges, steps * 107371 % 2**32]).astype(np.uint32)
    if name == "log":
        return np.ldexp(1.0 + steps % 4093 / 4093, (steps % 2045 - 1022).astype(np.int32))
    return (steps - 20000) / 20000 * 708


@pytest.mark.parametrize("name", HASHES)
def test_every_kernel_level_gives_the_known_bits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = 0
    for level in LEVELS:
        monkeypatch.setenv("SPIKELOOM_KERNELS", level)
        try:
            bits = getattr(_core, name)(arguments(name)).tobytes()
        except EmulationError:  # this processor lacks the level
            continue
        seen += 1
        assert hashlib.sha256(bits).hexdigest() == HASHES[name]
    assert seen > 0


@pytest.mark.parametrize("name", HASHES)
def test_the_twin_has_the_same_bits(name: str) -> None:
    values = arguments(name)[:4000]
    own = [getattr(twin_elementary, name)(value.item()) for value in values]
    assert (np.array(own) == getattr(_core, name)(values)).all()


def test_exp_and_log_are_right_to_the_last_bits() -> None:
    x, y = arguments("exp"), arguments("log")
    assert np.abs(_core.exp(x) / np.exp(x) - 1.0).max() < ELEMENTARY
    assert (np.abs(_core.log(y) - np.log(y)) <= ELEMENTARY * np.abs(np.log(y))).all()
    near = 1.0 + np.linspace(-0.2, 0.2, 2001)
    assert (np.abs(_core.log(near) - np.log(near)) <= ELEMENTARY * np.abs(np.log(near))).all()


def test_exp_and_log_stop_at_the_ends_of_their_range() -> None:
    ends = _core.exp(np.array([-1e9, -708.0, 709.0, 1e9]))
    assert ends[0] == ends[1] > 0 and ends[2] == ends[3] < np.inf
    assert (_core.log(np.array([0.0, -1.0])) == _core.log(np.array([2.0**-1022]))).all()


def test_normal_numbers_are_those_of_the_normal_distribution() -> None:
    words = arguments("normal")
    lower = (words + 0.5) / 2**32
    exact = np.where(lower < 0.5, ndtri(lower), -ndtri((2**32 - 1 - words.astype(np.float64) + 0.5) / 2**32))
    assert np.abs(_core.normal(words) - exact).max() < NORMAL_NUMBER
    assert 6.3 < _core.normal(np.array([2**32 - 1], dtype=np.uint32))[0] < 6.4
    assert (_core.normal(words) == -_core.normal(2**32 - 1 - words)).all()


def test_words_are_numbered_by_index() -> None:
    words = _core.words((7, 9), (1, 2, 3), 10)
    assert list(words) == [twin_elementary.word((7, 9), index, (1, 2, 3)) for index in range(10)]
    assert list(words[4:8]) == list(_core.philox([1, 1, 2, 3], [7, 9]))
