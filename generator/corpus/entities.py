"""Names of characters in patent texts: the entities of their DTDs, and the names between full stops of 1976 to 2000.

Names are replaced in the text before it is parsed. So no document type is read, nothing is fetched, and an entity that
a document declares itself expands to nothing but its own name.
"""

import re
from functools import cache
from html.entities import html5

from generator.corpus.patent_text import LOST

_BUILT_IN = frozenset(("amp", "lt", "gt", "quot", "apos"))
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9._-]{0,40});")
# A name, between full stops; ".sup." may stand before one (".sup..crclbar."). Longest names first.
_DOTTED = re.compile(r"\.([A-Za-z][A-Za-z/-]{0,15}(?: [a-zA-Z-]{1,10}){0,2}|not [<>]|4th root|\+-|-\+|(?<![0-9]\.)0)\.")
_PLACEHOLDER = re.compile(r"\s?##[A-Za-z]{2,6}-?\d{1,6}(?:[.-]\d{1,4})?##")

# ISO 8879:1986, what HTML does not have. ISOgrk1: &mgr; is a small mu; ISOgrk2: &aacgr; a small alpha with an accent.
_GREEK_NAMES = (
    "agr bgr ggr dgr egr zgr eegr thgr igr kgr lgr mgr ngr xgr ogr pgr rgr sfgr sgr tgr ugr phgr khgr psgr ohgr"
)
_GREEK = dict(zip(_GREEK_NAMES.split(), "αβγδεζηθικλμνξοπρςστυφχψω", strict=True))
_GREEK |= {
    (f"{name[:2].upper()}{name[2:]}" if len(name) == 4 else name.capitalize()): letter.upper()
    for name, letter in _GREEK.items()
}
_ACCENTED_NAMES = (
    "aacgr Aacgr eacgr Eacgr eeacgr EEacgr idigr Idigr iacgr Iacgr idiagr oacgr Oacgr udigr Udigr uacgr Uacgr udiagr "
    "ohacgr OHacgr"
)
_GREEK |= dict(zip(_ACCENTED_NAMES.split(), "άΆέΈήΉϊΪίΊΐόΌϋΫύΎΰώΏ", strict=True))
_GREEK |= {"phis": "ϕ", "thetas": "θ", "epsis": "ε", "sigmas": "ς", "jnodot": "ȷ"}
# Source: USPTO, "Patent Full-Text APS (Green Book)", special characters, and the names that its weekly files hold
# besides; Greek letters are below. An empty text: a mark of position alone, or a shape that no character has.
_APS = {
    "sub": "", "sup": "", "subsup": "", "sbsb": "", "sbsp": "", "spsb": "", "spsp": "",
    "TM": "™", "SM": "℠", "RTM": "®", "COPYRG": "©", "COPYRGT": "©", "AMP": "&", "LT": "<", "GT": ">",
    "uparw": "↑", "dwnarw": "↓", "fwdarw": "→", "rarw": "←", "lrarw": "↔", "revreaction": "⇌", "reveaction": "⇌",
    "differential": "∂", "increment": "∆", "gradient": "∇", "-+": "∓", "+-": "±", "sqroot": "√", "cuberoot": "∛",
    "fourthroot": "∜", "4th root": "∜", "ltoreq": "≤", "gtoreq": "≥", "lmtoreq": "≤", "ltoreg": "≦", "gtoreg": "≧",
    "congruent": "≅", "approxeq": "≈", "apprxeq": "≈", "about": "~", "times": "×", "div": "÷", "notlessthan": "≮",
    "notgreaterthan": "≯", "not <": "≮", "not >": "≯", "infin": "∞", "multidot": "·", "angle": "∠", "parallel": "∥",
    "vertline": "|", "perp": "⊥", "intg": "∫", "andgate": "∩", "orgate": "∪", "OR right": "⊂", "OR left": "⊃",
    "thrfore": "∴", "because": "∵", "BECAUSE": "∵", "perspectiveto": "≃", "noteq": "≠", "notequal": "≠", "ident": "≡",
    "notident": "≢", "varies": "∝", "sym": "⊕", "crclbar": "⊖", "apprch": "≐", "lmorsim": "≲", "lmtorsim": "≲",
    "ltorsim": "≲", "gtorsim": "≳", "di-elect cons": "∈", "A-inverted": "∀", "E-backward": "∃",
    "ANG": "Å", "ang": "å", "angstrom": "Å", "degree": "°", "degree C": "°C", "degree F": "°F", "cent": "¢",
    "English Pound": "£", "permill": "‰", "Salinity": "‰", "female": "♀", "male": "♂", "sctn": "§", "dagger": "†",
    "dagger-dbl": "‡", "asterisk-pseud": "※", "music-sharp": "♯", "music-flat": "♭", "music-natural": "♮",
    "music-natrual": "♮", "dbd": "=", "tbd": "≡", "quadbond": "≣", "guadbond": "≣", "function": "ƒ", "hoarfrost": "⊔",
    "cndot": "•", "quadrature": "□", "smallcircle": "∘", "largecircle": "◯", "circle": "○", "circle-solid": "●",
    "dottedcircle": "◌", "lhalfcircle": "◐", "rhalfcircle": "◑", "solthalfcircle": "◓", "solbhalfcircle": "◒",
    "circleincircle": "◎", "circle-w/dot": "⊙", "dottlhalfcircle": "", "dottrhalfcircle": "", "dottbtalfcircle": "",
    "dottthalfcircle": "", "dottbhalfcircle": "", "THorizBrace": "⏞", "BHorizBrace": "⏟", "diamond": "⋄",
    "diamond-solid": "♦", "box-solid": "▪", "tangle-solidup": "▴", "tangle-soliddn": "▾", "star-solid": "★",
    "star": "☆", "0": "∅", "prime": "′", "dblprime": "″", "dblquote": '"', "ae butted": "æ",
    "AE butted": "Æ", "oe butted": "œ", "OE butted": "Œ", "left brkt-top": "⌈", "right brkt-top": "⌉",
    "left brkt-bot": "⌊", "right brkt-bot": "⌋", "paren open-st": "⟮", "paren close-st": "⟯", "brket open-st": "⟦",
    "brket close-st": "⟧", "lamda": "λ", "LAMDA": "Λ", "epsilon": "ε", "UPSILON": "Υ",
    # Marks of a reissue around what was inserted.
    "Iadd": "", "Iaddend": "", "Badd": "", "Baddend": "",
}  # fmt: skip
_GREEK_LETTERS = frozenset("ALPHA BETA EPSILON ZETA ETA IOTA KAPPA MU NU OMICRON RHO TAU CHI".split())  # noqa: SIM905


def resolve(text: str) -> str:
    """XML in which every named entity is a character. A name that is not known stays as it reads."""
    return _ENTITY.sub(lambda match: _escaped(match[1]), text)


def undot(text: str) -> str:
    """`CO.sub.2 at 20.degree. C.` as `CO2 at 20° C.`; what is no such name stays. Placeholders of images are LOST."""
    if "##" in text:
        text = _PLACEHOLDER.sub(f" {LOST}", text)
    return _DOTTED.sub(lambda match: _dotted(match[1], match[0]), text) if "." in text else text


@cache
def _escaped(name: str) -> str:
    if name in _BUILT_IN:
        return f"&{name};"
    plain = name.removeprefix("b.")  # b.: bold, ISOgrk4
    found = _GREEK.get(plain) or html5.get(f"{name};") or html5.get(f"{plain};")
    if not found:
        return f"&amp;{name};"
    return found.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@cache
def _dotted(name: str, whole: str) -> str:
    if name in _APS:
        return _APS[name]
    if name in _GREEK_LETTERS:
        return html5.get(f"{name.capitalize()};", whole)
    letter = html5.get(f"{name};") or html5.get(f"{name.capitalize()};", "")
    return letter if len(letter) == 1 and "\u0370" <= letter <= "\u03ff" else whole
