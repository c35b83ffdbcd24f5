"""Numbers of publications and of applications, each written in one way, whatever file they come from."""

import re

_US = re.compile(r"(?:US)?((?:RE|PP|AI|[DHTX])?)0*(\d{1,14})(?:[A-Z]\d?)?")
_BARE = re.compile(r"\d{7,8}|20\d{9}|\d{1,3}(?:,\d{3}){2}|20\d{2}/\d{7}")
_PCT = re.compile(r"(?:PCT/?)?([A-Z]{2})(\d{4}|\d{2})/(\d{4,6})")
_OTHER = re.compile(r"([A-Z]{2})[ .-]?(\d[\d/ .,-]{2,16}\d)[ .-]?([A-Z]\d?)?")


def publication_number(text: str) -> str:
    """`US` and the number as it is cited: no leading zeros, no kind code. Empty where there is none."""
    found = re.fullmatch(r"([A-Z]{0,2})0*(\d{1,14})", "".join(text.upper().split()))
    return f"US{found[1]}{found[2]}" if found else ""


def one_number(text: str) -> str:
    """The one way to write the number of a patent: `US-10999997-B2`, `US 10,999,997` and `10999997` are US10999997.

    An application keeps its own number, as it is a document of its own ("US 2019/0123456 A1" is US20190123456). Of
    other offices the kind code stays, as their applications and patents share a number ("EP1234567B1"). What is no
    such number stays as it is.
    """
    plain = text.strip().upper()
    if plain.startswith("US") or _BARE.fullmatch(plain):
        found = _US.fullmatch(re.sub(r"[\s,./-]", "", plain))
        if not found:
            return text
        kind, digits = found[1], found[2]
        if not kind and len(digits) < 5:
            return text  # a number of somebody's own: "US0007"
        if not kind and len(digits) == 10 and digits.startswith("20"):
            digits = f"{digits[:4]}0{digits[4:]}"  # an application as the EPO writes it: US2019123456A1
        return f"US{kind}{digits}"
    other = _OTHER.fullmatch(plain)
    return f"{other[1]}{re.sub(r'[^0-9]', '', other[2])}{other[3] or ''}" if other else text


def kin_number(text: str) -> str:
    """The number of an application, `09/999,999` as `09999999`; a number of another form stays, without spaces.

    International ones were written in several ways: `PCT/US03/12345`, `PCT/US2003/012345`.
    """
    plain = "".join(text.split())
    if found := _PCT.fullmatch(plain):
        year = found[2] if len(found[2]) == 4 else f"{'19' if found[2] >= '78' else '20'}{found[2]}"
        return f"PCT{found[1]}{year}{found[3]:0>6}"
    return re.sub(r"[/,]", "", plain) if re.fullmatch(r"\d{2}/?\d{3},?\d{3}", plain) else plain


def earlier_publication(text: str) -> str:
    """The number of an earlier publication or patent, as that document names itself; of another office, as it reads."""
    return publication_number(text.replace(",", "")) or kin_number(text)


# Applications carry a series code before their serial number. Source: MPEP 503, by the year of filing.
_SERIES = ((1935, 2), (1948, 3), (1960, 4), (1970, 5), (1979, 6), (1987, 7), (1993, 8), (1998, 9))


def serial_number(serial: str, series: str, filed: str) -> str:
    """An application's number with its series code, given or told by the year of filing (YYYYMMDD)."""
    digits = re.sub(r"[^0-9]", "", serial)
    if len(digits) >= 8 or "/" in serial:
        return kin_number(serial)
    if series.isdecimal():
        code = int(series)
    else:
        year = int(filed[:4]) if filed[:4].isdecimal() else 0
        code = max((code for first, code in _SERIES if first <= year), default=0)
    return f"{code:02d}{digits[:6].zfill(6)}" if digits and code else ""
