"""Results as plain JSON values, and text files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from math import isfinite
from pathlib import Path

import numpy as np

from spikeloom.errors import SpikeloomError


def to_plain(value: object) -> object:
    """Dataclasses, mappings, sequences and arrays as JSON values; a number that is not finite becomes None.

    >>> to_plain({"codes": np.arange(2), "loss": (1.5, float("nan"))})
    {'codes': [0, 1], 'loss': [1.5, None]}
    """
    if isinstance(value, np.ndarray | np.generic):
        return to_plain(value.tolist())
    if isinstance(value, float):
        return value if isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, Iterable):
        return [to_plain(item) for item in value]
    return str(value)


def write_text(path: Path, text: str) -> None:
    """Write a file atomically: on any failure what was there before stays.

    Raises SpikeloomError where it cannot be written.
    """
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False,
                                         encoding="utf-8") as file:  # fmt: skip
            temporary = Path(file.name)
            try:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
                temporary.chmod(0o644)
                temporary.replace(path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise SpikeloomError(f"file {path}", f"cannot be written: {error.strerror or error}") from None
