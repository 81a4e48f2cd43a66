"""Do lint, format and types pass, and are generated files fresh?"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from source_tree import PACKAGE, ROOT, run, text_files, tool
from spikeloom.profile import documentation


def test_ruff_finds_nothing() -> None:
    done = run(tool("ruff"), "check", ".")
    assert done.returncode == 0, done.stdout


def test_python_is_formatted() -> None:
    done = run(tool("ruff"), "format", "--check", ".")
    assert done.returncode == 0, done.stdout + done.stderr


def test_types_hold() -> None:
    done = run(tool("mypy"))
    assert done.returncode == 0, done.stdout


def test_cpp_is_formatted() -> None:
    files = [str(path) for path in text_files() if path.suffix in (".cpp", ".hpp", ".h")]
    done = run(tool("clang-format"), "--dry-run", "--Werror", *files)
    assert sorted({line.partition(":")[0] for line in done.stderr.splitlines() if "error:" in line}) == []
    assert done.returncode == 0, done.stderr


def test_profile_tables_and_json_schema_are_fresh() -> None:
    stale = [
        path.name
        for path, text in documentation.generated(ROOT / "hw_profiles").items()
        if path.read_text(encoding="utf-8") != text
    ]
    assert stale == []


def test_the_stub_of_the_extension_is_fresh(tmp_path: Path) -> None:
    pytest.importorskip("spikeloom._core", reason="the extension is not built")
    command = (sys.executable, "-m", "pybind11_stubgen", "spikeloom._core", "-o", str(tmp_path))
    done = run(*command, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    made = (tmp_path / "spikeloom" / "_core.pyi").read_text(encoding="utf-8")
    assert (PACKAGE / "_core.pyi").read_text(encoding="utf-8") == made


def test_a_stale_file_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "README.md").write_text("# By hand\n", encoding="utf-8")
    assert documentation.main(["--check", str(tmp_path)]) == 1
    assert "schema.json is stale" in capsys.readouterr().err
    assert documentation.main([str(tmp_path)]) == 0
    assert documentation.main(["--check", str(tmp_path)]) == 0
    assert (tmp_path / "README.md").read_text(encoding="utf-8").startswith("# By hand\n")
