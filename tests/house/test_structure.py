"""Do the folders depend on one another as the design says, and is nothing shadowed?"""

from __future__ import annotations

from pathlib import Path

import pytest
import spikeloom
from source_tree import PACKAGE, ROOT, imports, module_name, python_files, run

# What a stage may import besides its own folder, `profile` and `errors`: the types of the artefacts that it
# takes and gives. Only `flows` knows several stages; references stand beside the emulation.
MAY_IMPORT: dict[str, set[str]] = {
    "profile": set(),
    "ann": set(),
    "fit": {"_core"},  # for the search of integer codes, a pure function of arrays
    "network": {"ann.graph", "fit.problem"},
    "program": {"network.projection"},
    "placement": {"network.network", "network.projection", "program.program"},
    "emulation": {"program.program", "network.projection", "_core"},
    "reference": {"program.program"},
    "bundled": set(),
    "exporters": {"program.program", "network.network", "network.projection"},
    "report": {"program.program", "emulation.recording", "reference.compare", "fit.problem"},
    "": {"*"},  # the public names, loaded when first used
    "errors": set(),
    "flows": {"*"},
    "commands": {"flows", ""},
    "cli": {"commands", ""},
    "__main__": {"cli"},
}
SHARED = ("profile", "errors")


def _stage(module: str) -> str:
    return module.partition(".")[0]


def _allowed(importer: str, imported: str) -> bool:
    home, there = _stage(importer), _stage(imported)
    allowed = MAY_IMPORT[home]
    if home == "errors" or (home == "profile" and there not in ("profile", "errors")):
        return False
    return there == home or there in SHARED or imported in allowed or there in allowed or "*" in allowed


def test_every_stage_imports_only_the_types_it_takes() -> None:
    strays = [
        f"{one.importer} imports {one.imported}"
        for one in imports()
        if not _allowed(one.importer, one.imported)
    ]
    assert strays == []


def test_the_rule_knows_every_folder_of_the_package() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and list(path.glob("*.py"))}
    assert folders <= set(MAY_IMPORT)


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("fit.layer", "emulation.emulate"),
        ("reference.twin", "emulation.emulate"),
        ("emulation.emulate", "reference.twin"),
        ("profile.catalog", "fit.layer"),
        ("placement.place", "network.from_fit"),
        ("errors", "profile.schema"),
        ("ann.graph", "flows.convert"),
        ("reference.twin", "_core"),
        ("commands.convert", "fit.layer"),
        ("cli", "flows.convert"),
    ],
)
def test_the_rule_sees_a_back_arrow(importer: str, imported: str) -> None:
    assert not _allowed(importer, imported)


def test_no_modules_import_each_other_when_loaded() -> None:
    graph: dict[str, set[str]] = {}
    for one in imports():
        if one.at_load and one.importer != one.imported:
            graph.setdefault(one.importer, set()).add(one.imported)
    assert _circle(graph) == []
    assert _circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) != []


def _circle(graph: dict[str, set[str]]) -> list[str]:
    """The modules that are left when those without unresolved imports are taken away again and again."""
    left = {module: set(needs) for module, needs in graph.items()}
    while True:
        done = {module for needs in left.values() for module in needs} - set(left)
        done |= {module for module, needs in left.items() if not needs}
        if not done:
            return sorted(left)
        left = {module: needs - done for module, needs in left.items() if module not in done}


def test_no_public_name_is_a_child_of_the_package() -> None:
    children = {
        path.stem for path in PACKAGE.iterdir() if path.suffix in (".py", "") and path.stem != "__pycache__"
    }
    assert set(spikeloom.__all__) & children == set()


def test_the_package_files_of_folders_are_empty() -> None:
    inits = [path for path in PACKAGE.rglob("__init__.py") if path.parent != PACKAGE]
    assert [str(path) for path in inits if path.read_text(encoding="utf-8")] == []
    without = {path.parent for path in python_files(PACKAGE)} - {path.parent for path in inits} - {PACKAGE}
    assert without == set()


def test_every_public_name_is_loaded_from_its_home() -> None:
    for name in spikeloom.__all__:
        assert getattr(spikeloom, name).__module__.startswith("spikeloom.")
    assert sorted(spikeloom.__all__) == spikeloom.__all__
    assert set(spikeloom.__all__) <= set(dir(spikeloom))
    with pytest.raises(AttributeError, match="has no attribute 'no_such_name'"):
        spikeloom.no_such_name  # noqa: B018


def test_the_top_folder_is_as_the_design_fixes_it() -> None:
    fixed = {"CMakeLists.txt", "pyproject.toml", "README.md", "cpp", "python", "tests", "hw_profiles"}
    beside = {"LICENSE", "CHANGELOG.md", ".ci", ".clang-format", ".gitignore", "CMakePresets.json"}
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard")
    names = listed.stdout.split() if listed.returncode == 0 else [path.name for path in ROOT.iterdir()]
    found = {Path(name).parts[0] for name in names}
    assert fixed <= found
    if listed.returncode == 0:
        assert found <= fixed | beside


def test_module_names_are_read_from_paths() -> None:
    assert module_name(PACKAGE / "fit" / "problem.py") == "fit.problem"
    assert module_name(PACKAGE / "fit" / "__init__.py") == "fit"
    assert module_name(PACKAGE / "__init__.py") == ""
