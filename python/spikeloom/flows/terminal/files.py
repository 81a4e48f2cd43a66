"""Files that the command line is given: arrays to read, settings to parse, and a place to write to."""

from __future__ import annotations

import json
import os
import tomllib
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import SpikeloomError
from spikeloom.profile.catalog import toml_of

# What numpy and zipfile raise on a file that is not what its name says.
DAMAGED = (ValueError, EOFError, OSError, MemoryError, SyntaxError, KeyError, zipfile.BadZipFile, zlib.error)


def read_array(source: str, *, axes: int = 2) -> NDArray[Any]:
    """The array of numbers in `file.npy`, in `file.npz` that holds one array, or in `file.npz:name`.

    Nothing is unpickled. It has at least so many axes: 2 for samples, 1 for labels.

    Raises:
        SpikeloomError: the file is missing, damaged, holds no such array, or holds something else than finite
            numbers with samples along a first axis.
    """
    path, name = _split(source)
    if not path.is_file():
        raise SpikeloomError(f"file {path}", "is a folder" if path.is_dir() else "does not exist")
    array = _read_npy(path) if path.suffix.lower() == ".npy" else _read_npz(path, name)
    return _checked(array, source, axes)


def parse_settings(settings: Iterable[str]) -> dict[str, object]:
    """Dotted keys and their values from KEY=VALUE texts; a value is read as TOML, else as text.

    >>> parse_settings(["weights.bits=4", "limits.cores=[1]", "chip.name=mine"])
    {'weights.bits': 4, 'limits.cores': [1], 'chip.name': 'mine'}

    Raises:
        SpikeloomError: an entry is not KEY=VALUE, or a key comes twice.
    """
    table: dict[str, object] = {}
    for setting in settings:
        key, equals, text = (part.strip() for part in setting.partition("="))
        if not (key and equals and text):
            raise SpikeloomError(f"setting {setting!r}", "is not KEY=VALUE", remedy="as in weights.bits=4")
        if key in table:
            raise SpikeloomError(f"setting {setting!r}", f"sets {key} a second time", remedy="give it once")
        table[key] = _toml_value(text)
    return table


def parse_sizes(sizes: Iterable[str]) -> dict[str, int]:
    """Layer names and their numbers of nodes from LAYER=NODES texts.

    >>> parse_sizes(["fc1=64", "fc2=32"])
    {'fc1': 64, 'fc2': 32}

    Raises:
        SpikeloomError: an entry is not LAYER=NODES, or a layer comes twice.
    """
    table: dict[str, int] = {}
    for size in sizes:
        name, equals, text = (part.strip() for part in size.rpartition("="))
        if not (name and equals and text.isdecimal()):
            raise SpikeloomError(f"size {size!r}", "is not LAYER=NODES", remedy="as in fc1=64")
        if name in table:
            raise SpikeloomError(f"size {size!r}", f"sets {name} a second time", remedy="give it once")
        table[name] = int(text)
    return table


def profile_toml(source: str, override: Mapping[str, object]) -> str:
    """The file of a profile; of a variant or with overrides, a file of its own that derives from it."""
    is_file = source.endswith(".toml")
    if not override and (is_file or ":" not in source):
        return Path(source).read_text(encoding="utf-8") if is_file else toml_of(source)
    # JSON is valid TOML for numbers, texts and lists of them, which is all that an override holds.
    lines = [f"{json.dumps(key)} = {json.dumps(value)}" for key, value in override.items()]
    chip = '[chip]\nid = "my"  # the name of this file\n'
    return "\n".join(["schema = 1", f"base = {json.dumps(source)}\n", chip, "[override]", *lines, ""])


def check_output(target: Path, suffix: str, *, inputs: Iterable[str | Path] = ()) -> None:
    """Refuse a file that could not be written, before any work is done for it.

    Raises:
        SpikeloomError: another ending than `suffix`, no such folder, no right to write, or one of the inputs.
    """
    subject = f"output {target}"
    if target.suffix != suffix:
        raise SpikeloomError(subject, f"must end in {suffix}")
    if target.is_dir():
        raise SpikeloomError(subject, "is a folder", remedy="name a file in it")
    if not target.parent.is_dir():
        raise SpikeloomError(subject, f"there is no folder {target.parent}", remedy="make it first")
    if not os.access(target.parent, os.W_OK) or (target.exists() and not os.access(target, os.W_OK)):
        raise SpikeloomError(subject, "may not be written", remedy="choose another folder")
    if any(_split(str(path))[0].resolve() == target.resolve() for path in inputs):
        raise SpikeloomError(subject, "is one of the inputs", remedy="choose another name")


def _split(source: str) -> tuple[Path, str | None]:
    """`file.npz:name` as its two parts; the name is None where there is none."""
    head, colon, name = source.rpartition(":")
    return (Path(head), name) if colon and head.lower().endswith(".npz") else (Path(source), None)


def _read_npy(path: Path) -> NDArray[Any]:
    try:
        with path.open("rb") as file:
            array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)  # type: ignore[no-untyped-call]
            return array
    except DAMAGED as error:
        raise _damaged(path, "an .npy file", error) from None


def _read_npz(path: Path, name: str | None) -> NDArray[Any]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("a single array")
            return np.asarray(archive[_member(path, name, archive.files)])
    except DAMAGED as error:
        raise _damaged(path, "an .npz file", error) from None


def _member(path: Path, name: str | None, names: list[str]) -> str:
    """The array that is meant: the named one, or the only one."""
    known = ", ".join(names) or "nothing"
    if name is None and len(names) != 1:
        raise SpikeloomError(f"file {path}", f"holds {known}", remedy=f"name one array: {path}:NAME")
    if name is not None and name not in names:
        raise SpikeloomError(f"file {path}", f"has no array {name!r}; it holds {known}")
    return name if name is not None else names[0]


def _damaged(path: Path, kind: str, error: Exception) -> SpikeloomError:
    reason = "holds Python objects" if "pickle" in str(error).lower() else "is damaged or something else"
    remedy = "write it with numpy.save or numpy.savez"
    return SpikeloomError(f"file {path}", f"cannot be read as {kind}: it {reason}", remedy=remedy)


def _checked(array: NDArray[Any], source: str, axes: int) -> NDArray[Any]:
    subject = f"array {source}"
    if array.dtype.kind not in "buif":
        raise SpikeloomError(subject, "does not hold real numbers", value=array.dtype)
    if array.ndim < axes or array.shape[0] == 0:
        raise SpikeloomError(subject, "needs samples along its first axis, at least one", value=array.shape)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = int(np.argmin(np.isfinite(array.reshape(len(array), -1)).all(axis=1)))
        problem = f"holds NaN or infinity, first in sample {bad}"
        raise SpikeloomError(subject, problem, remedy="remove those samples")
    return array


def _toml_value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
