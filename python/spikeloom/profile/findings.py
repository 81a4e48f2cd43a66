"""Schema errors as findings: one line each, "dotted.key: what is wrong; did you mean ...?"."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from spikeloom.errors import ProfileError
from spikeloom.profile.cycle_tables import CONTROLLERS
from spikeloom.profile.dotted import CUTOFF, nearest
from spikeloom.profile.operations import OPERATIONS
from spikeloom.profile.schema import Profile


def profile_error(name: str, findings: Iterable[str]) -> ProfileError:
    """One `ProfileError` that holds every finding about a profile, in one line and as `.findings`."""
    found = tuple(findings)
    error = ProfileError(f"profile {name}", "; ".join(found))
    error.findings = found
    return error


def schema_findings(error: ValidationError, document: dict[str, Any]) -> list[str]:
    """A pydantic error as findings, one for each dotted key of the document."""
    messages: dict[str, list[str]] = {}
    for detail in error.errors(include_url=False):
        key = ".".join(_parts(detail["loc"], document)) or "profile"
        message = _message(detail, document)
        known = messages.setdefault(key, [])
        if message not in known:
            known.append(message)
    return [f"{key}: {' or '.join(found)}" for key, found in messages.items()]


def without_unknown_keys(error: ValidationError, document: dict[str, Any]) -> bool:
    """Delete the unknown keys from a document; False where it has other errors as well."""
    details = error.errors(include_url=False)
    for detail in details:
        if detail["type"] == "extra_forbidden":
            node, key = document, detail["loc"][-1]
            for part in detail["loc"][:-1]:
                node = _child(node, part)
            node.pop(str(key), None)
    return all(detail["type"] == "extra_forbidden" for detail in details)


def _parts(location: tuple[int | str, ...], node: Any) -> list[str]:
    """The dotted key of an error's location; the names of union branches are left out."""
    parts = []
    for place, part in enumerate(location):
        last = place == len(location) - 1
        if isinstance(node, dict) and (part in node or last):
            parts.append(str(part))
        elif isinstance(node, list) and isinstance(part, int):
            entry = node[part] if part < len(node) else None
            named = isinstance(entry, dict) and isinstance(entry.get("name"), str)
            parts.append(entry["name"] if named else str(part))  # type: ignore[index]
        node = _child(node, part)
    return parts


def _child(node: Any, part: int | str) -> Any:
    """One step into the document; a union branch is no step."""
    if isinstance(node, dict):
        return node.get(part) if part in node else node
    if isinstance(node, list) and isinstance(part, int) and part < len(node):
        return node[part]
    return node if isinstance(node, list) else None


def _message(detail: Any, document: dict[str, Any]) -> str:
    """What is wrong, and the nearest valid name."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(detail["loc"])
    if kind == "missing":
        return "is missing"
    if kind == "union_tag_invalid":
        what, known = _choices(context["discriminator"])
        near = nearest(str(context["tag"]), known)
        return f"unknown {what} {context['tag']}; {near or 'known: ' + ', '.join(known)}"
    if kind == "union_tag_not_found":
        what, _ = _choices(context["discriminator"])
        return f"names no {what}; write {context['discriminator'].strip(chr(39))} = ..."
    text = detail["msg"].removeprefix("Input should be ")
    return f"should be {text}, got {detail['input']!r}"


def _unknown_key(location: tuple[int | str, ...]) -> str:
    key = str(location[-1])
    siblings = [_alias(name, field) for name, field in _fields_at(location[:-1]).items()]
    near = difflib.get_close_matches(key, siblings, 1, CUTOFF)
    if not near and len(location) == 1:  # a key that was put outside its table
        near = [place for place in _schema_keys(Profile) if place.split(".")[-1] == key]
    return f"unknown key; did you mean {near[0]}?" if near else "unknown key"


def _alias(name: str, field: Any) -> str:
    return str(field.alias or name)


def _fields_at(location: tuple[int | str, ...]) -> dict[str, Any]:
    """The fields of the schema class that a location points to."""
    annotation: Any = Profile
    for part in location:
        annotation = _step(annotation, part)
    models = [a for a in (annotation, *get_args(annotation)) if _is_model(a)]  # an optional table is a union
    return dict(models[0].model_fields) if models else {}


def _step(annotation: Any, part: int | str) -> Any:
    if _is_model(annotation):
        fields = {_alias(name, field): field.annotation for name, field in annotation.model_fields.items()}
        return fields.get(str(part))
    if get_origin(annotation) is tuple:
        return get_args(annotation)[0]
    if get_origin(annotation) is dict:
        return get_args(annotation)[1]
    tagged = [branch for branch in (*OPERATIONS, *CONTROLLERS) if _tag(branch) == part]
    return tagged[0] if tagged else annotation


def _choices(discriminator: str) -> tuple[str, list[str]]:
    """What a tag chooses, and the tags that exist."""
    if "controller" in discriminator:
        return "controller", [_tag(controller) for controller in CONTROLLERS]
    return "operation", [_tag(operation) for operation in OPERATIONS]


def _tag(branch: Any) -> str:
    """The name by which a profile asks for an operation or a controller."""
    field = branch.model_fields["controller" if branch in CONTROLLERS else "op"]
    return str(get_args(field.annotation)[0])


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _schema_keys(model: Any, key: str = "") -> list[str]:
    """Dotted keys of all fields; an entry of a list or table is left unnamed."""
    keys = []
    for name, field in model.model_fields.items():
        below = f"{key}.{_alias(name, field)}" if key else _alias(name, field)
        inner = next((a for a in (field.annotation, *get_args(field.annotation)) if _is_model(a)), None)
        keys += [below, *(_schema_keys(inner, below) if inner else [])]
    return keys
