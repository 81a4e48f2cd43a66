"""Where a profile's numbers come from, and which have no source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from spikeloom.profile.dotted import covers, walk
from spikeloom.profile.schema import Profile, Source, Status

OVERRIDDEN = "overridden"
"""The source of a value whose parent's entry no longer covers it."""

STATUSES: tuple[Status, ...] = get_args(Status)
"""From the strongest to the weakest."""


def forget(provenance: dict[str, Any], key: str) -> None:
    """Take the source of `key`, and of everything below it, out of a provenance table."""
    for entry in [entry for entry in provenance if covers(key, entry)]:
        del provenance[entry]
    if any(covers(entry, key) for entry in provenance):
        provenance[key] = {"source": OVERRIDDEN, "status": "unverified"}


def remember(provenance: dict[str, Any], sources: Mapping[str, Any]) -> None:
    """Enter new sources; a source given for a parent covers what was overridden below it."""
    for key, source in sources.items():
        for entry in [entry for entry in provenance if covers(key, entry) and _is_remark(provenance[entry])]:
            del provenance[entry]
        provenance[key] = source


def _is_remark(entry: Any) -> bool:
    return isinstance(entry, dict) and entry.get("source") == OVERRIDDEN


def source_of(profile: Profile, key: str) -> Source | None:
    """The provenance entry that covers a dotted key: its own or its nearest parent's."""
    covering = [entry for entry in profile.provenance if covers(entry, key)]
    source = profile.provenance[max(covering, key=len)] if covering else None
    return None if source is None or source.source == OVERRIDDEN else source


def unsourced(profile: Profile) -> tuple[str, ...]:
    """Dotted keys of all numbers that are stated without a source, in the profile's order.

    Left out are numbers that are a free choice: the format version, defaults of parameters and start values.

    >>> from spikeloom.profile.catalog import load_profile
    >>> unsourced(load_profile("loihi1"))
    ()
    >>> unsourced(load_profile("loihi1", override={"weights.bits": 4}))
    ('weights.bits',)
    """
    return tuple(key for key in numbers(profile) if source_of(profile, key) is None)


def weakest_status(profile: Profile, keys: Iterable[str]) -> Status:
    """The weakest status behind some values; a key stands for all numbers below it.

    A number without a source counts as "unverified". Raises `ValueError` where `keys` name no number at all.

    >>> from spikeloom.profile.catalog import load_profile
    >>> weakest_status(load_profile("loihi1"), ["weights", "energy.synop_j"])
    'secondary'
    """
    wanted = list(keys)
    found = [key for key in numbers(profile) if any(covers(prefix, key) for prefix in wanted)]
    if not found:
        raise ValueError(f"{', '.join(wanted) or 'no key'}: profile {profile.name} states no number there")
    sources = (source_of(profile, key) for key in found)
    return max(("unverified" if s is None else s.status for s in sources), key=STATUSES.index)


def numbers(profile: Profile) -> list[str]:
    """Dotted keys of all numbers that the profile states about the chip."""
    left_out = {"name", "schema", "provenance", "variant", "state"}
    document = profile.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    stated = {key: value for key, value in document.items() if key not in left_out}
    return [key for key, value in walk(stated) if _has_number(value) and not key.endswith(".default")]


def _has_number(value: Any) -> bool:
    if isinstance(value, list):
        return any(_has_number(item) for item in value)
    return isinstance(value, int | float) and not isinstance(value, bool)
