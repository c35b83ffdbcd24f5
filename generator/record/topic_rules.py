"""By which rule a topic was chosen, and how a page says it.

The rules that combine two groups of the CPC are reasons for which the law calls an invention obvious. Source: KSR v.
Teleflex, 550 U.S. 398 (2007); MPEP 2143, exemplary rationales A, B and C.
"""

from collections.abc import Sequence

PUBLISHER_LIST = "publisher-list"
KNOWN_ELEMENTS, SUBSTITUTION, KNOWN_TECHNIQUE = "known-elements", "substitution", "known-technique"
COMBINING = {
    KNOWN_ELEMENTS: "known elements by known methods",
    SUBSTITUTION: "one known element in place of another",
    KNOWN_TECHNIQUE: "a known technique on a similar device",
}
RULES = ("", PUBLISHER_LIST, *COMBINING)


def combination(symbols: Sequence[str], rule: str) -> str:
    """`combines B62H 5 with H04W 4: known elements by known methods`; empty for a topic that combines nothing."""
    if rule not in COMBINING:
        return ""
    return f"combines {' with '.join(map(_written, symbols))}: {COMBINING[rule]}"


def _written(symbol: str) -> str:
    return f"{symbol[:4]} {symbol[4:].removesuffix('/00')}".strip()
