"""Formulas (MathML) and tables in the text of a claim, as text: `x = 2`, `(a + b)/c`, `Cu 5 wt %`."""

import re
from dataclasses import dataclass, field

from generator.corpus.patent_text import LOST

# Elements that hold a formula, a table or a chemical structure, with the names of all three kinds of document.
TABLES = frozenset(("tables", "table", "TABLE-US", "TABLE", "table-cwu", "TABLE-CWU"))
PARTS = TABLES | frozenset(
    (
        "maths",
        "MATH-US",
        "math-cwu",
        "chemistry",
        "us-chemistry",
        "CHEM-US",
        "chemistry-cwu",
        "CWU",
        "cwu",
        "math",
        "MATH",
    )
)
IMAGES = frozenset(("img", "EMI", "image"))
CELLS = frozenset(("entry", "ENTRY", "td", "TD", "th", "TH"))
ROWS = frozenset(("row", "ROW", "tr", "TR"))
FORMULAS = frozenset(("math", "MATH"))

SOFT, ROW = "\ue000", "\ue001"  # a space unless punctuation follows; the end of a table's row
_MOST_DEEP = 60  # elements in one another; deeper ones are read as if they stood in the one above
_TIGHT = frozenset("()[]{}|‖⟨⟩⌈⌉⌊⌋!′″'\u2061\u2062\u2063\u2064\u200b")
_ROWS = re.compile(f"[\\s{SOFT}]*{ROW}[\\s{SOFT}{ROW}]*")
_SOFT = re.compile(f"\\s*{SOFT}[\\s{SOFT}]*")
_NO_SPACE = re.compile(f"{SOFT}(?=[,.;:)\\]]|$)|(?:^|(?<=[(\\[])){SOFT}")


@dataclass(slots=True)
class Formula:
    """A formula while it is read: an element, its children and their texts in order."""

    tag: str
    children: "list[Formula | str]" = field(default_factory=list)
    depth: int = 0

    def begin(self, tag: str) -> "Formula":
        """The element that begins inside; itself where elements stand too deep in one another."""
        inner = Formula(tag.rpartition(":")[2], depth=self.depth + 1)
        if self.depth >= _MOST_DEEP:
            return self
        self.children.append(inner)
        return inner

    def text(self) -> str:
        return " ".join(_written(self).split())


def _written(one: Formula) -> str:
    parts = [child if isinstance(child, str) else _written(child) for child in one.children]
    parts = [part for part in parts if part.strip()]
    if one.tag == "mo":
        sign = "".join(parts).strip()
        return sign if sign in _TIGHT else f"{sign} " if sign in (",", ";", ":") else f" {sign} "
    if one.tag == "mfrac" and len(parts) == 2:
        return "/".join(map(_grouped, parts))
    if one.tag == "msqrt":
        return f"√{_grouped(''.join(parts))}"
    if one.tag == "mroot" and len(parts) == 2:
        return f"{_grouped(parts[0])}^(1/{parts[1].strip()})"
    if one.tag in ("msub", "munder", "msup", "mover", "msubsup", "munderover") and len(parts) > 1:
        marks = {"msup": "^", "mover": "^"}.get(one.tag, "_") + "^"
        return parts[0].strip() + "".join(
            f"{mark}{_grouped(part)}" for mark, part in zip(marks, parts[1:], strict=False)
        )
    if one.tag in ("mtable", "mtr", "mlabeledtr"):
        return ("; " if one.tag == "mtable" else ", ").join(part.strip() for part in parts)
    if one.tag == "mfenced":
        return f"({', '.join(part.strip() for part in parts)})"
    return (" " if one.tag in ("mtext", "mspace") else "").join(parts)


def _grouped(text: str) -> str:
    text = text.strip()
    return text if re.fullmatch(r"\w+|\(.*\)", text) else f"({text})"


def joined(parts: list[str]) -> str:
    """What was gathered as one text: rows end with semicolons, and no space stands before punctuation."""
    text = "".join(parts)
    if ROW in text:
        text = _ROWS.sub("; ", text.strip(f"{ROW}{SOFT} \n\t"))
    if SOFT in text:
        text = _NO_SPACE.sub("", _SOFT.sub(SOFT, text)).replace(SOFT, " ")
    return text


def unmarked(text: str) -> str:
    """A text that is no claim without the marks of what it lost."""
    return re.sub(rf"\s?{LOST}", "", text).strip() if LOST in text else text
