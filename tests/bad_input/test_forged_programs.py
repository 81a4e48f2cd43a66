"""Is a program file refused whose zip, checksums and seal are right, but whose content is not?"""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from program_files import Change, forged, intact_file, members_of, refusal, setting, spoiling, with_array
from spikeloom.errors import ProgramError
from spikeloom.program.storage import MANIFEST, SEAL, load_program, sealed, zipped


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return intact_file(tmp_path_factory.mktemp("intact"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "net.spikeloom"


CODES = "arrays/codes.npy"
FORGERIES: list[tuple[Change, str]] = [
    (setting("format", value="another"), "holds no manifest of a program"),
    (setting("version", value=2), "has another format version; got 2, limit 1"),
    (setting("extra", value=2), "does not list what the file holds"),
    (lambda m, f: m["members"].pop(CODES), "does not list what the file holds"),
    (lambda m, f: f.pop(CODES), "does not list what the file holds"),
    (lambda m, f: f.update({"more.txt": b"x"}), "does not list what the file holds"),
    (
        with_array("arrays/more.npy", np.zeros(3, np.int8)),
        "lists arrays that no program has; got arrays/more",
    ),
    (
        setting("members", CODES, "sha256", value="0" * 64),
        "codes.npy was altered: its checksum does not match",
    ),
    (setting("members", CODES, "shape", value=[10**12]), "another header than the manifest says"),
    (setting("members", CODES, "shape", value=[-1]), "a type or a shape that no program has"),
    (setting("members", CODES, "shape", value=[True]), "a type or a shape that no program has"),
    (setting("members", CODES, "shape", value=7), "is malformed"),
    (setting("members", CODES, "dtype", value="|O"), "a type or a shape that no program has"),
    (setting("members", CODES, "dtype", value=["<i4"]), "is malformed"),
    (setting("members", CODES, "as", value="|i1"), "is of a type that does not hold its numbers"),
    (
        setting("members", CODES, "as", value="<i8"),
        "array codes has the wrong type; got int64",
    ),
    (setting("members", CODES, value=None), "is malformed"),
    (setting("members", value=[]), "does not list what the file holds"),
    (setting("program", value=[]), "is malformed"),
    (setting("program", "ticks", value=0), "needs ticks of at least 1"),
    (setting("program", "ticks", value="9"), "holds str where int belongs"),
    (setting("program", "ticks", value=True), "holds bool where int belongs"),
    (setting("program", "chip_seed", value=1.5), "holds float where int belongs"),
    (setting("program", "report", value=[]), "holds list where dict belongs"),
    (setting("program", "inputs", value={}), "holds dict where list belongs"),
    (setting("program", "inputs", 0, "encoding", value="morse"), "holds the unknown encoding 'morse'"),
    (setting("program", "inputs", 0, "first", value=1), "inputs do not follow one another"),
    (setting("program", "inputs", 0, "size", value=15), "inputs do not follow one another"),
    (setting("program", "inputs", value=[]), "lists arrays that no program has; got inputs/0/scale"),
    (
        setting("program", "inputs", 0, "planes", value=0),
        "port pixels has planes that do not divide its lines",
    ),
    (
        setting("program", "outputs", 0, "size", value=99),
        "port second needs neurons, scale and offset of its size",
    ),
    (
        setting("program", "outputs", 0, "read", value="w"),
        "port second reads w, which the profile does not make readable",
    ),
    (setting("program", "populations", value=[]), "lists arrays that no program has; got populations/0"),
    (setting("program", "populations", 0, "depth", value=-1), "depths of at least 0"),
    (setting("program", "hosts", 0, "target", value="first"), "host layer first does not match its target"),
    (setting("program", "hosts", 0, "shape", value=[2, 9]), "is malformed|does not match"),
    (setting("program", "profile_hash", value="0"), "profile does not have the stated hash"),
    (setting("program", "profile", "time", "delay_max", value=3), "profile does not have the stated hash"),
    (setting("program", "profile", "regs", "q", "bits", value=99), "holds an unsound profile"),
    (setting("program", "profile", value={}), "holds str where|holds NoneType where str belongs"),
    (setting("program", "names", "params", value=["vth"]), "lists arrays that no program has"),
    (
        with_array("arrays/core_neuron_start.npy", np.array([0, 25, 20], np.int8)),
        "array core_neuron_start must rise",
    ),
    (spoiling("arrays/core_neuron_start.npy", 0, 1), "array core_neuron_start must rise"),
    (spoiling("arrays/neuron_fan_start.npy", 4, 99), "array neuron_fan_start must rise"),
    (with_array("arrays/core_axon_start.npy", np.array([0, 1], np.int8)), "array core_axon_start must rise"),
    (with_array("arrays/template_run_start.npy", np.zeros(0, np.int8)), "array template_run_start must rise"),
    (
        with_array("arrays/axon_target.npy", np.zeros(3, np.int8)),
        "array axon_target has the wrong length; got (3,)",
    ),
    (with_array("arrays/run_delay.npy", np.zeros(3, np.int8)), "array run_delay has the wrong length"),
    (with_array("arrays/code_format.npy", np.zeros(3, np.uint8)), "array code_format has the wrong length"),
    (
        with_array("arrays/params/2.npy", np.zeros(3, np.int8)),
        "array params vth has the wrong length; got (3,)",
    ),
    (
        with_array("arrays/format_shared/0.npy", np.zeros(9, np.int8)),
        "array format_shared w_exp has the wrong length",
    ),
    (
        with_array(CODES, np.zeros((2, 2), np.int8)),
        "array codes has the wrong type; got int32 (2, 2), limit int32 (n,)",
    ),
    (
        with_array("populations/0/neurons.npy", np.zeros(18, np.int8)),
        "populations do not hold every neuron once",
    ),
    (with_array("outputs/0/neurons.npy", np.full(3, 99, np.int8)), "port second"),
    (with_array("inputs/0/scale.npy", np.ones(3), "<f8"), "port pixels needs one scale a channel"),
]


@pytest.mark.parametrize("case", range(len(FORGERIES)))
def test_a_forged_content_is_refused(intact: bytes, path: Path, case: int) -> None:
    change, message = FORGERIES[case]
    found = str(refusal(path, forged(intact, change)))
    assert any(part in found for part in message.split("|")), found


def test_an_object_array_is_never_reworded(intact: bytes, path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (os._exit, (3,))

    array = np.empty(1, dtype=object)
    array[0] = Bomb()
    error = refusal(path, forged(intact, with_array(CODES, array)))
    assert "a type or a shape that no program has" in str(error)


def test_a_compressed_member_is_not_unpacked(intact: bytes, path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members_of(intact).items():
            archive.writestr(name, member)
        archive.writestr("bomb.npy", bytes(10**7))
        archive.comment = b"0" * SEAL
    assert "is compressed" in str(refusal(path, sealed(buffer.getvalue())))


def test_a_member_of_a_false_size_is_refused(intact: bytes, path: Path) -> None:
    """The directory of the zip claims more bytes than the file holds."""
    content = bytearray(intact)
    entry = content.rindex(b"PK\x01\x02")
    struct.pack_into("<II", content, entry + 20, 2**31, 2**31)
    assert "is not where the zip says" in str(refusal(path, sealed(bytes(content))))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_twice_is_refused(intact: bytes, path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, member in [*members_of(intact).items(), (CODES, b"")]:
            archive.writestr(name, member)
        archive.comment = b"0" * SEAL
    assert "holds a member twice" in str(refusal(path, sealed(buffer.getvalue())))


FOREIGN = {
    "empty": b"",
    "text": b"spikeloom",
    "zip": zipped({"a.txt": b"hello"}),
    "sealed zip": sealed(zipped({"a.txt": b"hello"})),
    "sealed garbage": sealed(b"PK\x03\x04" + bytes(200)),
    "deep manifest": sealed(zipped({MANIFEST: b"[" * 100_000})),
    "list manifest": sealed(zipped({MANIFEST: b"[]"})),
    "binary manifest": sealed(zipped({MANIFEST: b"\xff\xfe"})),
    "compressed": zlib.compress(b"spikeloom"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_file_is_refused(path: Path, name: str) -> None:
    assert refusal(path, FOREIGN[name]).problem


@pytest.mark.parametrize("name", ["missing.spikeloom", "", "no\0name"])
def test_a_path_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ProgramError, match="cannot be read: "):
        load_program(f"{tmp_path}/{name}")
