"""Is every file short, finished, tested by assertions, and free of what belongs to one machine?"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from source_tree import ROOT, parsed, python_files, text_files

CODE = (".py", ".pyi", ".cpp", ".hpp", ".h", ".v")
GENERATED = ("_core.pyi",)
LINES = 300
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
# Written in two parts, so that this file does not hold what it looks for.
PLACEHOLDERS = (
    "TO" + "DO",
    "FIX" + "ME",
    "X" * 3,
    "raise NotImplemented" + "Error",
    "_descrip" + "tion_",
    "lorem " + "ipsum",
)
OF_ONE_MACHINE = (
    r"(?<![\w.])/(work|ro" + r"ot|home|Users|tmp)/",
    r"\.\./sha" + r"red",
    r"index-" + r"url|find-" + r"links",
    r"\b(local" + r"host|127\.0\.0\.1)\b",
)
PUBLIC_HOSTS = {"json-schema.org", "github.com", "doi.org", "arxiv.org", "opensource.org", "www.apache.org"}


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_source_file_is_longer_than_the_limit() -> None:
    lengths = {
        _named(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in text_files()
        if path.suffix in CODE and path.name not in GENERATED
    }
    assert lengths
    assert {name: length for name, length in lengths.items() if length > LINES} == {}


def test_nothing_is_left_as_a_placeholder() -> None:
    found = [
        f"{_named(path)}: {word}"
        for path in text_files()
        for word in PLACEHOLDERS
        if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_nothing_belongs_to_one_machine() -> None:
    found = [
        f"{_named(path)}: {match.group()}"
        for path in text_files()
        for pattern in OF_ONE_MACHINE
        for match in re.finditer(pattern, path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_every_address_is_of_a_public_host() -> None:
    found = {
        f"{_named(path)}: {host}"
        for path in text_files()
        for host in re.findall(r"https?://([\w.-]+)", path.read_text(encoding="utf-8"))
        if host not in PUBLIC_HOSTS
    }
    assert found == set()


def _functions(path: Path) -> Iterator[FunctionNode]:
    return (node for node in ast.walk(parsed(path)) if isinstance(node, FunctionNode))


def _does_nothing(function: FunctionNode) -> bool:
    """True where a body holds nothing but its docstring, `pass` or `...`."""
    rest = [node for node in function.body if not isinstance(node, ast.Pass)]
    return all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in rest)


def test_every_function_does_something() -> None:
    idle = [
        f"{_named(path)}: {function.name}"
        for path in python_files(ROOT / "python")
        for function in _functions(path)
        if _does_nothing(function) and not _is_of_a_protocol(path, function)
    ]
    assert idle == []


def _is_of_a_protocol(path: Path, function: FunctionNode) -> bool:
    """True for a method that only states an interface."""
    return any(
        isinstance(node, ast.ClassDef)
        and any("Protocol" in ast.unparse(base) for base in node.bases)
        and any(isinstance(member, FunctionNode) and member.lineno == function.lineno for member in node.body)
        for node in ast.walk(parsed(path))
    )


def _asserts(function: FunctionNode) -> bool:
    """True where a test can fail: an assertion, `pytest.raises` or `fail`, or a helper named as a check."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            if name in ("raises", "warns", "fail") or name.lstrip("_").startswith(("check_", "assert_")):
                return True
    return False


def _tests() -> list[tuple[str, FunctionNode]]:
    files = [path for path in python_files(ROOT / "tests") if path.name.startswith("test_")]
    return [
        (f"{_named(path)}: {function.name}", function)
        for path in files
        for function in _functions(path)
        if function.name.startswith("test_")
    ]


def test_every_test_can_fail() -> None:
    tests = _tests()
    assert len(tests) > 100
    assert [name for name, function in tests if not _asserts(function)] == []


@pytest.mark.parametrize(
    ("body", "can_fail"),
    [
        ("assert x", True),
        ("with pytest.raises(E): f()", True),
        ("check_it(x)", True),
        ("f(x)", False),
        ("x == 1", False),
    ],
)
def test_the_rule_sees_a_test_that_cannot_fail(body: str, can_fail: bool) -> None:
    (function,) = ast.parse(f"def test_it(x):\n    {body}").body
    assert isinstance(function, ast.FunctionDef)
    assert _asserts(function) == can_fail


@pytest.mark.parametrize("body", ["pass", "...", '"""Later."""'])
def test_the_rule_sees_a_function_that_does_nothing(body: str) -> None:
    (function,) = ast.parse(f"def later():\n    {body}").body
    assert isinstance(function, ast.FunctionDef)
    assert _does_nothing(function)
