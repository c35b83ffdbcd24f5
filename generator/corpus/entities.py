"""Names of characters in patent texts: the entities of their DTDs, and the names between full stops of 1976 to 2000.

Names are replaced in the text before it is parsed. So no document type is read, nothing is fetched, and an entity that
a document declares itself expands to nothing but its own name.
"""

import re
from functools import cache
from html.entities import html5

_BUILT_IN = frozenset(("amp", "lt", "gt", "quot", "apos"))
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9._-]{0,40});")
_DOTTED = re.compile(r"\.([A-Za-z][A-Za-z ]{1,14}|\+-|-\+)\.")

# ISO 8879:1986 ISOgrk1, which HTML does not have: &mgr; is a small mu.
_GREEK_NAMES = (
    "agr bgr ggr dgr egr zgr eegr thgr igr kgr lgr mgr ngr xgr ogr pgr rgr sfgr sgr tgr ugr phgr khgr psgr ohgr"
)
_GREEK = dict(zip(_GREEK_NAMES.split(), "αβγδεζηθικλμνξοπρςστυφχψω", strict=True))
_GREEK |= {
    (f"{name[:2].upper()}{name[2:]}" if len(name) == 4 else name.capitalize()): letter.upper()
    for name, letter in _GREEK.items()
}
# Source: USPTO, "Patent Full-Text APS (Green Book)", special characters; names that differ from HTML's.
_APS = {
    "sub": "", "sup": "", "degree": "°", "ltoreq": "≤", "gtoreq": "≥", "+-": "±", "-+": "∓", "fwdarw": "→",
    "rarw": "→", "revreaction": "⇌", "dbd": "=", "tbd": "≡", "ident": "≡", "sqroot": "√", "notequal": "≠",
    "noteq": "≠", "about": "~", "apprxeq": "≈", "approxeq": "≈", "congruent": "≅", "perp": "⊥", "angle": "∠",
    "infin": "∞", "ANG": "Å", "angstrom": "Å", "circle": "○", "quadrature": "□", "multidot": "·", "varies": "∝",
    "intg": "∫", "parallel": "∥", "vertline": "|", "epsilon": "ε", "degree C": "°C", "degree F": "°F",
}  # fmt: skip
_APS_AS_HTML = frozenset(("times", "div", "sigma", "Sigma", "pi", "Pi"))


def resolve(text: str) -> str:
    """XML in which every named entity is a character. A name that is not known stays as it reads."""
    return _ENTITY.sub(lambda match: _escaped(match[1]), text)


def undot(text: str) -> str:
    """`CO.sub.2 at 20.degree. C.` as `CO2 at 20° C.`; what is no such name stays."""
    return _DOTTED.sub(lambda match: _dotted(match[1], match[0]), text) if "." in text else text


@cache
def _escaped(name: str) -> str:
    if name in _BUILT_IN:
        return f"&{name};"
    found = _GREEK.get(name) or html5.get(f"{name};") or html5.get(f"{name.removeprefix('b.')};")  # b.: bold, ISOgrk4
    if not found:
        return f"&amp;{name};"
    return found.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@cache
def _dotted(name: str, whole: str) -> str:
    if name in _APS:
        return _APS[name]
    letter = html5.get(f"{name};") or html5.get(f"{name.capitalize()};", "")
    greek = len(letter) == 1 and "\u0370" <= letter <= "\u03ff"
    return letter if greek or name in _APS_AS_HTML else whole
