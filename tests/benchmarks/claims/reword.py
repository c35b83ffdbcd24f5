"""Claims in other words, by rule: synonyms of drafting and of things, voice, and category."""

import re

# What each word becomes.
SYNONYMS = {
    "comprising": "including", "comprises": "includes", "including": "comprising", "method": "process",
    "device": "apparatus", "apparatus": "device", "signal": "waveform", "signals": "waveforms", "member": "element",
    "members": "elements", "plurality": "multitude", "coupled": "linked", "connected": "joined", "housing": "casing",
    "surface": "face", "surfaces": "faces", "portion": "section", "portions": "sections", "circuit": "circuitry",
    "user": "operator", "data": "information", "determining": "ascertaining", "determine": "ascertain",
    "providing": "supplying", "provided": "supplied", "receiving": "obtaining", "received": "obtained",
    "receive": "obtain", "adjacent": "neighbouring", "opening": "aperture", "openings": "apertures",
    "container": "vessel", "vehicle": "automobile", "display": "screen", "memory": "storage",
    "processor": "controller", "controller": "processor", "computer": "machine", "network": "net", "layer": "film",
    "layers": "films", "substrate": "base", "mounted": "fixed", "attached": "fastened", "arranged": "placed",
    "disposed": "placed", "located": "placed", "configured": "adapted", "adapted": "arranged", "position": "location",
    "positions": "locations", "end": "extremity", "ends": "extremities", "upper": "top", "lower": "bottom",
    "outer": "external", "inner": "internal", "fluid": "liquid", "gas": "vapour", "temperature": "heat",
    "pressure": "load", "sensor": "detector", "sensors": "detectors", "generating": "producing",
    "generate": "produce", "value": "quantity", "values": "quantities", "first": "primary", "second": "secondary",
    "each": "every", "composition": "mixture", "compound": "substance", "forming": "making", "formed": "made",
    "image": "picture", "images": "pictures", "transmitting": "sending", "transmit": "send", "message": "notice",
    "system": "arrangement", "unit": "assembly",
}  # fmt: skip
VOICE = (
    (re.compile(r"\bhaving\b"), "which has"),
    (re.compile(r"\bwherein said (\w+)"), r"the \1 being such that it"),
    (re.compile(r"\bwherein the (\w+) is (\w+ed)\b"), r"\2 being the \1"),
    (re.compile(r"\b(\w+ing) the (\w+)\b"), r"the \2 is subjected to \1"),
    (re.compile(r"\bsaid\b"), "the"),
)
CATEGORY = (
    (re.compile(r"^\s*(?:A|An|The) (?:method|process)(?: of| for)?\b", re.I), "A system for"),
    (re.compile(r"^\s*(?:A|An|The) ", re.I), "Use of a "),
)


def reword(claim: str) -> str:
    """The claim with every synonym exchanged, its participles turned, and its category changed."""
    for pattern, other in CATEGORY:
        claim, done = pattern.subn(other, claim, count=1)
        if done:
            break
    for pattern, other in VOICE:
        claim = pattern.sub(other, claim)
    return re.sub(r"[A-Za-z]+", lambda word: _exchange(word[0]), claim)


def _exchange(word: str) -> str:
    other = SYNONYMS.get(word.lower(), word)
    return other.capitalize() if word[0].isupper() and other is not word else other
