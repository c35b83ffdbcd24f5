"""What machines read of a page: window title, meta tags, links, linked data."""

import json
import re
from collections.abc import Iterator
from typing import Any

from generator.base.errors import VerificationError
from generator.log.archive import VOLUME
from generator.log.evidence import Evidence
from generator.record.record import Record
from generator.verify.html import Element

NUMBER = re.compile(r"[A-Z]{2,8}-[0-9]{7,15}")


def check_head(root: Element, record: Record, evidence: Evidence, number: str) -> None:
    """Title, meta tags, links and linked data."""
    heads = [one for one in root.walk() if one.tag == "head"]
    titles = [one.text for one in root.walk() if one.tag == "title"]
    title = record.disclosure.title
    if len(heads) != 1 or len(titles) != 1 or not titles[0].startswith(f"{number}: {title} - "):
        raise VerificationError("page: title: the name of its window is not number and title of the record")
    address = f"/d/{evidence.serial // VOLUME}/{evidence.serial}.html"
    time = evidence.published[1] if evidence.published else ""
    metas = {
        "citation_title": {title},
        "citation_author": {record.publisher},
        "citation_publication_date": {time[:10].replace("-", "/")} if time else set(),
        "citation_technical_report_institution": {record.publisher},
        "citation_technical_report_number": {number},
        "citation_language": {record.disclosure.language},
        "DC.title": {title},
        "DC.creator": {record.publisher},
        "DC.date": {time} if time else set(),
        "DC.identifier": {number, f"sha256:{record.sha256}"},
        "DC.language": {record.disclosure.language},
    }
    for element in root.walk():
        name, content = element.attributes.get("name", ""), element.attributes.get("content", "")
        if element.tag == "meta" and name in metas and content not in metas[name]:
            raise VerificationError(f"page: {name}: it says {content[:60]!r}")
        if element.tag == "meta" and name == "citation_abstract_html_url" and not content.endswith(address):
            raise VerificationError(f"page: number: {name} is {content[:80]!r}")
        if element.tag == "meta" and name == "description" and not _begins(record.disclosure.abstract, content):
            raise VerificationError("page: description: it is not the beginning of the abstract")
        link = element.attributes.get("href", "") if element.tag == "link" else ""
        if element.attributes.get("rel") in ("canonical", "cite-as") and not link.endswith(address):
            raise VerificationError(f"page: number: its address is {link[:80]!r}")
        if element.tag == "meta" and element.attributes.get("charset", "utf-8").lower() != "utf-8":
            raise VerificationError("page: it is not in UTF-8")
        equivalent = element.attributes.get("http-equiv", "").lower()
        if equivalent and equivalent not in ("content-security-policy", "content-type"):
            raise VerificationError(f"page: it asks the browser for {equivalent[:40]!r}")
        if element.tag == "script":
            _script(element, record, number, time)


def _begins(abstract: str, shown: str) -> bool:
    return abstract.startswith(shown.removesuffix("…")) and (shown.endswith("…") or shown == abstract)


def _script(element: Element, record: Record, number: str, time: str) -> None:
    if element.attributes.get("type") != "application/ld+json":
        if element.text.strip():
            raise VerificationError("page: a script stands in it")
        return
    try:
        work = json.loads(element.text)
    except (ValueError, RecursionError) as error:
        raise VerificationError(f"page: its linked data is no JSON: {error}") from error
    if "<" in element.text or not isinstance(work, dict):
        raise VerificationError("page: its linked data is not of this project's form")
    wanted: dict[str, Any] = {
        "headline": record.disclosure.title,
        "name": record.disclosure.title,
        "reportNumber": number,
        "inLanguage": record.disclosure.language,
        "dateCreated": record.created_at,
        "datePublished": time or None,
        "creativeWorkStatus": "Published" if time else "Not yet published",
    }
    for name, value in wanted.items():
        if name in work and work[name] != value:
            raise VerificationError(f"page: linked data: {name} is {str(work[name])[:60]!r}")
    if time and work.get("datePublished") != time:
        raise VerificationError("page: linked data: datePublished is missing")
    if not _begins(record.disclosure.abstract, str(work.get("abstract", "…"))):
        raise VerificationError("page: linked data: abstract is not the record's")
    for role in ("author", "publisher"):
        if isinstance(work.get(role), dict) and work[role].get("name") != record.publisher:
            raise VerificationError(f"page: linked data: {role} is {str(work[role].get('name'))[:60]!r}")
    for value in _strings(work):
        if NUMBER.fullmatch(value) and value != number:
            raise VerificationError(f"page: linked data: the number {value} stands in it")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)
