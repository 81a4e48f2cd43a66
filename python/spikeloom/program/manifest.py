"""A program as plain JSON plus named arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, get_args

from numpy.typing import NDArray
from scipy.sparse import csr_array

from spikeloom.errors import ProgramError
from spikeloom.network.projection import Encoding, HostLayer
from spikeloom.profile.catalog import resolve
from spikeloom.program.consistency import ARRAYS, MAPPINGS, check_program
from spikeloom.program.program import ChipProgram, Placed, Port, ProgramArrays

Arrays = dict[str, NDArray]
Entry = Mapping[str, Any]
T = TypeVar("T")


def to_manifest(program: ChipProgram) -> tuple[dict[str, Any], Arrays]:
    """(JSON, arrays by name) of a program; `from_manifest` is the inverse."""
    arrays: Arrays = {f"arrays/{name}": getattr(program.arrays, name) for name in ARRAYS}
    names: dict[str, list[str]] = {}
    for group in MAPPINGS:
        mapping = getattr(program.arrays, group)
        names[group] = list(mapping)
        arrays |= {f"arrays/{group}/{k}": array for k, array in enumerate(mapping.values())}
    for k, port in enumerate(program.inputs):
        arrays |= _present(f"inputs/{k}", scale=port.scale, order=port.order)
    for k, port in enumerate(program.outputs):
        arrays |= _present(f"outputs/{k}", scale=port.scale, offset=port.offset, neurons=port.neurons)
    for k, population in enumerate(program.populations):
        arrays |= _present(f"populations/{k}", neurons=population.neurons)
    for k, host in enumerate(program.hosts):
        matrix = host.weights
        arrays |= _present(f"hosts/{k}", data=matrix.data, indices=matrix.indices, indptr=matrix.indptr)
        arrays |= _present(f"hosts/{k}", bias=host.bias)
    return _head(program, names), arrays


def _present(place: str, **arrays: NDArray | None) -> Arrays:
    return {f"{place}/{name}": array for name, array in arrays.items() if array is not None}


def _head(program: ChipProgram, names: dict[str, list[str]]) -> dict[str, Any]:
    inputs = ("name", "size", "first", "encoding", "signed", "planes")
    outputs = ("name", "size", "first", "read")
    return {
        "profile": program.profile.model_dump(mode="json", by_alias=True),
        "profile_hash": program.profile.hash,
        "ticks": program.ticks,
        "chip_seed": program.chip_seed,
        "inputs": [{key: getattr(port, key) for key in inputs} for port in program.inputs],
        "outputs": [{key: getattr(port, key) for key in outputs} for port in program.outputs],
        "populations": [{"name": p.name, "depth": p.depth} for p in program.populations],
        "hosts": [
            {"source": h.source, "target": h.target, "shape": list(h.weights.shape)} for h in program.hosts
        ],
        "names": names,
        "report": dict(program.report),
    }


def from_manifest(head: Entry, arrays: Arrays) -> ChipProgram:
    """The program that a manifest and its arrays describe.

    Raises ProgramError or ProfileError where they contradict themselves, KeyError where something is missing.
    """
    left = dict(arrays)
    profile = resolve(_is(dict, head["profile"]), _is(str, head["profile"].get("name")))
    if profile.hash != head["profile_hash"]:
        raise ProgramError("profile", "does not have the stated hash")
    program = ChipProgram(
        profile=profile,
        ticks=_is(int, head["ticks"]),
        inputs=tuple(_input(entry, f"inputs/{k}", left) for k, entry in _each(head, "inputs")),
        outputs=tuple(_output(entry, f"outputs/{k}", left) for k, entry in _each(head, "outputs")),
        populations=tuple(
            _placed(entry, f"populations/{k}", left) for k, entry in _each(head, "populations")
        ),
        arrays=_program_arrays(_is(dict, head["names"]), left),
        hosts=tuple(_host(entry, f"hosts/{k}", left) for k, entry in _each(head, "hosts")),
        chip_seed=None if head["chip_seed"] is None else _is(int, head["chip_seed"]),
        report=_is(dict, head["report"]),
    )
    if left:
        raise ProgramError("manifest", "lists arrays that no program has", value=", ".join(sorted(left)))
    check_program(program)
    return program


def _is(kind: type[T], value: object) -> T:
    """The value, if it has that type; a bool is no int."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ProgramError("manifest", f"holds {type(value).__name__} where {kind.__name__} belongs")
    return value


def _each(head: Entry, key: str) -> list[tuple[int, Entry]]:
    return [(k, _is(dict, entry)) for k, entry in enumerate(_is(list, head[key]))]


def _input(entry: Entry, place: str, left: Arrays) -> Port:
    encoding: Encoding = entry["encoding"]
    if encoding not in get_args(Encoding):
        raise ProgramError("manifest", f"holds the unknown encoding {encoding!r}")
    return Port(
        name=_is(str, entry["name"]),
        size=_is(int, entry["size"]),
        first=_is(int, entry["first"]),
        encoding=encoding,
        scale=left.pop(f"{place}/scale", None),
        signed=_is(bool, entry["signed"]),
        planes=_is(int, entry["planes"]),
        order=left.pop(f"{place}/order", None),
    )


def _output(entry: Entry, place: str, left: Arrays) -> Port:
    return Port(
        name=_is(str, entry["name"]),
        size=_is(int, entry["size"]),
        first=_is(int, entry["first"]),
        scale=left.pop(f"{place}/scale"),
        offset=left.pop(f"{place}/offset"),
        neurons=left.pop(f"{place}/neurons"),
        read=_is(str, entry["read"]),
    )


def _placed(entry: Entry, place: str, left: Arrays) -> Placed:
    return Placed(_is(str, entry["name"]), left.pop(f"{place}/neurons"), _is(int, entry["depth"]))


def _program_arrays(names: Entry, left: Arrays) -> ProgramArrays:
    plain: dict[str, Any] = {name: left.pop(f"arrays/{name}") for name in ARRAYS}
    mappings: dict[str, Any] = {
        group: {
            _is(str, key): left.pop(f"arrays/{group}/{k}") for k, key in enumerate(_is(list, names[group]))
        }
        for group in MAPPINGS
    }
    return ProgramArrays(**plain, **mappings)


def _host(entry: Entry, place: str, left: Arrays) -> HostLayer:
    rows, columns = (_is(int, size) for size in _is(list, entry["shape"]))
    parts = tuple(left.pop(f"{place}/{name}") for name in ("data", "indices", "indptr"))
    matrix = csr_array(parts, shape=(rows, columns))
    matrix.check_format(full_check=True)
    return HostLayer(_is(str, entry["target"]), matrix, left.pop(f"{place}/bias"), _is(str, entry["source"]))
