"""A long conversion on disk, layer by layer, so that it can be interrupted and taken up again.

One `.npz` file of plain arrays and one JSON text, replaced as a whole after every layer. It belongs to one
conversion: a digest of all that the layers depend on is stored with them. A layer taken from it is the very one that
was saved, so a conversion that was interrupted ends like one that was not.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from dataclasses import fields
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import FitError
from spikeloom.fit.problem import LayerFit, LineSigns, SampledBound
from spikeloom.fit.type_table import TypedCodes

Nested = TypedCodes | LineSigns | SampledBound
NESTED: dict[str, type[Nested]] = {"typed": TypedCodes, "signs": LineSigns, "sampled": SampledBound}
ARRAYS = ("kept", "weights", "bias", "codes", "scales", "quantised_bias")
FORMAT = "spikeloom checkpoint 1"


class Checkpoint:
    """The finished layers of one conversion. path: None keeps nothing; key: the digest of the conversion.

    Raises FitError where the file cannot be read, or belongs to another conversion.
    """

    def __init__(self, path: str | Path | None, key: str) -> None:
        self._path, self._key = None if path is None else Path(path), key
        self._layers: dict[str, dict[str, Any]] = {}
        self._arrays: dict[str, NDArray] = {}
        if self._path is not None and self._path.exists():
            self._read(self._path)

    def layer(self, method: str, name: str) -> tuple[LayerFit, float, float] | None:
        """A finished layer with its scale and emulated error; None where it is still to be done."""
        place = f"{method}/{name}"
        if place not in self._layers:
            return None
        saved = self._layers[place]
        parts: dict[str, Any] = {array: self._arrays[f"{place}/{array}"] for array in ARRAYS}
        parts |= {**saved["fit"], "warnings": tuple(saved["fit"]["warnings"])}
        parts |= {name: self._nested(place, name, kind) for name, kind in NESTED.items()}
        return LayerFit(**parts), float(saved["scale"]), float(saved["error"])

    def keep(self, method: str, fit: LayerFit, scale: float, error: float) -> None:
        """Save a finished layer. Raises FitError where the file cannot be written; the old one then stays."""
        if self._path is None:
            return
        place = f"{method}/{fit.name}"
        arrays = (*ARRAYS, *NESTED)
        plain = {one.name: getattr(fit, one.name) for one in fields(fit) if one.name not in arrays}
        self._layers[place] = {"fit": plain, "scale": scale, "error": error}
        self._arrays |= {f"{place}/{array}": np.asarray(getattr(fit, array)) for array in ARRAYS}
        for name in NESTED:
            if (nested := getattr(fit, name)) is not None:
                values = {one.name: np.asarray(getattr(nested, one.name)) for one in fields(nested)}
                self._arrays |= {f"{place}/{name}/{key}": array for key, array in values.items()}
        self._write(self._path)

    def _nested(self, place: str, name: str, kind: type[Nested]) -> Nested | None:
        """A part of a fit that has fields of its own, numbers among them."""
        keys = [one.name for one in fields(kind)]
        if f"{place}/{name}/{keys[0]}" not in self._arrays:
            return None
        arrays = {key: self._arrays[f"{place}/{name}/{key}"] for key in keys}
        values: dict[str, Any] = {key: array if array.ndim else array.item() for key, array in arrays.items()}
        return kind(**values)

    def _write(self, path: Path) -> None:
        text = json.dumps({"format": FORMAT, "key": self._key, "layers": self._layers})
        content = io.BytesIO()
        np.savez(content, allow_pickle=False, manifest=np.array(text), **self._arrays)  # type: ignore[arg-type]
        beside = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            beside.write_bytes(content.getvalue())
            beside.replace(path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise FitError(f"checkpoint {path}", f"cannot be written: {error.strerror}",
                           remedy="give another path") from None  # fmt: skip

    def _read(self, path: Path) -> None:
        try:
            with np.load(path, allow_pickle=False) as found:
                manifest = json.loads(str(found["manifest"]))
                self._arrays = {name: found[name] for name in found.files if name != "manifest"}
            is_ours = manifest["format"] == FORMAT
            key, self._layers = manifest["key"], manifest["layers"]
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
            is_ours, key = False, ""
        if not is_ours:
            raise FitError(f"checkpoint {path}", "is no checkpoint file",
                           remedy="give another path, or delete it")  # fmt: skip
        if key != self._key:
            raise FitError(f"checkpoint {path}", "belongs to a conversion of another network, chip, data or options",
                           remedy="give another path, or delete it")  # fmt: skip


def digest(*parts: object) -> str:
    """A digest of arrays, numbers and texts, in this order."""
    total = blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, np.ndarray):
            total.update(f"{part.dtype} {part.shape}".encode())
            total.update(np.ascontiguousarray(part).tobytes())
        else:
            total.update(repr(part).encode())
        total.update(b";")
    return total.hexdigest()
