"""Dotted keys: the one way to point into a profile. An entry of a list is found by its `name`.

`operation.fire.cmp` and `limits.memory.synapse.bits` point into lists, `regs.q.bits` into a table.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from typing import Any

CUTOFF = 0.65  # likeness below which a name is no suggestion


def walk(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every dotted key below `node` with its value, tables and named lists included, in order.

    >>> [key for key, _ in walk({"a": {"b": 1}, "list": [{"name": "x", "c": [2, 3]}]})]
    ['a', 'a.b', 'list', 'list.x', 'list.x.name', 'list.x.c']
    """
    for part, child in children(node):
        below = f"{key}.{part}" if key else part
        yield below, child
        yield from walk(child, below)


def children(node: Any) -> list[tuple[str, Any]]:
    """The parts that may follow `node` in a dotted key, each with its value."""
    if isinstance(node, dict):
        return list(node.items())
    if isinstance(node, list):
        return [(entry["name"], entry) for entry in node if isinstance(entry, dict) and "name" in entry]
    return []


def put(document: Any, key: str, value: Any) -> bool:
    """Write `value` at `key`; False, and nothing written, where the document has no such key.

    A table written over a named entry of a list keeps the entry's name.

    >>> document = {"operation": [{"name": "fire", "cmp": "gt"}]}
    >>> put(document, "operation.fire.cmp", "ge"), put(document, "operation.fire.cmq", "ge"), document
    (True, False, {'operation': [{'name': 'fire', 'cmp': 'ge'}]})
    """
    *path, last = key.split(".")
    for part in path:
        document = dict(children(document)).get(part)
    found = [place for place, (part, _) in enumerate(children(document)) if part == last]
    if not found:
        return False
    if isinstance(document, list):
        named = value if not isinstance(value, dict) else {"name": last, **value}
        document[document.index(children(document)[found[0]][1])] = named
    else:
        document[last] = value
    return True


def nearest(key: str, valid: Collection[str]) -> str:
    """`did you mean ...?`, or nothing where no valid key is near.

    >>> nearest("weights.bitz", ["weights.bits", "weights.clip"])
    'did you mean weights.bits?'
    """
    near = difflib.get_close_matches(key, valid, 1, CUTOFF)
    return f"did you mean {near[0]}?" if near else ""


def covers(prefix: str, key: str) -> bool:
    """True where `prefix` is `key` or one of its parents."""
    return key == prefix or key.startswith(f"{prefix}.")
