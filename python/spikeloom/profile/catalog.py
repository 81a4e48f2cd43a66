"""Find and load profiles: by name, from a file, as a variant, or with overrides.

A variant, an override and a derived file (`base = ...`) are one mechanism: a table of dotted keys.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from spikeloom.errors import ProfileError
from spikeloom.profile.checks import soundness_findings
from spikeloom.profile.dotted import nearest, put, walk
from spikeloom.profile.findings import profile_error, schema_findings, without_unknown_keys
from spikeloom.profile.provenance import forget, remember
from spikeloom.profile.schema import Profile

FIXED = ("schema", "name", "variant", "provenance", "chip", "chip.id")  # what an override cannot touch
DERIVED = ("schema", "base", "chip", "override", "provenance", "variant")  # what a derived file may hold


def list_profiles() -> list[str]:
    """Every name that `load_profile` knows, each profile followed by its variants.

    Raises `ProfileError` where the installation holds no profiles.

    >>> list_profiles()[-2:]
    ['truenorth:strict', 'xylo_a2']
    """
    names = []
    for stem, file in sorted(_shipped().items()):
        variants = _parse(stem, file.read_bytes()).get("variant", {})
        names += [stem, *(f"{stem}:{variant}" for variant in sorted(variants))]
    return names


def load_profile(source: str | Path | Profile, *, override: Mapping[str, object] | None = None) -> Profile:
    """Load a profile and check it.

    Parameters
    ----------
    source : a name ("loihi1"), a file ("my.toml"), either with a variant ("loihi1:lava", "my.toml:fast"),
        or a profile that is already loaded.
    override : dotted keys and their new values; entries of lists are found by name
        ("weights.mode.mixed.min"). `None` as a value takes a limit or a cost away. Overridden values lose
        their source, and the overrides are shown in the profile's name and change its hash.

    Raises `ProfileError` with all problems in `.findings`.

    >>> load_profile("loihi1:lava", override={"weights.bits": 4}).name
    'loihi1:lava+weights.bits=4'
    """
    profile = source if isinstance(source, Profile) else _load(source, ())
    if not override:
        return profile
    name = profile.name + "".join(
        f"+{key}={_text(value)}" for key, value in override.items() if not key.startswith("provenance.")
    )
    return _changed(profile, override, name)


def resolve(document: Mapping[str, Any], name: str) -> Profile:
    """Check a parsed profile document and make the profile of it; the inverse of `Profile.model_dump`.

    Raises `ProfileError` with all problems in `.findings`.
    """
    own: dict[str, Any] = json.loads(_json({**document, "name": name}, name))
    try:
        profile, findings = _validated(own), []
    except ValidationError as error:
        findings = schema_findings(error, own)
        if not without_unknown_keys(error, own):
            raise profile_error(name, findings) from None
        profile = _validated(own)  # unknown keys aside, is the rest sound?
    findings += soundness_findings(profile)
    if findings:
        raise profile_error(name, findings)
    return profile


def toml_of(name: str) -> str:
    """The text of a shipped profile, to start an own one from. Raises `ProfileError` for an unknown name."""
    return _known(name).read_text(encoding="utf-8")


def _validated(document: dict[str, Any]) -> Profile:
    # Through JSON, because only there `strict` takes a list for a tuple; strict, so that "8" is not 8.
    return Profile.model_validate_json(_json(document, document["name"]), strict=True)


def _json(document: Any, name: str) -> str:
    try:
        return json.dumps(document, default=lambda value: value.item())  # numbers of numpy
    except (AttributeError, TypeError, ValueError):
        problem = "holds a value that is no number, text, list or table"
        raise ProfileError(f"profile {name}", problem) from None


def _text(value: object) -> str:
    return value if isinstance(value, str) else _json(value, "override")


def _load(source: str | Path, bases: tuple[str, ...]) -> Profile:
    """Load by name or path, with the variant that stands after a colon."""
    stem, content, variant = _located(source)
    if stem in bases:
        raise ProfileError(f"profile {stem}", f"is its own base: {' -> '.join((*bases, stem))}")
    document = _parse(stem, content)
    name = Path(stem).stem
    if "name" in document:
        raise profile_error(stem, ["name: is made by the loader; the chip's name is chip.name"])
    derived = "base" in document
    profile = _derived(document, stem, (*bases, stem)) if derived else resolve(document, name)
    variants, findings = _variants(profile)
    if profile.chip.id != name:
        findings.insert(0, f"chip.id: {profile.chip.id} is not the file's name {name}")
    if findings:
        raise profile_error(stem, findings)
    if variant and variant not in variants:
        remedy = nearest(variant, variants) or f"known: {', '.join(variants) or 'none'}"
        raise ProfileError(f"profile {stem}", f"has no variant {variant}", remedy=remedy)
    return variants[variant] if variant else profile


def _variants(profile: Profile) -> tuple[dict[str, Profile], list[str]]:
    """All variants of a profile, and what is wrong with those that do not load."""
    loaded, findings = {}, []
    for variant, changes in profile.variant.items():
        try:
            loaded[variant] = _changed(profile, changes, f"{profile.name}:{variant}")
        except ProfileError as error:
            findings += [f"variant.{variant}.{finding}" for finding in error.findings]
    return loaded, findings


def _derived(document: dict[str, Any], stem: str, bases: tuple[str, ...]) -> Profile:
    """The profile of a file that names a `base`: the base with the file's own chip, overrides and sources."""
    extra = [f"{key}: a derived profile says it in [override]" for key in document if key not in DERIVED]
    own = {key: document.get(key, {}) for key in ("chip", "override", "provenance", "variant")}
    extra += [f"{key}: must be a table" for key, table in own.items() if not isinstance(table, dict)]
    if document.get("schema") != 1:
        extra.append(f"schema: should be 1, got {document.get('schema')!r}")
    if not isinstance(document["base"], str) or "id" not in own["chip"]:
        extra.append("base, chip.id: a derived profile needs the name of its base and an id of its own")
    if extra:
        raise profile_error(stem, extra)
    place = document["base"]
    base = _load(Path(stem).parent / place if ".toml" in place else place, bases)
    chip = {f"chip.{key}": value for key, value in own["chip"].items()}
    return _changed(base, {**chip, **own["override"]}, Path(stem).stem, own["provenance"], own["variant"])


def _changed(
    profile: Profile,
    changes: Mapping[str, object],
    name: str,
    provenance: Mapping[str, object] | None = None,
    variants: Mapping[str, object] | None = None,
) -> Profile:
    """A profile with dotted keys changed; with `variants`, a file's own: they come with an id of its own."""
    document = profile.model_dump(mode="json", by_alias=True)
    sources = dict(provenance or {})
    findings = []
    for key, value in changes.items():
        if key.startswith("provenance."):
            sources[key.removeprefix("provenance.")] = value
        elif (key in FIXED or key.startswith("variant.")) and not (key == "chip.id" and variants is not None):
            findings.append(f"{key}: cannot be overridden")
        elif put(document, key, value):
            forget(document["provenance"], key)
        else:
            findings.append(f"{key}: matches nothing; {nearest(key, [known for known, _ in walk(document)])}")
    if findings:
        raise profile_error(name, findings)
    remember(document["provenance"], sources)
    return resolve(document if variants is None else document | {"variant": dict(variants)}, name)


def _located(source: str | Path) -> tuple[str, bytes, str]:
    """(name or path, content, variant) of a source."""
    text = str(source)
    file, ending, variant = text.rpartition(".toml:")
    if ending:
        return f"{file}.toml", _read(f"{file}.toml"), variant
    if isinstance(source, Path) or text.endswith(".toml"):
        return text, _read(text), ""
    stem, _, variant = text.partition(":")
    return stem, _known(stem).read_bytes(), variant


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ProfileError(f"profile {path}", f"cannot be read: {error.strerror}") from None


def _parse(stem: str, content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProfileError(f"profile {stem}", f"is no TOML: {error}") from None


def _known(name: str) -> Traversable:
    shipped = _shipped()
    if name not in shipped:
        remedy = f"{nearest(name, shipped)} known: {', '.join(sorted(shipped))}; a file ends in .toml"
        raise ProfileError(f"profile {name}", "does not exist", remedy=remedy)
    return shipped[name]


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Traversable]:
    """Name -> file of the profiles in the package, or in its source tree where the package holds none."""
    package = resources.files("spikeloom")
    for folder in (package / "hw_profiles", Path(__file__).parents[3] / "hw_profiles"):
        files = list(folder.iterdir()) if folder.is_dir() else []
        named = {file.name[:-5]: file for file in files if file.name.endswith(".toml")}
        if named:
            return named
    raise ProfileError("profiles", "are missing from this installation", remedy="install spikeloom again")
