"""Does every public name say what it gives and what can go wrong, and do the examples in docstrings run?"""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator

import pytest
import spikeloom

SAYS_WHAT_COMES_OUT = re.compile(r"\b(Rais(e|es|ed)|Return(s|ed)?|Gives?)\b|^\s*(Raises|Returns)$", re.M)


def _modules() -> list[str]:
    found = pkgutil.walk_packages(spikeloom.__path__, "spikeloom.")
    return ["spikeloom", *(module.name for module in found if not module.name.endswith("._core"))]


@pytest.mark.parametrize("name", _modules())
def test_examples_in_docstrings_run(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.failed == 0


def test_there_are_examples_to_run() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    modules = [importlib.import_module(name) for name in _modules()]
    examples = sum(len(test.examples) for module in modules for test in finder.find(module))
    assert examples > 50


PUBLIC = [name for name in spikeloom.__all__ if not name.endswith("Error")]
FUNCTIONS = [name for name in PUBLIC if name.islower()]
CLASSES = [name for name in PUBLIC if not name.islower()]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_public_function_says_what_it_returns_or_raises(name: str) -> None:
    assert SAYS_WHAT_COMES_OUT.search(inspect.getdoc(getattr(spikeloom, name)) or "")


@pytest.mark.parametrize("name", CLASSES)
def test_a_public_class_and_its_public_members_are_described(name: str) -> None:
    cls = getattr(spikeloom, name)
    assert len(inspect.getdoc(cls) or "") > 20
    assert not (inspect.getdoc(cls) or "").startswith(f"{name}("), (
        "a dataclass without a docstring of its own"
    )
    assert [member for member, value in _own_members(cls) if not inspect.getdoc(value)] == []


def _own_members(cls: type) -> Iterator[tuple[str, object]]:
    """Public methods and properties that the class itself defines."""
    for name, value in vars(cls).items():
        if not name.startswith("_") and (
            inspect.isfunction(value) or isinstance(value, property | classmethod)
        ):
            yield name, value


def test_every_module_says_what_it_is_for() -> None:
    modules = [importlib.import_module(name) for name in _modules()]
    empty_on_purpose = [
        module for module in modules if hasattr(module, "__path__") and module is not spikeloom
    ]
    silent = [module.__name__ for module in modules if not module.__doc__ and module not in empty_on_purpose]
    assert silent == []
