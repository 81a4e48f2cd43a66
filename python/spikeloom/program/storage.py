"""Program files: a zip of `.npy` arrays and `manifest.json`, written and read whole or not at all.

The file ends in a seal, the SHA-256 of every byte before it, as the comment of the zip. The manifest lists
every array with its type, shape and SHA-256. Members are stored, not compressed, so that the same program
gives the same bytes everywhere and nothing can unpack to more than the file holds. Integers are stored in the
narrowest type.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import secrets
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ProfileError, ProgramError
from spikeloom.program.consistency import check_program
from spikeloom.program.manifest import from_manifest, to_manifest
from spikeloom.program.program import ChipProgram

FORMAT, VERSION = "spikeloom program", 1
MANIFEST = "manifest.json"
KEYS = {"format", "version", "members", "program"}
TYPES = ("|i1", "|u1", "<i2", "<u2", "<i4", "<i8", "<f8")  # what a member may hold
NARROW = (np.dtype("i1"), np.dtype("u1"), np.dtype("<i2"), np.dtype("<u2"), np.dtype("<i4"))
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first day a zip knows: files do not depend on when they were written
SEAL = 64  # hexadecimal digits


def save_program(program: ChipProgram, path: str | Path) -> None:
    """Write a program to one file, atomically: on any failure the old file, if there is one, stays as it was.

    Raises ProgramError where the program is inconsistent, its report no plain JSON, or the file not writable.
    """
    check_program(program)
    content = _packed(program)
    with _replacing(Path(path)) as file:
        file.write(content)


def load_program(path: str | Path) -> ChipProgram:
    """Read a program file. Raises ProgramError for a missing, truncated, altered or foreign one."""
    subject = f"program file {path}"
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ProgramError(subject, f"cannot be read: {reason}", remedy="check the path") from None
    try:
        return _unpacked(content)
    except ProgramError as error:
        problem = error.problem if error.subject == "file" else f"{error.subject} {error.problem}"
        raise ProgramError(
            subject, problem, value=error.value, limit=error.limit, remedy=error.remedy
        ) from None
    except ProfileError as error:
        raise ProgramError(subject, f"holds an unsound profile: {error}") from None
    except Exception as error:  # zipfile, json and numpy raise what they like at foreign bytes
        raise ProgramError(subject, f"is malformed: {type(error).__name__}: {error}") from None


def _packed(program: ChipProgram) -> bytes:
    """The bytes of a program file."""
    head, arrays = to_manifest(program)
    members = {f"{name}.npy": _npy(array) for name, array in sorted(arrays.items())}
    listed = {
        f"{name}.npy": {
            "dtype": _narrowed(array).dtype.str,
            "as": array.dtype.newbyteorder("<").str,
            "shape": list(array.shape),
            "sha256": _digest(members[f"{name}.npy"]),
        }
        for name, array in sorted(arrays.items())
    }
    manifest = {"format": FORMAT, "version": VERSION, "members": listed, "program": head}
    try:
        text = json.dumps(manifest, allow_nan=False, indent=1, ensure_ascii=False)
        equal = json.loads(text) == manifest
    except (TypeError, ValueError, RecursionError):
        equal = False
    if not equal:
        problem = "is no plain JSON: text keys, lists, text, finite numbers, true, false and null only"
        raise ProgramError("report of the program", problem)
    return sealed(zipped({MANIFEST: text.encode(), **members}))


def zipped(members: Mapping[str, bytes]) -> bytes:
    """A zip of stored members in this order, always the same bytes, with room for the seal."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, EPOCH)
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, content)
        archive.comment = b"0" * SEAL
    return buffer.getvalue()


def sealed(content: bytes) -> bytes:
    """The file with its last bytes replaced by the SHA-256 of all bytes before them."""
    return content[:-SEAL] + _digest(content[:-SEAL]).encode()


def _digest(content: bytes | memoryview) -> str:
    return hashlib.sha256(content).hexdigest()


def _narrowed(array: NDArray) -> NDArray:
    """The same numbers, little-endian; integers in the narrowest type that holds them."""
    if array.dtype.kind in "iu":
        low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
        for dtype in NARROW:
            fits = np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max
            if fits and np.can_cast(dtype, array.dtype):
                return array.astype(dtype)
    return array.astype(array.dtype.newbyteorder("<"))


def _npy(array: NDArray) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, _narrowed(array), (1, 0), allow_pickle=False)  # type: ignore[no-untyped-call]
    return buffer.getvalue()


def _unpacked(content: bytes) -> ChipProgram:
    """The program in the bytes of a file; every check comes before the memory that it guards."""
    if not content.startswith(b"PK\x03\x04"):
        raise ProgramError("file", "is no program file", remedy="give a file that ChipProgram.save wrote")
    if content[-SEAL:] != _digest(memoryview(content)[:-SEAL]).encode():
        raise ProgramError(
            "file", "is truncated or was altered: its seal does not match", remedy="copy it again"
        )
    parts = _members(content)
    manifest = json.loads(bytes(parts.pop(MANIFEST)).decode())
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ProgramError("file", "holds no manifest of a program")
    if manifest.get("version") != VERSION:
        raise ProgramError("file", "has another format version", value=manifest.get("version"), limit=VERSION,
                           remedy="convert the network again with this version")  # fmt: skip
    if set(manifest) != KEYS or set(manifest["members"]) != set(parts):
        raise ProgramError("manifest", "does not list what the file holds")
    arrays = {
        name.removesuffix(".npy"): _array(name, entry, parts[name])
        for name, entry in manifest["members"].items()
    }
    return from_manifest(manifest["program"], arrays)


def _members(content: bytes) -> dict[str, memoryview]:
    """The bytes of every member, as views of the file."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
    if len({entry.filename for entry in entries}) != len(entries):
        raise ProgramError("file", "holds a member twice")
    return {entry.filename: _member(content, entry) for entry in entries}


def _member(content: bytes, entry: zipfile.ZipInfo) -> memoryview:
    if (
        entry.compress_type != zipfile.ZIP_STORED
        or entry.flag_bits & 1
        or entry.compress_size != entry.file_size
    ):
        raise ProgramError(f"member {entry.filename}", "is compressed or encrypted, which no program file is")
    name, extra = struct.unpack_from("<HH", content, entry.header_offset + 26)  # of the local header
    start = entry.header_offset + 30 + name + extra
    if content[entry.header_offset + 30 :][:name] != entry.filename.encode() or start + entry.file_size > len(
        content
    ):
        raise ProgramError(f"member {entry.filename}", "is not where the zip says")
    part = memoryview(content)[start : start + entry.file_size]
    if zlib.crc32(part) != entry.CRC:
        raise ProgramError(f"member {entry.filename}", "does not match its checksum in the zip")
    return part


def _array(name: str, entry: Mapping[str, Any], part: memoryview) -> NDArray:
    """A member as a read-only array, if its header, size and checksum are those of the manifest."""
    subject = f"member {name}"
    if _digest(part) != entry["sha256"]:
        raise ProgramError(subject, "was altered: its checksum does not match")
    shape = tuple(entry["shape"])
    if not all(type(n) is int and n >= 0 for n in shape) or not {entry["dtype"], entry["as"]} <= set(TYPES):
        raise ProgramError(subject, "has a type or a shape that no program has")
    stored, loaded = np.dtype(entry["dtype"]), np.dtype(entry["as"])
    if not np.can_cast(stored, loaded):
        raise ProgramError(subject, "is of a type that does not hold its numbers", value=loaded, limit=stored)
    found, size = _header(part)
    if found != (shape, False, stored):
        raise ProgramError(subject, "has another header than the manifest says", value=found)
    if len(part) != size + math.prod(shape) * stored.itemsize:
        raise ProgramError(subject, "has another size than its header says", value=len(part))
    numbers = np.frombuffer(part, stored, math.prod(shape), size)
    array = numbers.astype(loaded.newbyteorder("=")).reshape(shape)
    array.setflags(write=False)
    return array


def _header(part: memoryview) -> tuple[tuple[tuple[int, ...], bool, np.dtype], int]:
    """((shape, Fortran order, type), length) of the header of a `.npy` member."""
    header = io.BytesIO(bytes(part[:4096]))
    if np.lib.format.read_magic(header) != (1, 0):  # type: ignore[no-untyped-call]
        raise ProgramError("file", "holds an array that is not of the format 1.0")
    found = np.lib.format.read_array_header_1_0(header)  # type: ignore[no-untyped-call]
    return found, header.tell()


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file beside `path` that takes its place once it is whole and on the disk; else it is removed."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        try:
            with part.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ProgramError(f"program file {path}", f"cannot be written: {reason}",
                           remedy="choose a folder that can be written and has room") from None  # fmt: skip
