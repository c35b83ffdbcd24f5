"""Untrusted text as Markdown that shows it and makes nothing of it."""

import re
import unicodedata

# Every character that begins a construct inside a line of Markdown, HTML or a template, as an entity: entities are
# text in every Markdown dialect, which backslash escapes are not.
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", **{c: f"&#{ord(c)};" for c in "\\`*_{}[]!#|~^"}})
_LINE_START = re.compile(r"[-+=:]|[0-9]+[.)]")


def escape(text: str) -> str:
    """Markdown that shows exactly `text` on one line and makes no element of it, whatever it holds.

    Line feeds become spaces; control characters, which a record never holds, become U+FFFD.
    """
    start = _LINE_START.match(text)
    if start is None:
        return inline(text)
    mark = start.end() - 1
    return f"{inline(text[:mark])}&#{ord(text[mark])};{inline(text[mark + 1 :])}"


def inline(text: str) -> str:
    """The same within a line that something else begins."""
    text = "".join("\ufffd" if unicodedata.category(c) == "Cc" else c for c in text.replace("\n", " "))
    return text.translate(_ENTITIES)
