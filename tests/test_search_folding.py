"""Words as people type them against words as texts write them: the whole list of forms, in a real Chromium."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import site_fixture
from test_browser_search import status

from generator.site import bundles

TEXTS = [
    (
        "T-shaped bracket with a non‑slip pad",
        "A T-shaped bracket has a snap-fit tongue and a non‑slip pad; it is self-aligning.",
        "A T-shaped bracket comprising a snap-fit tongue of 3.5 mm by 10,000 µm and a load of 1/2 kN.",
    ),
    (
        "β-carotene emulsion",
        "The emulsion holds β-carotene, α-tocopherol and H₂O; CO2 is bubbled at 10⁻³ bar and 25 °C.",
        "An emulsion comprising β-carotene at a concentration of 5×10³ ppm.",
    ),
    (
        "Naïve Bayes classifier by Jérôme’s rule",
        "A naïve Bayes classifier written in C++ uses an I/O port, an AT&T modem and an x86-64 CPU.",
        "A method of training a naïve Bayes classifier, wherein the user’s e-mail address is hashed by SHA-256.",
    ),
    (
        "2-propanol wipe",
        "A wipe is wetted with 2-propanol, 2,4-dinitrophenol or N,N-dimethylformamide.",
        "A wipe comprising 2-propanol and poly(ethylene glycol).",
    ),
    (
        "半導体装置 with a through-silicon via",
        "半導体装置は基板を含む。 A device with a through-silicon via (TSV).",
        "A semiconductor device comprising a via.",
    ),
    (
        "Größenmessung of a façade",
        "Die Größe der Straße is measured; the coöperative sensor has an Ångström scale and an Øre coin; "
        "ﬁber optics ﬂow.",
        "A sensor comprising a façade.",
    ),
    (
        "Wi-Fi router IEEE 802.11ac",
        "A router of IEEE 802.11ac at 2.4 GHz and 5 GHz has an USB-C port, IPv6 and MAC 00:1B:44.",
        "A router comprising a USB-C port.",
    ),
    (
        "Camera of a robot_arm",
        "The method get_frame() calls cv::Mat and foo.bar.baz at a long path of a host.",
        "A camera comprising get_frame().",
    ),
]
# Number of the text -> what finds it.
FINDS = {
    0: (
        "T-shaped", "t shaped bracket", '"T-shaped bracket"', '"t shaped bracket"', "snap-fit", "snap fit",
        '"snap fit"',
        '"snap-fit"', "non-slip", "non‑slip", '"non-slip pad"', "self-aligning", "aligning", "slip", "3.5 mm", "3.5",
        "10,000", "1/2 kN", "µm", "μm", "“T-shaped bracket”", "brack*", "brack$", "bracke?", "bracket.ti.",
        "(bracket)",
        "+bracket +tongue", "bracket, tongue", "bracket; tongue", "bracket/tongue", "BRACKET", "brackets",
    ),
    1: ("β-carotene", "carotene", "α-tocopherol", "H₂O", "H2O", "h2o", "CO2", "CO₂", "25 °C", "ppm", "10⁻³", '"H2O"'),
    2: (
        "naïve", "naive", "naive bayes", '"naive bayes"', '"naïve Bayes classifier"', "Jérôme", "Jerome", "Jérôme's",
        "Jerome's rule", "I/O", "I/O port", '"I/O port"', '"I O port"', "AT&T", "AT&T modem", "x86-64", "x86", "user’s",
        "user's e-mail", "e-mail address", "SHA-256", "„naïve Bayes“",
    ),
    3: (
        "2-propanol", "propanol", '"2-propanol"', "2,4-dinitrophenol", "dinitrophenol", "N,N-dimethylformamide",
        "dimethylformamide", "poly(ethylene glycol)", "ethylene glycol", "PAP-0000003", "0000003",
        "press.example/log#3", "pap-3",
    ),
    4: ("半導体装置", "半導体", "基板", "装置", '"基板"', "through-silicon via", "TSV", "(TSV)"),
    5: (
        "Größe", "Grosse", "Größenmessung", "Strasse", "Straße", "facade", "façade", "cooperative", "coöperative",
        "Angstrom", "Ångström", "Øre", "Ore coin", "fiber", "ﬁber", "flow", '"fiber optics"',
    ),
    6: ("802.11ac", "802.11", "IEEE 802.11ac", "2.4 GHz", "wi-fi", "wi fi", "USB-C", "usb", "IPv6", "00:1B:44"),
    7: ("robot_arm", "robot arm", "get_frame()", "get_frame", "cv::Mat", "foo.bar.baz"),
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[site_fixture.Server]:
    output: Path = tmp_path_factory.mktemp("folding")
    records = [
        site_fixture.record(title, abstract, [claim], salt=n) for n, (title, abstract, claim) in enumerate(TEXTS, 1)
    ]
    site_fixture.write_archive(output, records, [(site_fixture.PUBLISHED, range(len(records)))])
    site = site_fixture.build_site(output).folder
    bundles.index(site, [0], expected={0: len(records)}, report=print)
    bundles.write_catalogue(site)
    with site_fixture.serve(site) as running:
        yield running


def test_every_form_of_a_word_finds_its_text(chromium: Any, server: site_fixture.Server) -> None:
    tab = chromium.new_page()
    tab.set_default_timeout(120_000)
    missed = []
    for number, queries in FINDS.items():
        for query in queries:
            tab.goto("about:blank")
            tab.goto(f"{server.url}search.html#q={quote(query)}")
            tab.wait_for_function("() => location.pathname.includes('/d/') || /match|No/.test(document.body.innerText)")
            if f"/d/0/{number}.html" in tab.url:
                continue
            said = status(tab)
            titles = tab.locator(".search-result h2").all_inner_texts()
            if not any(TEXTS[number][0] == title for title in titles):
                missed.append((query, said, titles))
    tab.close()
    assert missed == []


def test_signs_that_exclude_nothing_are_refused(chromium: Any, server: site_fixture.Server) -> None:
    tab = chromium.new_page()
    tab.goto(f"{server.url}search.html#q=bracket+-tongue")
    assert status(tab) == "The search could not be read."
    assert "write NOT before the word. (character 9)" in tab.locator('[data-search="notice"]').inner_text()
    tab.close()
