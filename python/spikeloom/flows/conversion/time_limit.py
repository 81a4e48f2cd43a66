"""How long a conversion may search."""

from __future__ import annotations

from math import inf, isfinite
from time import monotonic

from spikeloom.errors import FitError


class TimeLimit:
    """Seconds by the clock from now on; None is no limit. What is found within them depends on the machine's load."""

    def __init__(self, seconds: float | None) -> None:
        is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if seconds is not None and not (is_number and isfinite(seconds) and seconds > 0):
            raise FitError("time_limit_s", "must be a positive number of seconds", value=seconds)
        self._end = inf if seconds is None else monotonic() + seconds

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return monotonic() > self._end
