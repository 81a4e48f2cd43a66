"""The error classes: one line each, naming the object, the value, the limit and the remedy."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])


class SpikeloomError(Exception):
    """Base of every error this package raises on purpose.

    Parameters
    ----------
    subject : what is wrong, by the name its user gave it ("layer fc1", "file net.onnx").
    problem : what is wrong with it, in words.
    value, limit : what was found and what is allowed, where that can be said.
    remedy : what to do about it.

    `chip` is the profile that sets the limit, where one does.

    >>> error = PlacementError("layer fc1", "has more neurons than a core", value=1500, limit=1024,
    ...                        remedy="give it a smaller size")
    >>> print(error)
    layer fc1: has more neurons than a core; got 1500, limit 1024; give it a smaller size
    >>> error.limit
    1024
    """

    chip: str = ""

    def __init__(
        self, subject: str, problem: str, *, value: object = None, limit: object = None, remedy: str = ""
    ) -> None:
        super().__init__(subject, problem)
        self.subject = subject
        self.problem = problem
        self.value = value
        self.limit = limit
        self.remedy = remedy

    def __str__(self) -> str:
        facts = []
        if self.value is not None:
            facts.append(f"got {_plain(self.value)}")
        if self.limit is not None:
            facts.append(f"limit {_plain(self.limit)}")
            if self.chip and not str(self.limit).startswith("("):  # a shape, which no chip sets
                facts[-1] += f" on {self.chip}"
        parts = [f"{self.subject}: {self.problem}", ", ".join(facts), self.remedy]
        return " ".join("; ".join(part for part in parts if part).split())


def _plain(value: object) -> object:
    """A pair of numpy's numbers as a pair of numbers."""
    if isinstance(value, tuple):
        return tuple(item.item() if hasattr(item, "item") else item for item in value)
    return value


class ProfileError(SpikeloomError):
    """A hardware profile is unsound, unknown, or asked for what it does not have.

    `findings` lists every problem of an unsound profile, each with its dotted key.
    """

    findings: tuple[str, ...] = ()


class AnnError(SpikeloomError):
    """A trained network cannot be read, or holds what cannot be converted."""


class FitError(SpikeloomError):
    """A layer's synapse problem is ill-posed: wrong shapes, values that are not finite, no rows."""


class NetworkError(SpikeloomError):
    """A spiking network breaks a rule of its profile."""


class PlacementError(SpikeloomError):
    """A spiking network does not fit the chip.

    `limit_name` is the dotted key of the limit in the profile, where there is one.
    """

    limit_name: str = ""

    def of_limit(self, name: str) -> PlacementError:
        """The same error, which breaks this limit of the profile."""
        self.limit_name = name
        return self


class ProgramError(SpikeloomError):
    """A chip program is damaged, inconsistent, or of another format version."""


class EmulationError(SpikeloomError):
    """A run was asked for what the program cannot give, or a register left its width under `trap`."""


def names_chip(function: Function) -> Function:
    """Let errors of a function say on which chip their limit is; its first argument has the `profile`."""
    first = next(iter(inspect.signature(function).parameters))

    @wraps(function)
    def named(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except SpikeloomError as error:
            profile = getattr(args[0] if args else options.get(first), "profile", None)
            error.chip = error.chip or getattr(profile, "name", "")
            raise

    return cast(Function, named)
