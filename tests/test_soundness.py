"""C13 and C14: what explains itself by itself, and what is broken, in forms of weak models and of real patents."""

import pytest

from generator.judge.checks.soundness import c13_self_definition, c14_broken_text
from generator.record.disclosure import Claim, Disclosure


def one(text: str) -> Disclosure:
    return Disclosure("A title", "An abstract.", (), (Claim(1, text),))


CIRCLES = [
    ("A method, wherein the immune response is an immune response.", "fail"),
    ("A kit, wherein said polymer comprises a polymer.", "fail"),
    ("A device, wherein each of the sensors is selected from the group consisting of sensors.", "fail"),
    ("A system, wherein the gas phase stream includes the gas phase stream.", "fail"),
    ("A method for measuring a magnetic field of the magnetic field.", "warn"),
    ("A method comprising heating a liquid and a liquid.", "warn"),
    ("A device, wherein the mammal is a human.", ""),
    ("A device comprising a housing and a lid on the housing.", ""),
    ("A device, wherein the first layer is a metal layer.", ""),
]


@pytest.mark.parametrize(("text", "severity"), CIRCLES)
def test_self_definition(text: str, severity: str) -> None:
    found = {finding.severity for finding in c13_self_definition(one(text))}
    assert ((("fail" in found) and "fail") or ("warn" in found and "warn") or "") == severity


BROKEN = [
    ("A method comprising contacting a sample suspected of being.", "fail"),
    ("A device comprising a lever and the.", "fail"),
    ("A system comprising an input interface () and an output.", "fail"),
    ("A method comprising: a) heating; b) cooling; b) drying.", "warn"),
    ("A method of treating an mammal.", "warn"),
    ("A composition comprising a enzyme.", "warn"),
    ("A method of treating a European citizen with one unit.", ""),
    ("A converter coupled to the D/A.", ""),
    ("A node that the mobile node is communicating with.", ""),
    ("A method comprising: a) heating; b) cooling; c) drying.", ""),
]


@pytest.mark.parametrize(("text", "severity"), BROKEN)
def test_broken_text(text: str, severity: str) -> None:
    found = [finding.severity for finding in c14_broken_text(one(text))]
    assert (found[0] if found else "") == severity
