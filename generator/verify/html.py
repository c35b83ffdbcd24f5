"""A page as a tree, read so strictly that a browser can read nothing else from it.

Pages of this project hold few kinds of elements. Whatever a browser and this reader could understand differently
(raw text elements, foreign markup, tables within paragraphs, unclosed tags) is refused, not interpreted.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from generator.base.errors import VerificationError

VOID = frozenset(
    ["area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)
# Whose content a browser does not show as text, or does not read as markup.
REFUSED = {
    *("applet", "base", "embed", "frame", "frameset", "iframe", "listing", "marquee", "math", "noembed", "noframes"),
    *("noscript", "object", "param", "plaintext", "portal", "select", "slot", "style", "svg", "template"),
    *("textarea", "xmp"),
}
MAX_DEPTH = 200
MAX_ELEMENTS = 200_000
NUL = "\x00"


@dataclass(eq=False, slots=True)
class Element:
    tag: str
    attributes: dict[str, str]
    children: list["Element | str"] = field(default_factory=list)
    parent: "Element | None" = None

    @property
    def classes(self) -> set[str]:
        return set(self.attributes.get("class", "").split())

    @property
    def elements(self) -> list["Element"]:
        return [child for child in self.children if isinstance(child, Element)]

    def walk(self) -> list["Element"]:
        """This element and all in it, in document order."""
        found, waiting = [], [self]
        while waiting:
            one = waiting.pop()
            found.append(one)
            waiting.extend(reversed(one.elements))
        return found

    @property
    def text(self) -> str:
        parts: list[str] = []
        waiting: list[Element | str] = [self]
        while waiting:
            one = waiting.pop()
            if isinstance(one, str):
                parts.append(one)
            else:
                waiting.extend(reversed(one.children))
        return "".join(parts)


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self.at = self.root
        self.depth = self.count = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count += 1
        if tag in REFUSED:
            raise VerificationError(f"page: it holds an element {tag}, which pages of this project do not")
        names = [name for name, _ in attrs]
        if len(set(names)) != len(names):
            raise VerificationError(f"page: an element {tag} has an attribute twice")
        if self.depth >= MAX_DEPTH or self.count > MAX_ELEMENTS:
            raise VerificationError("page: too many elements, or nested too deep")
        made = Element(tag, {name: value or "" for name, value in attrs}, parent=self.at)
        self.at.children.append(made)
        if tag not in VOID:
            self.at, self.depth = made, self.depth + 1

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            raise VerificationError(f"page: an element {tag} is closed where it begins")

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if self.at.tag != tag or self.at.parent is None:
            raise VerificationError(f"page: the end tag of {tag} closes {self.at.tag or 'nothing'}")
        self.at, self.depth = self.at.parent, self.depth - 1

    def handle_data(self, data: str) -> None:
        if self.at.children and isinstance(self.at.children[-1], str):
            self.at.children[-1] += data
        else:
            self.at.children.append(data)

    def handle_comment(self, data: str) -> None:
        if any(one.tag == "body" for one in _ancestors(self.at)) or "--" in data or data.startswith((">", "->")):
            raise VerificationError("page: a comment stands in it, which browsers read in more than one way")

    def unknown_decl(self, data: str) -> None:
        raise VerificationError(f"page: a declaration {data[:20]!r} stands in it")

    def handle_pi(self, data: str) -> None:
        raise VerificationError(f"page: a processing instruction {data[:20]!r} stands in it")


def _ancestors(element: Element) -> list[Element]:
    found = []
    one: Element | None = element
    while one is not None:
        found.append(one)
        one = one.parent
    return found


def parse_page(text: str) -> Element:
    """Raises VerificationError for a page that is not built as pages of this project are."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if NUL in text:
        raise VerificationError("page: it holds a NUL character")
    builder = _Builder()
    builder.feed(text)
    builder.close()
    if builder.at is not builder.root:
        raise VerificationError(f"page: the element {builder.at.tag} is not closed")
    return builder.root
