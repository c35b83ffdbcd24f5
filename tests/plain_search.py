"""A plain evaluator of the search language over whole texts, and texts made of words whose normal form is known.

It shares nothing with the browser's: trees are made here, not parsed, and places and sentences are known by how the
texts were made. Source of the operators: https://www.uspto.gov/patents/search/patent-public-search/operators
"""

import re
from dataclasses import dataclass
from random import Random
from typing import Any

_PLAIN = """
hinge hinges valve valves spring springs damped damper port lever door cup magnet magnetic field signal of the an
automatic automation automated organ organize steel load loaded loading
"""
# As it stands in the text, and its words as they are searched.
SURFACES: list[tuple[str, list[str]]] = [
    *((word, [word]) for word in _PLAIN.split()),
    ("spring-loaded", ["spring", "loaded"]), ("self‐cleaning", ["self", "cleaning"]), ("valve/port", ["valve", "port"]),
    ("H₂O", ["h2o"]), ("CO²", ["co2"]), ("80 µm", ["80", "μm"]), ("Ωhm", ["ωhm"]), ("naïve", ["naive"]),
    ("ﬁeld", ["field"]), ("eFuse", ["efuse"]), ("mRNA", ["mrna"]), ("EPDM", ["epdm"]), ("user’s", ["user"]),
    ("1.2", ["1", "2"]), ("e.g. steel", ["e", "g", "steel"]), ("FIG. 2", ["fig", "2"]), ("(lever)", ["lever"]),
    ("“cup”", ["cup"]), ("door,", ["door"]), ("x2y", ["x2y"]), ("磁石", ["磁", "石"]), ("Straße", ["strasse"]),
    ("I/O", ["i", "o"]), ("[port];", ["port"]),
]  # fmt: skip
PATTERNS = ["hing$", "valve$1", "automat$", "$loaded", "load$3", "m?gnet$", "organ$", "h?o", "spring?", "d$r", "zz$"]
KINDS = ("ti", "ab", "clm", "spec")


@dataclass(frozen=True)
class Place:
    """A title, abstract, claim or paragraph: the words of each of its sentences, and its text."""

    kind: str
    sentences: tuple[tuple[str, ...], ...]
    text: str


@dataclass(frozen=True)
class Text:
    serial: int
    day: str
    cpc: str
    places: tuple[Place, ...]


def _sentence(random: Random) -> tuple[tuple[str, ...], str]:
    chosen = [("The", ["the"]), *random.choices(SURFACES, k=random.randint(2, 9)), ("steel", ["steel"])]
    return tuple(word for _, words in chosen for word in words), " ".join(surface for surface, _ in chosen) + "."


def _place(random: Random, kind: str) -> Place:
    made = [_sentence(random) for _ in range(1 if kind == "ti" else random.randint(1, 3))]
    return Place(kind, tuple(words for words, _ in made), " ".join(text for _, text in made))


def texts(count: int, first: int, seed: int) -> list[Text]:
    random = Random(seed)
    made = []
    for serial in range(first, first + count):
        kinds = ["ti", "ab", *["clm"] * random.randint(1, 3), *["spec"] * random.randint(0, 3)]
        places = tuple(_place(random, kind) for kind in kinds)
        day = random.choice(["2026-11-20", "2026-11-21", "2026-12-01", ""])
        made.append(Text(serial, day, random.choice(["A61K", "A61B", "G06F", ""]), places))
    return made


def page(text: Text) -> str:
    """A disclosure page in the markup that the templates make."""
    title, abstract, *rest = text.places
    claims = "".join(
        f'<li id="claim-{n}">{place.text}</li>' for n, place in enumerate((p for p in rest if p.kind == "clm"), 1)
    )
    paragraphs = "".join(
        f'<p id="p-{n:04d}">{place.text}</p>' for n, place in enumerate((p for p in rest if p.kind == "spec"), 1)
    )
    cpc = f' data-pagefind-filter="cpc:{text.cpc}"' if text.cpc else ""
    return (
        f'<!doctype html><html lang="en"><head><title>x</title></head><body><article>'
        f'<div data-pagefind-body data-pagefind-filter="direction:top-down"><div{cpc}><h1 id="title">{title.text}</h1>'
        f'</div></div><div data-pagefind-body data-pagefind-filter="published:{text.day or "not-yet"}">'
        f'<h2 id="abstract">Abstract</h2><p id="abstract-text">{abstract.text}</p><h2 id="claims">Claims</h2>'
        f'<ol>{claims}</ol><h2 id="description">Description</h2>{paragraphs}</div></article></body></html>'
    )


# Trees: ("w", [patterns], fields or None), ("cpc", s), ("pd", from, to), ("pn", n), (op, n, left, right), ("not", a)


def tree(random: Random, depth: int) -> Any:
    if depth == 0 or random.random() < 0.15:
        return _leaf(random)
    operator = random.choice(["and", "or", "xor", "butnot", "adj", "near", "with", "same", "not"])
    if operator == "not":
        return ("not", tree(random, depth - 1))
    if operator in ("adj", "near", "with", "same"):
        n = random.choice([1, 1, 2, 3, 5])
        return (operator, n, _positional(random, depth - 1), _positional(random, depth - 1))
    return (operator, 1, tree(random, depth - 1), tree(random, depth - 1))


def _positional(random: Random, depth: int) -> Any:
    if depth <= 0 or random.random() < 0.6:
        return _words(random)
    operator = random.choice(["or", "adj", "near", "with", "same"])
    n = 1 if operator == "or" else random.choice([1, 2, 4])
    return (operator, n, _positional(random, depth - 1), _positional(random, depth - 1))


def _words(random: Random) -> Any:
    fields = random.choice([None, None, None, ["clm"], ["ti", "ab"], ["spec"]])
    kind = random.random()
    if kind < 0.2:
        return ("w", [random.choice(PATTERNS)], fields)
    surface = [random.choice(random.choice(SURFACES)[1]) for _ in range(1 if kind < 0.8 else 2)]
    if kind > 0.95:
        surface = ["absent"]
    return ("w", surface, fields)


def _leaf(random: Random) -> Any:
    kind = random.random()
    if kind < 0.06:
        return ("cpc", random.choice(["A61K", "A61", "A", "H"]))
    if kind < 0.12:
        return ("pd", *random.choice([("2026-11-21", ""), ("", "2026-11-21"), ("2026-11-20", "2026-11-20")]))
    if kind < 0.14:
        return ("pn", random.randint(0, 20))
    return _words(random)


def write(node: Any) -> str:
    """The tree as a reader would type it, every bracket written."""
    match node:
        case ("w", words, fields):
            text = words[0] if len(words) == 1 else f'"{" ".join(words)}"'
            return text + (f".{','.join(fields)}." if fields else "")
        case ("cpc", symbol):
            return f"{symbol}.cpc."
        case ("pd", low, high):
            return "@pd" + (f">={low.replace('-', '')}" if low else "") + (f"<={high.replace('-', '')}" if high else "")
        case ("pn", serial):
            return f"{serial}.pn."
        case ("not", inner):
            return f"NOT ({write(inner)})"
        case (operator, n, left, right):
            name = "NOT" if operator == "butnot" else operator.upper()
            return f"({write(left)}) {name}{n if n > 1 else ''} ({write(right)})"
    raise AssertionError(node)


def _tokens(text: Text) -> list[tuple[str, int, int, str]]:
    """Each word of a text with the numbers of its place and sentence, and its kind of place."""
    found, sentence = [], 0
    for number, place in enumerate(text.places):
        for words in place.sentences:
            sentence += 1
            found += [(word, number, sentence, place.kind) for word in words]
    return found


def _regex(pattern: str) -> str:
    return re.sub(r"\$(\d*)", lambda m: f".{{0,{m[1]}}}" if m[1] else ".*", pattern).replace("?", ".")


def _spans(node: Any, tokens: list[tuple[str, int, int, str]]) -> set[tuple[int, int]]:
    if node[0] == "w":
        _, words, fields = node
        return {
            (at, at + len(words) - 1)
            for at in range(len(tokens) - len(words) + 1)
            if all(re.fullmatch(_regex(words[k]), tokens[at + k][0]) for k in range(len(words)))
            and tokens[at][2] == tokens[at + len(words) - 1][2]
            and (not fields or tokens[at][3] in fields)
        }
    operator, n, left, right = node
    ones, others = _spans(left, tokens), _spans(right, tokens)
    if operator == "or":
        return ones | others
    found = set()
    for a in ones:
        for b in others:
            low, high = min(a, b), max(a, b)
            if operator in ("adj", "near"):
                one_sentence = len({tokens[k][2] for k in (*a, *b)}) == 1
                before, after = (a, b) if operator == "adj" else (low, high)
                good = one_sentence and 1 <= after[0] - before[1] <= n
            else:
                unit = 2 if operator == "with" else 1
                apart = max(tokens[b[0]][unit] - tokens[a[1]][unit], tokens[a[0]][unit] - tokens[b[1]][unit], 0)
                one_place = tokens[a[0]][1] <= tokens[b[1]][1] and tokens[b[0]][1] <= tokens[a[1]][1]
                good = apart < n and (one_place or operator == "same")
            if good:
                found.add((low[0], max(a[1], b[1])))
    return found


def fits(node: Any, text: Text) -> bool:
    match node:
        case ("cpc", symbol):
            return text.cpc.startswith(symbol)
        case ("pd", low, high):
            return bool(text.day) and low <= text.day and (not high or text.day <= high)
        case ("pn", serial):
            return text.serial == serial
        case ("not", inner):
            return not fits(inner, text)
        case ("and", _, left, right):
            return fits(left, text) and fits(right, text)
        case ("or", _, left, right):
            return fits(left, text) or fits(right, text)
        case ("xor", _, left, right):
            return fits(left, text) != fits(right, text)
        case ("butnot", _, left, right):
            return fits(left, text) and not fits(right, text)
    return bool(_spans(node, _tokens(text)))
