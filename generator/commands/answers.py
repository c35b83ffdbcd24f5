"""What `init` asks, and which answers it takes."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from generator.base.errors import ConfigError
from generator.base.settings import FORMS, Settings, is_local

LOCAL = "http://localhost:8000/"
HOSTS = ("github", "gitlab", "own")
Ask = Callable[[str, str, Callable[[str], str]], str]  # question, proposal, what takes an answer or turns it down


@dataclass(frozen=True, slots=True)
class Answers:
    """What `init` has to know. An empty text was not said."""

    title: str = ""
    publisher: str = ""
    address: str = ""
    prefix: str = ""
    profile: str = ""
    fields: str = ""
    host: str = ""
    program: str = ""
    remote: str = ""
    to: str = ""
    trial: bool = False


def answered(answers: Answers, ask: Ask | None, folder: Path) -> Answers:
    """All answers, in their forms: asked for where somebody can be, else as given or proposed. Raises ConfigError."""
    faults: list[str] = []
    told: dict[str, str] = {}

    def answer(name: str, question: str, proposal: str, check: Callable[[str], str]) -> None:
        given = getattr(answers, name)
        try:
            told[name] = check(given) if given else ask(question, proposal, check) if ask else check(proposal)
        except ConfigError as error:
            faults.append(f"--{name}: {error}")
            told[name] = given or proposal

    answer("title", "Title of the publication", folder.absolute().name if ask else "", _form("title"))
    answer("address", "Public address of the site", LOCAL if answers.trial else "", _address(answers.trial))
    answer("publisher", "Who publishes", told["title"], _form("publisher"))
    answer("prefix", "Letters before each number", _initials(told["title"]), _form("prefix"))
    answer("profile", f"Model that writes (built in: {', '.join(_profiles())})", Settings().profile, _profile)
    answer("fields", "CPC subclasses to cover, by commas (empty: the model chooses)", "", _fields)
    answer("host", f"Host ({', '.join(HOSTS)})", _host(told["address"]), _one_of)
    answer("to", "Where the site goes (git:REMOTE, folder:PATH, run:COMMAND, or nothing)", "", _form("destination"))
    if faults:
        raise ConfigError("\n".join(faults), hint="Nothing was written. In full: prior-art init --help")
    return Answers(**told, program=answers.program, remote=answers.remote, trial=answers.trial)


def _form(name: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        form, said = FORMS[name]
        if not form.fullmatch(text):
            raise ConfigError(f"{json.dumps(text, ensure_ascii=False)}: {said} is expected")
        return text

    return check


def _address(trial: bool) -> Callable[[str], str]:
    def check(text: str) -> str:
        address = text if text.endswith("/") or not text else text + "/"
        if not FORMS["site_url"][0].fullmatch(address):
            raise ConfigError(
                f"{json.dumps(text)}: an http or https address is expected; pages and citations keep it for ever"
            )
        if is_local(address) and not trial:
            raise ConfigError(f"{address}: nobody else can read this address; --trial takes it for a demonstration")
        return address

    return check


def _initials(title: str) -> str:
    letters = "".join(word[0] for word in re.findall(r"[A-Za-z]+", title)).upper()[:8]
    return letters if len(letters) > 1 else Settings().prefix


def _profiles() -> tuple[str, ...]:
    from generator.model.profiles import built_in_profiles

    return built_in_profiles()


def _profile(text: str) -> str:
    from generator.model.profiles import load_profile

    load_profile(text, Path())
    return text


def _fields(text: str) -> str:
    from generator.judge.classification import titles

    symbols = [word.strip().upper() for word in text.split(",") if word.strip()]
    known = titles()
    if unknown := [word for word in symbols if word not in known or len(word) < 4]:
        raise ConfigError(f"{', '.join(unknown)}: no subclass of CPC; B62H is one, for example")
    return ",".join(symbols)


def _host(address: str) -> str:
    name = address.partition("://")[2].partition("/")[0].lower()
    return "github" if name.endswith(".github.io") else "gitlab" if name.endswith(".gitlab.io") else "own"


def _one_of(text: str) -> str:
    if text not in HOSTS:
        raise ConfigError(f"{json.dumps(text)}: one of {', '.join(HOSTS)} is expected")
    return text
