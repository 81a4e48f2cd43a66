"""Is every damaged program file refused in one line, and does nothing half-written stay?"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from program_files import example, intact_file, members_of, refusal, same
from spikeloom.errors import ProgramError
from spikeloom.program.storage import MANIFEST, SEAL, load_program, sealed, zipped

DAMAGES = 3000


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return intact_file(tmp_path_factory.mktemp("intact"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "net.spikeloom"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32 - 1), st.sampled_from(["loihi1", "loihi1:lava", "ideal"]))
def test_a_program_comes_back_as_it_was(tmp_path: Path, seed: int, profile: str) -> None:
    program = example(profile, seed)
    path = tmp_path / "net.spikeloom"
    program.save(path)
    loaded = load_program(path)
    assert same(loaded, program)
    assert loaded.profile.hash == program.profile.hash
    assert list(loaded.profile.regs) == list(program.profile.regs)
    before = path.read_bytes()
    loaded.save(str(path))
    assert path.read_bytes() == before


def test_the_comparison_sees_a_difference() -> None:
    program = example()
    codes = program.arrays.codes.copy()
    codes[3] += 2
    assert not same(program, replace(program, arrays=replace(program.arrays, codes=codes)))
    assert not same(program, replace(program, ticks=8))
    assert not same(
        program, replace(program, arrays=replace(program.arrays, codes=program.arrays.codes.astype(np.int64)))
    )


def test_loaded_arrays_are_read_only(path: Path) -> None:
    example().save(path)
    program = load_program(path)
    for array in (program.arrays.codes, program.arrays.params["vth"], program.outputs[0].scale):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1  # type: ignore[index]


def test_a_file_is_an_ordinary_zip_of_arrays(path: Path) -> None:
    program = example()
    program.save(path)
    with zipfile.ZipFile(path) as archive, archive.open("arrays/axon_weight.npy") as member:
        assert archive.testzip() is None
        assert np.load(member, allow_pickle=False).tolist() == program.arrays.axon_weight.tolist()


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """The content with one random damage."""
    a, b = sorted(int(k) for k in rng.integers(0, len(content), 2))
    block = content[a : a + int(rng.integers(1, 60))]
    spot = int(rng.integers(0, len(content)))
    kind = rng.integers(10)
    if kind == 0:
        return content[:a]
    if kind == 1:
        return content[:a] + content[a + len(block) :]
    if kind == 2:
        return content[:a] + rng.bytes(int(rng.integers(1, 9))) + content[a:]
    if kind == 3:
        return content[:b] + block + content[b:]
    if kind == 4:
        return content[:a] + bytes(len(block)) + content[a + len(block) :]
    if kind == 5:
        return member_swap(content, rng)
    if kind == 6:
        return edited_manifest(content, rng)
    if kind == 7:
        return bytes(rng.permutation(np.frombuffer(content[a:b], np.uint8))).join((content[:a], content[b:]))
    if kind == 8:
        spot = len(content) - 1 - int(rng.integers(0, 400))  # the zip's directory and the seal
    changed = content[spot] ^ (1 << int(rng.integers(8)))
    return content[:spot] + bytes([changed]) + content[spot + 1 :]


def member_swap(content: bytes, rng: np.random.Generator) -> bytes:
    """Two members exchanged, with valid checksums of the zip."""
    members = members_of(content)
    one, other = rng.choice(sorted(members), 2, replace=False)
    members[one], members[other] = members[other], members[one]
    return zipped(members)[:-SEAL] + content[-SEAL:]


def edited_manifest(content: bytes, rng: np.random.Generator) -> bytes:
    """One digit of the manifest changed, with valid checksums of the zip."""
    members = members_of(content)
    text = members[MANIFEST]
    digits = [k for k, byte in enumerate(text) if chr(byte).isdigit()]
    spot = digits[int(rng.integers(len(digits)))]
    digit = str((int(chr(text[spot])) + int(rng.integers(1, 10))) % 10)
    members[MANIFEST] = text[:spot] + digit.encode() + text[spot + 1 :]
    return zipped(members)[:-SEAL] + content[-SEAL:]


def test_no_random_damage_is_read_as_valid(intact: bytes, path: Path) -> None:
    rng = np.random.default_rng(7)
    refused = 0
    for _ in range(DAMAGES):
        content = damaged(intact, rng)
        if content != intact:
            refusal(path, content)
            refused += 1
    assert refused > 0.98 * DAMAGES  # the rest of the draws changed nothing


def test_damage_under_a_forged_seal_is_refused_or_changes_nothing(intact: bytes, path: Path) -> None:
    """Even under a new seal, no damage outside the manifest's text changes a program."""
    rng = np.random.default_rng(8)
    original = example()
    refused = 0
    for _ in range(600):
        content = sealed(damaged(intact, rng))
        try:
            reworded = members_of(content)[MANIFEST] != members_of(intact)[MANIFEST]
        except Exception:  # whatever zipfile makes of it, the loader has to say
            reworded = False
        if reworded:
            continue  # another manifest under a valid zip and seal is another program
        path.write_bytes(content)
        try:
            program = load_program(path)
        except ProgramError as error:
            assert "\n" not in str(error)
            refused += 1
        else:
            assert same(program, original)
    assert refused > 200


def test_the_seal_of_an_intact_file_is_what_the_tests_forge(intact: bytes) -> None:
    assert sealed(intact) == intact
    assert sealed(zipped(members_of(intact))) == intact


def test_an_inconsistent_program_is_not_written(path: Path) -> None:
    program = example()
    with pytest.raises(ProgramError, match="array codes: has the wrong type; got int64"):
        replace(program, arrays=replace(program.arrays, codes=program.arrays.codes.astype(np.int64))).save(
            path
        )
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize(
    "report",
    [
        {"loss": float("nan")},
        {"loss": float("inf")},
        {"x": np.float32(1)},
        {1: 2},
        {"x": (1, 2)},
        {"x": {1, 2}},
        {"x": b""},
    ],
)
def test_a_report_that_is_no_plain_json_is_not_written(path: Path, report: dict[Any, Any]) -> None:
    with pytest.raises(ProgramError, match="report of the program: is no plain JSON"):
        replace(example(), report=report).save(path)
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize("target", ["missing/net.spikeloom", "file/net.spikeloom", "folder", "no\0name"])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, target: str) -> None:
    (tmp_path / "file").write_text("here")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ProgramError, match="cannot be written: ") as caught:
        example().save(f"{tmp_path}/{target}")
    assert "\n" not in str(caught.value)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["file", "folder"]


@pytest.mark.parametrize("failing", ["write", "fsync", "replace"])
@pytest.mark.parametrize("before", [None, b"an older file"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failing_write_leaves_what_was_there(
    path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, before: bytes | None, error: BaseException
) -> None:
    program = example()
    if before is not None:
        path.write_bytes(before)

    def fail(*_: object) -> None:
        raise error

    if failing == "write":
        monkeypatch.setattr(
            Path, "open", lambda self, mode: _Full(io.FileIO(self, mode.replace("b", "")), fail)
        )
    elif failing == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    else:
        monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else ProgramError):
        program.save(path)
    monkeypatch.undo()
    left = [p.name for p in path.parent.iterdir()]
    assert left == ([] if before is None else [path.name])
    assert before is None or path.read_bytes() == before


class _Full(io.BufferedWriter):
    """A file on a disk that is full after some bytes."""

    def __init__(self, raw: io.FileIO, fail: Callable[[], None]) -> None:
        super().__init__(raw)
        self._fail = fail

    def write(self, content: Any) -> int:
        super().write(content[:100])
        self._fail()
        return 100
