"""What docs/settings.md says of each setting: as comments of a new file, as a JSON schema, and for `config`.

The table there is the one place where a setting is described; a test compares it with the program.
"""

import json
import re
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from generator.base import files
from generator.base.errors import ConfigError
from generator.base.publication import Outcome, Publication
from generator.base.settings import FORMS, KNOWN, Settings, read_settings

_ROW = re.compile(r"\| `(\w+)` \| `.*?` \| (.+) \|")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


def documents() -> dict[str, Path]:
    """The documents of this program, by name, as they are installed."""
    from generator.site.build import shipped_folders

    return {path.stem: path for path in sorted(shipped_folders()[0].glob("*.md"))}


def docs(_: Publication, name: str | None) -> Outcome:
    """A document of the program, or the list of them."""
    known = documents()
    if name is None:
        titles = {one: path.read_text(encoding="utf-8").split("\n", 1)[0].lstrip("# ") for one, path in known.items()}
        width = max(map(len, titles))
        return Outcome(tuple(f"{one:{width}}  {title}" for one, title in titles.items()), {"documents": titles})
    if name not in known:
        raise ConfigError(f"{name}: no document of this name", hint=f"Documents: {', '.join(known)}.")
    text = files.read(known[name], "a document").decode()
    return Outcome((text.rstrip(),), {"document": name, "text": text})


def descriptions() -> dict[str, str]:
    """Each setting and what it is, in plain text."""
    page = documents()["settings"].read_text(encoding="utf-8")
    found = {name: _LINK.sub(r"\1", text).replace("`", "") for name, text in _ROW.findall(page)}
    return {item.name: found[item.name] for item in fields(Settings)}


def schema() -> dict[str, Any]:
    """The settings as a JSON schema (draft 7, which editors of TOML read)."""
    said, defaults = descriptions(), asdict(Settings())
    members: dict[str, Any] = {}
    for name, kind in KNOWN.items():
        value: dict[str, Any] = {"description": said[name], "default": defaults[name]}
        if kind is bool:
            value["type"] = "boolean"
        else:
            # A number stands for its text; the pattern then holds for texts alone, as JSON Schema has it.
            value["type"] = ["string", "number"] if name in FORMS and FORMS[name][0].fullmatch("1") else "string"
            if name in FORMS:
                value["pattern"] = f"^(?:{FORMS[name][0].pattern})$"
        members[name] = value
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Settings of a publication (prior-art.toml)",
        "type": "object",
        "additionalProperties": False,
        "properties": members,
    }


def commented(chosen: dict[str, str | bool]) -> str:
    """`prior-art.toml` with every setting and what it is: those of `chosen` set, the others as comments."""
    defaults, lines = asdict(Settings()), ["#:schema ./prior-art.schema.json"]
    lines += ["# Settings of this publication; in full: prior-art docs settings. A line without # is set.", ""]
    for name, said in descriptions().items():
        value = chosen.get(name, defaults[name])
        lines += [f"# {said}", f"{'' if name in chosen else '# '}{name} = {toml(value)}", ""]
    return "\n".join(lines)


def toml(value: str | bool) -> str:
    """A basic string of TOML, or a truth value."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value).lower()


def show(publication: Publication, setting: str | None) -> Outcome:
    """Every effective setting and where it comes from, or the value of one. Raises ConfigError."""
    settings, places = read_settings(publication.root)
    values = asdict(settings)
    if setting is not None:
        if setting not in values:
            raise ConfigError(f"{setting}: no setting of this name", hint=f"Settings: {', '.join(values)}.")
        value = values[setting]
        said = value if isinstance(value, str) else toml(value)
        return Outcome((said,), {"setting": setting, "value": value, "from": places.get(setting, "default")})
    width = max(map(len, values))
    lines = [f"{name:{width}} = {toml(value)}  # {places.get(name, 'default')}" for name, value in values.items()]
    figures = [{"setting": name, "value": value, "from": places.get(name, "default")} for name, value in values.items()]
    return Outcome((*lines, f"{'':{width}}   the log is {settings.log_origin}"), {"settings": figures})


def show_schema(_: Publication) -> Outcome:
    value = schema()
    return Outcome((json.dumps(value, indent=2, ensure_ascii=False),), value)
