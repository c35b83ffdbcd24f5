"""Settings: defaults, then `[tool.prior-art]` of pyproject.toml or the whole of prior-art.toml, then environment, then flags."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from generator.errors import ConfigError

ENVIRONMENT_PREFIX = "PRIOR_ART_"
FILE = "prior-art.toml"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a publication decides. In the environment: PRIOR_ART_ and the name in capitals."""

    title: str = "Prior Art Press"
    prefix: str = "PAP"
    publisher: str = "Prior Art Press"
    contact: str = ""
    site_url: str = "http://localhost:8000/"
    origin: str = ""
    vkey: str = ""
    profile: str = "kl3m-002-170m-patent"
    top_down_share: str = "0.5"
    output: str = "output"
    demonstration: bool = False

    @property
    def log_origin(self) -> str:
        """The origin line of checkpoints: a scheme-less URL, by default the site's."""
        return self.origin or self.site_url.partition("://")[2].rstrip("/") + "/log"


def load_settings(root: Path, environment: Mapping[str, str] = os.environ, **flags: Any) -> Settings:
    """Settings of the project folder `root`; flags that are None were not given. Raises ConfigError."""
    settings = Settings()
    for values, source in (*_files(root), (_environment(environment), "environment")):
        settings = _with(settings, values, source)
    return _with(settings, {k: v for k, v in flags.items() if v is not None}, "command line")


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
            values = values.get(key, {})
        found.append((values, str(path)))
    return found


def _environment(environment: Mapping[str, str]) -> dict[str, Any]:
    names = {field.name for field in fields(Settings)}
    found: dict[str, Any] = {}
    for name in names:
        if (value := environment.get(ENVIRONMENT_PREFIX + name.upper())) is not None:
            found[name] = value
    return found


def _with(settings: Settings, values: dict[str, Any], source: str) -> Settings:
    known = {field.name: type(getattr(settings, field.name)) for field in fields(Settings)}
    checked: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise ConfigError(
                f"{source}: unknown setting {name!r}", hint=f"Known settings: {', '.join(sorted(known))}."
            )
        if known[name] is bool and isinstance(value, str):
            value = {"true": True, "1": True, "false": False, "0": False}.get(value.lower(), value)
        if known[name] is str and isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, known[name]):
            raise ConfigError(f"{source}: {name} = {value!r}: a {known[name].__name__} is expected")
        checked[name] = value
    return replace(settings, **checked)
