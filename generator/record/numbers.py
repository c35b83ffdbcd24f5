"""Numbers of disclosures as people hold them; site_templates/assets/search-number.js reads the same forms."""

import re

_DISPLAYED = re.compile(r"(?:(?P<prefix>[A-Za-z][A-Za-z0-9]*)-)?(?P<digits>[0-9]{1,15})")
_INDEXED = re.compile(r"(?P<log>\S+)#(?P<index>0|[1-9][0-9]{0,14})")


def serial_of(text: str, prefix: str, origin: str) -> int | None:
    """The number that a text names: PAP-0000003, 0000003, 3, or origin#3; None when it names none.

    `prefix` and `origin` are the publication's: a number of another publication or another log is none of ours.
    """
    text = text.strip()
    if (found := _DISPLAYED.fullmatch(text)) and (found["prefix"] or prefix).upper() == prefix.upper():
        return int(found["digits"])
    if (found := _INDEXED.fullmatch(text)) and found["log"] == origin:
        return int(found["index"])
    return None
