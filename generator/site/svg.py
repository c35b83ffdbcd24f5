"""Drawing a figure as inline SVG. Text stays text, colours are the page's, the same calls give the same bytes.

The site's policy allows no inline style: every property is an attribute. Labels may hold anything: an XML library
writes them. Lengths are in the units of the view box, which are pixels where the page is wide enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree

SVG = "http://www.w3.org/2000/svg"
SIZE = 8.5  # of letters
GRID = {"stroke-width": 0.6, "stroke-opacity": 0.18}
FRAME = {"stroke-width": 0.6}
MARK = 2.6  # from the middle of a mark to its edge
CAP = 2.5  # from an interval to the end of its cap
SHAPES = (
    "M -1 0 A 1 1 0 1 0 1 0 A 1 1 0 1 0 -1 0 Z",  # circle
    "M -1 -1 H 1 V 1 H -1 Z",  # square
    "M 0 -1.1 L 1.1 1 H -1.1 Z",  # triangle
    "M 0 -1.3 L 1.3 0 L 0 1.3 L -1.3 0 Z",  # diamond
    "M 0 1.1 L 1.1 -1 H -1.1 Z",  # triangle on its tip
    "M -0.4 -1.2 H 0.4 V -0.4 H 1.2 V 0.4 H 0.4 V 1.2 H -0.4 V 0.4 H -1.2 V -0.4 H -0.4 Z",  # plus
)


@dataclass(frozen=True, slots=True)
class Box:
    """The edges of the part of a figure that has axes."""

    left: float
    right: float
    top: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure of `width` and `height`, and what has been drawn so far."""

    width: float
    height: float
    elements: list[ElementTree.Element] = field(default_factory=list)

    def line(self, x1: float, y1: float, x2: float, y2: float, **style: float) -> None:
        self._add("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke="currentColor", **style)

    def frame(self, box: Box) -> None:
        """The left and the lower edge."""
        self.line(box.left, box.top, box.left, box.bottom, **FRAME)
        self.line(box.left, box.bottom, box.right, box.bottom, **FRAME)

    def bar(self, x: float, y: float, end: float, height: float) -> None:
        self._add("rect", x=x, y=y, width=max(0.0, end - x), height=height, fill="currentColor", opacity=0.12)

    def path(self, points: Sequence[tuple[float, float]]) -> None:
        """A line through points, behind the marks."""
        joined = " ".join(f"{_number(x)},{_number(y)}" for x, y in points)
        self._add("polyline", points=joined, fill="none", stroke="currentColor", opacity=0.5)

    def interval(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """A line with a cap at each end."""
        self.line(x1, y1, x2, y2)
        across, along = (CAP, 0.0) if x1 == x2 else (0.0, CAP)
        for x, y in ((x1, y1), (x2, y2)):
            self.line(x - across, y - along, x + across, y + along)

    def mark(self, shape: int, x: float, y: float) -> None:
        """A mark of its own shape for each series."""
        place = f"translate({_number(x)} {_number(y)}) scale({MARK})"
        self._add("path", d=SHAPES[shape % len(SHAPES)], transform=place, fill="currentColor")

    def text(self, x: float, y: float, text: str, anchor: str, *, turned: bool = False) -> None:
        """`anchor`: start, middle or end of the text is at `x`; `turned`: it rises to there."""
        attributes: dict[str, str | float] = {"text-anchor": anchor, "font-size": SIZE}
        if turned:
            attributes["transform"] = f"rotate(-45 {_number(x)} {_number(y)})"
        self._add("text", x=x, y=y, fill="currentColor", **attributes).text = text

    def inline(self, name: str, title: str, said: str) -> str:
        """The figure as an element of a page, on one line: a blank line would end the block of HTML around it.

        `name` is unique on the page; `said` are the figure's numbers in words, for those who do not see it.
        """
        identifiers = f"figure-{name}-title", f"figure-{name}-text"
        attributes = {
            "viewBox": f"0 0 {_number(self.width)} {_number(self.height)}",
            "role": "img",
            "aria-labelledby": identifiers[0],
            "aria-describedby": identifiers[1],
            "class": "press-figure",
            "font-family": "inherit",
            "overflow": "visible",  # of a label in a wide font nothing is cut off
        }
        root = ElementTree.Element(f"{{{SVG}}}svg", attributes)
        for identifier, tag, text in zip(identifiers, ("title", "desc"), (title, said), strict=True):
            ElementTree.SubElement(root, f"{{{SVG}}}{tag}", {"id": identifier}).text = clean(text)
        root.extend(self.elements)
        ElementTree.register_namespace("", SVG)
        return ElementTree.tostring(root, encoding="unicode")

    def _add(self, tag: str, **attributes: str | float) -> ElementTree.Element:
        written = {key: value if isinstance(value, str) else _number(value) for key, value in attributes.items()}
        element = ElementTree.Element(f"{{{SVG}}}{tag}", written)
        self.elements.append(element)
        return element


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def clean(text: str) -> str:
    """Untrusted text as one line of printable characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
