"""Are profiles found and loaded by every name they may be given?"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import spikeloom as sl
from profile_files import SOUND, changed, findings_of, written
from spikeloom.profile.catalog import resolve, toml_of
from spikeloom.profile.schema import Profile

DERIVED = """
schema = 1
base = "sound.toml"
[chip]
id = "mine"
name = "Mine"
[override]
"weights.bits" = 3
"operation.fire.cmp" = "gt"
[provenance]
"weights.bits" = { source = "own", status = "derived" }
[variant.wide]
"regs.v.bits" = 24
"""


@pytest.mark.parametrize("name", sl.list_profiles())
def test_every_listed_name_loads_under_that_name(name: str) -> None:
    assert sl.load_profile(name).name == name


def test_the_first_profiles_and_their_variants_are_listed() -> None:
    assert {"ideal", "loihi1", "loihi1:brian", "loihi1:lava", "loihi1:nengo"} <= set(sl.list_profiles())


def test_a_file_loads_by_text_and_by_path_and_with_a_variant(tmp_path: Path) -> None:
    path = written(tmp_path, "sound.toml", SOUND)
    assert sl.load_profile(path) == sl.load_profile(str(path))
    assert sl.load_profile(f"{path}:narrow") == sl.load_profile(Path(f"{path}:narrow"))
    assert sl.load_profile(f"{path}:narrow").name == "sound:narrow"
    assert sl.load_profile(f"{path}:narrow").regs["v"].bits == 8


def test_a_loaded_profile_loads_as_itself() -> None:
    profile = sl.load_profile("loihi1")
    assert sl.load_profile(profile) is profile


def test_what_a_program_file_keeps_of_a_profile_gives_the_profile_back() -> None:
    for name in sl.list_profiles():
        profile = sl.load_profile(name)
        kept = resolve(profile.model_dump(mode="json", by_alias=True), profile.name)
        assert kept == profile
        assert kept.hash == profile.hash


def test_a_variant_changes_what_it_says_and_the_hash() -> None:
    plain, lava = sl.load_profile("loihi1"), sl.load_profile("loihi1:lava")
    assert lava.regs["u"].overflow == "wrap_lava24"
    assert lava.hash != plain.hash
    assert lava.regs["q"] == plain.regs["q"]


def test_the_printed_text_of_a_profile_loads_to_the_same_profile(tmp_path: Path) -> None:
    path = written(tmp_path, "loihi1.toml", toml_of("loihi1"))
    assert sl.load_profile(path) == sl.load_profile("loihi1")


def test_a_derived_file_is_its_base_with_its_overrides(tmp_path: Path) -> None:
    written(tmp_path, "sound.toml", SOUND)
    derived = sl.load_profile(written(tmp_path, "mine.toml", DERIVED))
    overrides = {"weights.bits": 3, "operation.fire.cmp": "gt", "chip.name": "Mine"}
    by_hand = sl.load_profile(tmp_path / "sound.toml", override=overrides)
    assert derived.name == "mine"
    assert _behaviour(derived) == _behaviour(by_hand)
    assert derived.provenance["weights.bits"].source == "own"
    assert sl.load_profile(f"{tmp_path / 'mine.toml'}:wide").regs["v"].bits == 24


def test_a_derived_file_may_start_from_a_shipped_variant(tmp_path: Path) -> None:
    text = 'schema = 1\nbase = "loihi1:lava"\n[chip]\nid = "mine"\n'
    derived = sl.load_profile(written(tmp_path, "mine.toml", text))
    assert _behaviour(derived) == _behaviour(sl.load_profile("loihi1:lava"))
    assert derived.variant == {}


def _behaviour(profile: Profile) -> dict[str, object]:
    content = profile.model_dump(exclude={"name", "provenance", "variant"})
    del content["chip"]["id"]
    return content


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ('schema = 1\nbase = "sound.toml"\n[weights]\nbits = 3\n[chip]\nid = "mine"\n', "weights: a derived"),
        ('schema = 2\nbase = "sound.toml"\n[chip]\nid = "mine"\n', "schema: should be 1, got 2"),
        ('schema = 1\nbase = "sound.toml"\n', "base, chip.id: a derived profile needs"),
        ('schema = 1\nbase = 3\n[chip]\nid = "mine"\n', "base, chip.id: a derived profile needs"),
        ('schema = 1\nbase = "sound.toml"\noverride = 3\n[chip]\nid = "mine"\n', "override: must be a table"),
        ('schema = 1\nbase = "sound.toml"\n[chip]\nid = "yours"\n', "chip.id: yours is not the file's name"),
        (DERIVED.replace("weights.bits", "weights.bitz"), "weights.bitz: matches nothing; did you mean weig"),
        (DERIVED.replace("regs.v.bits", "regs.w.bits"), "variant.wide.regs.w.bits: matches nothing"),
    ],
)  # fmt: skip
def test_a_broken_derived_file_is_refused(tmp_path: Path, text: str, finding: str) -> None:
    written(tmp_path, "sound.toml", SOUND)
    assert any(found.startswith(finding) for found in findings_of(tmp_path, text, "mine.toml"))


@pytest.mark.parametrize("name", ["one", "./one"])
def test_files_that_are_each_others_base_are_refused(tmp_path: Path, name: str) -> None:
    for own, other in (("one", "two"), ("two", "one")):
        written(tmp_path, f"{own}.toml", f'schema = 1\nbase = "{other}.toml"\n[chip]\nid = "{own}"\n')
    with pytest.raises(sl.ProfileError, match="is its own base: .*one.toml -> .*two.toml -> .*one.toml"):
        sl.load_profile(f"{tmp_path}/{name}.toml")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("loihi2", "does not exist; did you mean loihi1?"),
        ("loihi1:lawa", "has no variant lawa; did you mean lava?"),
        ("ideal:lava", "has no variant lava; known: none"),
        ("nowhere/my.toml", "cannot be read: No such file or directory"),
        (Path("nowhere"), "cannot be read: No such file or directory"),
    ],
)
def test_an_unknown_source_is_refused_with_the_nearest_name(source: str | Path, message: str) -> None:
    with pytest.raises(sl.ProfileError) as caught:
        sl.load_profile(source)
    assert message in str(caught.value)


@pytest.mark.parametrize("content", [b"schema = ", b"\xff\xfe", b"a = 1\na = 2\n"])
def test_what_is_no_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "my.toml"
    path.write_bytes(content)
    with pytest.raises(sl.ProfileError, match="is no TOML"):
        sl.load_profile(path)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(sl.ProfileError, match="cannot be read"):
        sl.load_profile(tmp_path)


def test_the_id_is_the_file_name_and_the_name_is_made_by_the_loader(tmp_path: Path) -> None:
    assert findings_of(tmp_path, SOUND, "other.toml") == ("chip.id: sound is not the file's name other",)
    named = changed(("schema = 1", 'schema = 1\nname = "mine"'))
    assert findings_of(tmp_path, named) == ("name: is made by the loader; the chip's name is chip.name",)


def test_a_broken_variant_is_refused_with_the_file(tmp_path: Path) -> None:
    text = changed(('"regs.v.bits" = 8', '"regs.v.bits" = 80\n"operation.fier.cmp" = "gt"'))
    assert findings_of(tmp_path, text) == (
        "variant.narrow.operation.fier.cmp: matches nothing; did you mean operation.fire.cmp?",
    )
    text = changed(('"regs.v.bits" = 8', '"regs.v.bits" = 80'))
    assert findings_of(tmp_path, text) == (
        "variant.narrow.regs.v.bits: should be less than or equal to 32, got 80",
    )


def test_a_profile_in_the_working_folder_is_not_taken_for_a_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "loihi1.toml", "nonsense")
    monkeypatch.chdir(tmp_path)
    assert sl.load_profile("loihi1").chip.name == "Intel Loihi 1"
    shutil.copy(written(tmp_path, "sound.toml", SOUND), tmp_path / "copy.toml")
    with pytest.raises(sl.ProfileError, match="is not the file's name copy"):
        sl.load_profile("copy.toml")
