"""Things one after the other, counted for a display of progress."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from spikeloom.emulation.emulate import Progress

T = TypeVar("T")


def with_progress(things: Iterable[T], total: int, what: str, progress: Progress | None) -> Iterator[T]:
    """The same things; `progress` is told how many are done when the next one is asked for.

    >>> told = []
    >>> list(with_progress("ab", 2, "letters", lambda *what: told.append(what))), told
    (['a', 'b'], [('letters', 0, 2), ('letters', 1, 2), ('letters', 2, 2)])
    """
    tell = progress or (lambda *_: None)
    tell(what, 0, total)
    for done, thing in enumerate(things, start=1):
        yield thing
        tell(what, done, total)
