"""Judgements for tests of pages: one of each verdict, one without a corpus, one hostile."""

from dataclasses import replace

from generator.record.judgement import (
    ClaimChart,
    Class,
    Classification,
    Coherence,
    Copying,
    CorpusName,
    Element,
    Judgement,
    Neighbour,
)

CORPUS = CorpusName("US patents 2001 to 2023", 54_929, "5e" * 32)
SECTIONS = {
    "A": "HUMAN NECESSITIES",
    "A01": "AGRICULTURE; FORESTRY; ANIMAL HUSBANDRY; HUNTING; TRAPPING; FISHING",
    "A01G": "HORTICULTURE; CULTIVATION OF VEGETABLES; WATERING",
    "E": "FIXED CONSTRUCTIONS",
    "E05": "LOCKS; KEYS; WINDOW OR DOOR FITTINGS; SAFES",
    "E05D": "HINGES OR SUSPENSION DEVICES FOR DOORS, WINDOWS OR WINGS",
}


def classification(symbol: str) -> Classification:
    one, two, three = (Class(part, SECTIONS[part], 812) for part in (symbol[0], symbol[:3], symbol))
    return Classification((one,), (two,), (three,))


OBVIOUS = Judgement(
    calibration="0123456789ab",
    coherence=Coherence(83, 571, 1000, 640),
    copying=Copying(
        14, "when the line pressure falls at the end of a watering cycle the valve", "US7048010", 21, 93, "US6000001"
    ),
    classification=classification("A01G"),
    neighbours=(
        Neighbour("US7048010", "Valve flusher", 312, ("sediment", "purge", "diaphragm")),
        Neighbour("#1", "Flush valve for drip lines", 120, ("valve",)),
    ),
    corpus=CORPUS,
    chart=ClaimChart(
        elements=(
            Element(
                "An irrigation valve",
                "US7048010",
                "Valve flusher",
                "A valve for an irrigation line has a body.",
                910,
                True,
            ),
            Element(
                "a settling chamber arranged below the inlet",
                "US5803111",
                "Settling tank",
                "below the inlet, sediment settles in a chamber",
                780,
                True,
            ),
            Element(
                "a diaphragm biased by a spring",
                "US7048010",
                "Valve flusher",
                "a membrane that a spring holds",
                340,
                False,
            ),
        ),
        single=333,
        union3=950,
        documents=("US7048010", "US5803111"),
        verdict="obvious range",
    ),
)
ANTICIPATED = replace(
    OBVIOUS,
    chart=replace(OBVIOUS.chart, single=1000, union3=1000, documents=("US7048010",), verdict="single document"),  # type: ignore[type-var]
)
FAR = replace(
    OBVIOUS,
    classification=classification("E05D"),
    neighbours=(),
    copying=Copying(0, "", "", 0, 0, ""),
    chart=replace(OBVIOUS.chart, single=0, union3=333, verdict="not covered"),  # type: ignore[type-var]
)
UNASSESSED = replace(OBVIOUS, corpus=None, chart=None, neighbours=(), classification=classification("E05D"))


def hostile(text: str) -> Judgement:
    """`text` wherever a judgement holds text."""
    element = Element(text, text, text, text, 500, True)
    item = Class(text, text, 1)
    return Judgement(
        calibration=text,
        coherence=Coherence(1, 2, 3, 4),
        copying=Copying(13, text, text, 5, 6, text),
        classification=Classification((item,), (item,), (item,)),
        neighbours=(Neighbour(text, text, 7, (text, text)),),
        corpus=CorpusName(text, 1, "0" * 64),
        chart=ClaimChart((element,), 0, 1000, (text,), "obvious range"),
    )
