"""A small program with everything a file can hold, and ways to take its file apart and to forge another."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array
from spikeloom.errors import ProgramError
from spikeloom.network.network import SpikingNetwork
from spikeloom.network.projection import Convolution
from spikeloom.placement.place import place
from spikeloom.program.program import ChipProgram
from spikeloom.program.storage import MANIFEST, load_program, sealed, zipped

Change = Callable[[dict[str, Any], dict[str, bytes]], object]


def example(profile: str = "loihi1", seed: int = 0) -> ChipProgram:
    """A small program with every kind of part that a file can hold."""
    rng = np.random.default_rng(seed)
    network = SpikingNetwork(profile)
    analog = network.profile.is_analog

    def codes(*shape: int) -> np.ndarray:
        return rng.normal(size=shape) if analog else rng.integers(-127, 127, shape) * 2

    pixels = network.input("pixels", 16, encoding="rate", scale=0.25)
    values = network.input("values", 4, encoding="current", signed=True)
    first = network.population("first", 18, **({} if analog else {"vth": 5}))
    second = network.population("second", int(rng.integers(1, 4)), **({} if analog else {"vth": 7}))
    network.connect(pixels, first, Convolution(codes(1, 2, 2, 2), (4, 4, 1)))
    shape = (18, second.size)
    sparse = csr_array(np.where(rng.random(shape) < 0.5, 0, codes(*shape)))
    network.connect(first, second, sparse, delays=rng.integers(0, 3, shape))
    network.connect(first, first, codes(18, 18), **({} if analog else {"w_exp": rng.integers(0, 2, 18)}))
    network.host_layer(values, second, rng.normal(size=(2, second.size)), bias=0.5)
    network.output(second, read="v", scale=rng.normal(size=second.size))
    report = {"layers": [{"name": "first", "loss": 0.125, "bound": None}], "seed": seed, "µ": "ü"}
    return replace(place(network, ticks=9), report=report, chip_seed=seed or None)


def same(one: Any, other: Any) -> bool:
    """Equal in every value, type and shape."""
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, csr_array):
        parts = ("data", "indices", "indptr")
        return one.shape == other.shape and all(same(getattr(one, p), getattr(other, p)) for p in parts)
    if is_dataclass(one):
        return type(one) is type(other) and all(
            same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one)
        )
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def intact_file(folder: Path) -> bytes:
    """The file of the example."""
    example().save(folder / "net.spikeloom")
    return (folder / "net.spikeloom").read_bytes()


def refusal(path: Path, content: bytes) -> ProgramError:
    """The error for this content; it is one line and names the file."""
    path.write_bytes(content)
    with pytest.raises(ProgramError) as caught:
        load_program(path)
    assert str(path) in caught.value.subject
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000
    return caught.value


def members_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def forged(content: bytes, change: Change) -> bytes:
    """The file with its manifest and members changed and everything that protects them made to match."""
    members = members_of(content)
    manifest = json.loads(members.pop(MANIFEST))
    change(manifest, members)
    return sealed(zipped({MANIFEST: json.dumps(manifest).encode(), **members}))


def with_array(name: str, array: np.ndarray, loaded: str | None = None) -> Change:
    """A change that puts this array in, listed correctly."""

    def change(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, array, (1, 0))
        members[name] = buffer.getvalue()
        entry = manifest["members"].setdefault(name, {"as": "<i4"})
        entry |= {
            "dtype": array.dtype.str,
            "shape": list(array.shape),
            "sha256": hashlib.sha256(members[name]).hexdigest(),
        }
        entry["as"] = loaded or entry["as"]

    return change


def spoiling(name: str, place: int, value: int) -> Change:
    """A change of one number of an array, listed correctly."""

    def change(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        array = np.load(io.BytesIO(members[name])).astype(np.int32)
        array[place] = value
        with_array(name, array)(manifest, members)

    return change


def setting(*keys: Any, value: Any) -> Change:
    """A change of one value of the manifest."""

    def change(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        node = manifest
        for key in keys[:-1]:
            node = node[key]
        node[keys[-1]] = value

    return change
