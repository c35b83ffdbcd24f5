"""Settings: defaults, then `[tool.prior-art]` of pyproject.toml, then prior-art.toml, then environment, then flags.

docs/settings.md lists them for publishers; a test compares the two. The signing key is no setting: it comes from a file
that a flag names, or from PRIOR_ART_KEY, and is read only where something is signed.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from generator.base.errors import ConfigError
from generator.base.values import KINDS, Faults, read

ENVIRONMENT_PREFIX = "PRIOR_ART_"
KEY_VARIABLE = "PRIOR_ART_KEY"
FILE = "prior-art.toml"
HINT = "docs/settings.md lists the settings, their forms and their defaults."


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a publication decides. In the environment: PRIOR_ART_ and the name in capitals."""

    title: str = "Prior Art Press"
    prefix: str = "PAP"
    publisher: str = "Prior Art Press"
    contact: str = ""
    imprint: str = ""
    license_line: str = ""
    accent: str = "#1d4f86"
    mark: str = ""
    site_url: str = "http://localhost:8000/"
    origin: str = ""
    vkey: str = ""
    profile: str = "kl3m-002-170m-patent"
    top_down_share: str = "0.5"
    output: str = "output"
    corpus: str = ""
    calibration: str = ""
    reader: str = ""
    topics: str = ""
    count: str = ""
    drafts: str = ""
    minutes: str = ""
    destination: str = ""
    facts_remote: str = ""
    facts_branch: str = "publication"
    pages_branch: str = "gh-pages"
    authorities: str = ""
    calendars: str = ""
    observers: str = ""
    witnesses: str = ""
    oai_gateway: str = ""
    archive: str = ""
    block_headers: str = "https://blockstream.info/api"
    contributions: str = ""
    contributions_sample: str = "1"
    demonstration: bool = False
    watts: str = ""
    price_per_cpu_hour: str = ""
    price_per_kwh: str = ""
    currency: str = ""

    @property
    def log_origin(self) -> str:
        """The origin line of checkpoints: a scheme-less URL, by default the site's."""
        return self.origin or self.site_url.partition("://")[2].rstrip("/") + "/log"


def is_local(address: str) -> bool:
    """Whether a URL, or an origin without scheme, names the machine itself."""
    host = address.rpartition("://")[2].partition("/")[0].lower()
    host = host.partition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    return host in ("localhost", "0.0.0.0", "::1") or host.endswith(".localhost") or host.startswith("127.")


KNOWN = {field.name: type(field.default) for field in fields(Settings)}
NUMBER = re.compile(r"(\d{1,9}(\.\d{1,9})?)?")
WHOLE = re.compile(r"([1-9]\d{0,6})?", re.ASCII)
FORMS = {
    "title": (re.compile(r"[^\x00-\x1f]{1,200}"), "one line of 1 to 200 characters"),
    "prefix": (re.compile(r"[A-Z]{2,8}"), "two to eight capital letters"),
    "publisher": (re.compile(r"[^\x00-\x1f]{1,200}"), "one line of 1 to 200 characters"),
    "contact": (re.compile(r"[^\x00-\x1f]{0,200}"), "one line of at most 200 characters"),
    "imprint": (re.compile(r"[^\x00-\x1f]{0,300}"), "one line of at most 300 characters, or an https address"),
    "license_line": (re.compile(r"[^\x00-\x1f]{0,300}"), "one line of at most 300 characters"),
    "accent": (re.compile(r"#[0-9A-Fa-f]{6}"), "a colour such as #1d4f86"),
    "mark": (re.compile(r"[^\x00-\x1f]*"), "an SVG file"),
    "site_url": (re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?/"), "an http or https URL that ends in a slash"),
    "origin": (re.compile(r"([^\s+]+)?"), "a URL without scheme, white space and plus signs"),
    "vkey": (re.compile(r"([^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+)?"), "a verification key as `key new` prints it"),
    "top_down_share": (re.compile(r"0|1|0?\.\d+|[01]\.0+"), "a decimal number from 0 to 1, such as 0.5"),
    "corpus": (re.compile(r"[^\x00-\x1f]*"), "a folder"),
    "calibration": (re.compile(r"[^\x00-\x1f]*"), "a file"),
    "reader": (re.compile(r"[^\x00-\x1f]*"), "a model profile, none, or nothing"),
    "topics": (re.compile(r"[^\x00-\x1f]*"), "a file"),
    "count": (WHOLE, "a whole number above 0, or nothing"),
    "drafts": (WHOLE, "a whole number above 0, or nothing"),
    "minutes": (WHOLE, "a whole number above 0, or nothing"),
    "destination": (
        re.compile(r"((git|folder|run):[^\x00-\x1f]+)?"),
        "git:REMOTE, folder:PATH, run:COMMAND, or nothing",
    ),
    "contributions": (WHOLE, "a whole number above 0, or nothing"),
    "contributions_sample": (
        re.compile(r"1(\.0+)?|0?\.\d*[1-9]\d*"),
        "a decimal number above 0 and at most 1, such as 0.1",
    ),
    "watts": (NUMBER, "a decimal number, or nothing"),
    "price_per_cpu_hour": (NUMBER, "a decimal number, or nothing"),
    "price_per_kwh": (NUMBER, "a decimal number, or nothing"),
    "currency": (re.compile(r"[A-Z]{0,3}"), "three capital letters, such as EUR"),
    "authorities": (re.compile(r"[^\x00-\x1f]*"), "names of authorities or their files, with blanks between them"),
    "archive": (re.compile(r"(https?://[^\s?#]+[^\s?#/])?"), "an http or https URL without a slash at the end"),
    "witnesses": (re.compile(r"[^\x00-\x1f]*"), "files of witnesses, with blanks between them"),
    "observers": (re.compile(r"[^\x00-\x1f]*"), "files of observers, with blanks between them"),
    "oai_gateway": (re.compile(r"(https?://[^\s?#]+)?"), "an http or https URL, or nothing"),
    "calendars": (re.compile(r"[^\x00-\x1f]*"), "addresses of calendars, with blanks between them"),
    "block_headers": (re.compile(r"https?://[^\s?#]+[^\s?#/]"), "an http or https URL without a slash at the end"),
    "output": (re.compile(r"[^\x00-\x1f]+"), "a folder"),
    "facts_branch": (re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*"), "the name of a git branch"),
    "pages_branch": (re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*"), "the name of a git branch"),
}


def load_settings(root: Path, environment: Mapping[str, str] = os.environ, **flags: Any) -> Settings:
    """Settings of the project folder `root`; flags that are None were not given. Raises ConfigError with all faults."""
    return read_settings(root, environment, **flags)[0]


def read_settings(
    root: Path, environment: Mapping[str, str] = os.environ, **flags: Any
) -> tuple[Settings, dict[str, str]]:
    """`load_settings`, and for each setting that somebody set, where it was set."""
    given = {name: value for name, value in flags.items() if value is not None}
    sources = [*_files(root), (_environment(environment), "environment"), (given, "command line")]
    chosen: dict[str, Any] = {}
    places: dict[str, str] = {}
    faults: list[str] = []
    for values, source in sources:
        found, wrong = checked(values)
        chosen |= found
        places |= dict.fromkeys(found, source)
        faults += [f"{source}: {fault}" for fault in wrong]
    if faults:
        raise ConfigError("\n".join(faults), hint=f"Known settings: {', '.join(sorted(KNOWN))}. {HINT}")
    return Settings(**chosen), places


def _files(root: Path) -> list[tuple[dict[str, Any], str]]:
    found = []
    for name, table in (("pyproject.toml", ("tool", "prior-art")), (FILE, ())):
        path = root / name
        if not path.exists():
            continue
        try:
            values: Any = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path}: {error}", hint="Mend the TOML; docs/settings.md lists the settings.") from error
        for key in table:
            values = values.get(key, {}) if isinstance(values, dict) else values
        if not isinstance(values, dict):
            raise ConfigError(f"{path}: [tool.prior-art] is no table", hint=HINT)
        found.append((values, str(path)))
    return found


def _environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """Every PRIOR_ART_ variable but the key: a misspelt one is an unknown setting, not a silent default."""
    return {
        name.removeprefix(ENVIRONMENT_PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(ENVIRONMENT_PREFIX) and name != KEY_VARIABLE
    }


def checked(values: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The values of one source in the types of the settings, and a sentence for each that is wrong."""
    found: dict[str, Any] = {}
    faults: list[str] = []
    for name, given in values.items():
        if name not in KNOWN:
            faults.append(f"unknown setting {name!r}")
            continue
        value = given
        if KNOWN[name] is bool and isinstance(value, str):
            value = {"true": True, "1": True, "false": False, "0": False}.get(value.lower(), value)
        if KNOWN[name] is str and isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        try:
            found[name] = read(KNOWN[name], value, f"{name} = {value!r}")
        except Faults:
            faults.append(f"{name} = {value!r}: {KINDS[KNOWN[name]]} is expected")
            continue
        if name in FORMS and not FORMS[name][0].fullmatch(value):
            faults.append(f"{name} = {value!r}: {FORMS[name][1]} is expected")
    return found, faults
