"""The files of the repository, and who imports whom."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "python" / "spikeloom"
FOLDERS = ("cpp", "python", "tests", "hw_profiles", ".ci")
NOT_SOURCE = {".git", "__pycache__", "build", ".hypothesis", ".pytest_cache", ".mypy_cache", ".ruff_cache"}
TEXT = {
    "",
    ".py",
    ".pyi",
    ".cpp",
    ".hpp",
    ".h",
    ".md",
    ".toml",
    ".json",
    ".txt",
    ".cmake",
    ".jinja",
    ".typed",
    ".v",
}


@cache
def text_files() -> tuple[Path, ...]:
    """Every text file that belongs to the repository."""
    top = [path for path in ROOT.iterdir() if path.is_file()]
    below = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    found = [path for path in top + below if not NOT_SOURCE & set(path.relative_to(ROOT).parts)]
    return tuple(sorted(path for path in found if path.suffix in TEXT))


def python_files(folder: Path) -> list[Path]:
    """The Python files below a folder."""
    return [path for path in text_files() if path.suffix == ".py" and path.is_relative_to(folder)]


def parsed(path: Path) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def module_name(path: Path) -> str:
    """Name of a module below the package: "fit.problem"; the package itself is "", a folder its own name."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


class Import(NamedTuple):
    """One import of a package module: who, whom, and whether it happens when the importer is loaded."""

    importer: str
    imported: str
    at_load: bool


@cache
def imports() -> tuple[Import, ...]:
    """Every import of one package module by another."""
    modules = {module_name(path) for path in python_files(PACKAGE)}
    return tuple(
        Import(module_name(path), _resolved(name, modules), at_load)
        for path in python_files(PACKAGE)
        for name, at_load in _imported(parsed(path))
    )


def _resolved(name: str, modules: set[str]) -> str:
    """The module that an import names: `from spikeloom.fit import problem` names the module fit.problem."""
    while name not in modules and name != "_core" and name:
        name = name.rpartition(".")[0]
    return name


def _imported(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    loaded = {id(node) for node in _run_at_load(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "spikeloom":
                yield name.partition(".")[2], id(node) in loaded


def _run_at_load(node: ast.AST) -> Iterator[ast.AST]:
    """What runs when a module is loaded: neither function bodies nor blocks for type checkers."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _run_at_load(child)


def tool(name: str) -> str:
    """A tool of the test extra: beside this interpreter, or on the path."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    assert found, f"{name} is missing; pip install '.[test]'"
    return found


def run(*command: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and keep what it prints."""
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
