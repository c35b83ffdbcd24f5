"""What makes a site its publisher's: the accent as a style sheet, and the mark. One file each, for all pages."""

import re
from pathlib import Path
from xml.etree import ElementTree

from generator.base import files
from generator.base.errors import ConfigError, PressError
from generator.base.settings import Settings

STYLE = "assets/identity.css"
MARK = "assets/icon.svg"
MARK_BYTES = 20_000
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3: text of the accent's colour on the page's
LIGHT_PAPER, DARK_PAPER = "#ffffff", "#15181c"  # --paper in press.css
_STEPS = 20
_ADDRESS = re.compile(r"(?i)\s*(?!#|data:image/)\S")


def style(settings: Settings) -> str:
    """The accent for light and dark pages. Raises ConfigError for one that cannot be read on white."""
    accent = settings.accent.lower()
    if (found := contrast(accent, LIGHT_PAPER)) < LEAST_CONTRAST:
        raise ConfigError(
            f"accent = {settings.accent!r}: its contrast with white is {found:.1f}, {LEAST_CONTRAST} is needed",
            hint="Choose a darker colour: links are set in it.",
        )
    lighter = (_mixed(accent, step / _STEPS) for step in range(_STEPS + 1))
    dark = next(colour for colour in lighter if contrast(colour, DARK_PAPER) >= 1.5 * LEAST_CONTRAST)
    return (
        f":root {{ --link: {accent}; }}\n"
        f'@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{ --link: {dark}; }} }}\n'
        f'@media screen {{ :root[data-theme="dark"] {{ --link: {dark}; }} }}\n'
    )


def mark(path: Path) -> bytes:
    """The bytes of a publisher's mark. Raises ConfigError for what is no small SVG that stands alone."""
    try:
        data = files.read(path, "the mark")
        if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            raise ValueError("it declares a document type")
        root = ElementTree.fromstring(data)
    except (PressError, ElementTree.ParseError, ValueError) as error:
        raise ConfigError(
            f"mark = {str(path)!r}: {error}", hint="Name an SVG file, from the project's folder."
        ) from error
    parts = [(_local(part.tag), {_local(name): value for name, value in part.attrib.items()}) for part in root.iter()]
    faults = [
        *(["it is no SVG"] if parts[0][0] != "svg" else []),
        *([f"it has {len(data):,} bytes, {MARK_BYTES:,} are allowed"] if len(data) > MARK_BYTES else []),
        *(f"it holds <{name}>" for name, _ in parts if name in ("script", "foreignObject", "style")),
        *(f"it holds {name}=" for _, values in parts for name in values if name.startswith("on")),
        *(f"it refers to {v[:60]}" for _, values in parts if (v := values.get("href", "")) and _ADDRESS.match(v)),
    ]
    if faults:
        raise ConfigError(f"mark = {str(path)!r}: {faults[0]}", hint="Name a small SVG of shapes alone.")
    return data


def contrast(one: str, other: str) -> float:
    """WCAG 2.2: 1 (none) to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    shares = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in shares)
    return sum(weight * x for weight, x in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _mixed(colour: str, white: float) -> str:
    parts = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(x + (255 - x) * white):02x}" for x in parts)


def _local(name: str) -> str:
    return name.rpartition("}")[2]
