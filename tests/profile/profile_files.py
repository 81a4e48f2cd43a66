"""Profile files for the tests: the sound one, and the same with one thing changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from spikeloom.errors import ProfileError
from spikeloom.profile.catalog import load_profile

SOUND = (Path(__file__).parent / "sound.toml").read_text(encoding="utf-8")


def written(folder: Path, name: str, text: str) -> Path:
    """A file of that text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def changed(*edits: tuple[str, str]) -> str:
    """The sound profile with texts replaced, each of which must stand in it exactly once."""
    text = SOUND
    for old, new in edits:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in sound.toml"
        text = text.replace(old, new)
    return text


def findings_of(folder: Path, text: str, name: str = "sound.toml") -> tuple[str, ...]:
    """The findings with which a profile text is refused."""
    with pytest.raises(ProfileError) as caught:
        load_profile(written(folder, name, text))
    assert "\n" not in str(caught.value)
    return caught.value.findings
