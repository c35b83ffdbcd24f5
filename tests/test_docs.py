"""Documents against program: what they list is what there is."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import click
import pytest
import yaml

import generator
from generator.base import errors
from generator.base.errors import ConfigError
from generator.base.settings import FORMS, Settings, load_settings
from generator.commands.cli import commands
from generator.model.profiles import read_profile

ROOT = Path(__file__).parent.parent
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
PLAIN = ("CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md")  # no long sentence is left in these
MOST_WORDS = 25


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def table(text: str, heading: str) -> list[list[str]]:
    """Cells of the rows of the table whose header line begins with `heading`."""
    lines = text.split("\n")
    start = next(n for n, line in enumerate(lines) if line.startswith(heading))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


def live_commands(group: click.Group, prefix: str = "prior-art") -> dict[str, click.Command]:
    found = {}
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found.update(live_commands(command, f"{prefix} {name}"))
        else:
            found[f"{prefix} {name}"] = command
    return found


def test_the_table_of_commands_is_the_program() -> None:
    listed = {name.strip("`"): text for name, text in table(read("README.md"), "| command |")}
    assert listed == {name: (command.help or "").strip() for name, command in live_commands(commands).items()}


@pytest.mark.parametrize(("name", "command"), live_commands(commands).items())
def test_every_command_has_json_root_and_an_example_that_parses(name: str, command: click.Command) -> None:
    flags = {flag for option in command.params for flag in option.opts}
    assert {"--json", "--root"} <= flags
    assert all(isinstance(option, click.Argument) or option.help for option in command.params)
    example = (command.epilog or "").split("\n  ")[-1]
    assert example.startswith(name)
    import shlex

    command.make_context(name, shlex.split(example)[len(name.split()) :])


def test_the_table_of_settings_is_the_program() -> None:
    listed = {row[0].strip("`"): row[1].strip("`") for row in table(read("docs/settings.md"), "| setting |")}
    defaults = {item.name: getattr(Settings(), item.name) for item in fields(Settings)}
    assert {name: tomllib.loads(f"x = {text}")["x"] for name, text in listed.items()} == defaults
    assert list(listed) == [item.name for item in fields(Settings)]


def test_every_form_belongs_to_a_setting_and_fits_its_default() -> None:
    for name, (form, _) in FORMS.items():
        assert form.fullmatch(getattr(Settings(), name)), name


def test_the_examples_of_the_settings_page_are_read(tmp_path: Path) -> None:
    settings, profile = re.findall(r"```toml\n(.*?)```", read("docs/settings.md"), re.DOTALL)
    (tmp_path / "prior-art.toml").write_text(settings.replace("AX...", "AX=="))
    assert load_settings(tmp_path, {}).publisher == "Example Institute"
    (tmp_path / "profile.toml").write_text(profile)
    assert read_profile(tmp_path / "profile.toml").context == 2048


def test_the_table_of_a_profile_is_the_program(tmp_path: Path) -> None:
    """Each key that the page calls needed is needed, each other one is accepted, and no further one is."""
    profile = re.findall(r"```toml\n(.*?)```", read("docs/settings.md"), re.DOTALL)[1]
    rows = table(read("docs/settings.md"), "| key |")
    needed = {name for row in rows if row[1] == "yes" for name in re.findall(r"`(\w+)`", row[0])}
    for name in needed:
        (tmp_path / "p.toml").write_text(re.sub(rf"(?m)^{name} = .*\n", "", profile))
        with pytest.raises(ConfigError, match=f"{name}: missing"):
            read_profile(tmp_path / "p.toml")
    optional = {name for row in rows if row[1] == "no" for name in re.findall(r"^`\[?(\w+)\]?`", row[0])}
    assert optional == {
        "revision", "max_new_tokens", "end_token", "demonstration", "prompts", "sampling", "data", "files", "adapter",
        "chat", "describes",
    }  # fmt: skip
    (tmp_path / "p.toml").write_text("strange = 1\n" + profile)
    with pytest.raises(ConfigError, match="strange: not known"):
        read_profile(tmp_path / "p.toml")


def test_training_is_described_as_it_is() -> None:
    from generator.train.recipe import FORMATS, built_in_recipes
    from generator.train.run import STAGES

    page = read("docs/training.md")
    assert [row[0].strip("`") for row in table(page, "| format |")] == list(FORMATS)
    assert [row[0].strip("`/") for row in table(page, "| folder |")] == list(STAGES)
    assert [row[0].strip("`") for row in table(page, "| recipe |")] == list(built_in_recipes())


def test_the_error_tree_is_the_program() -> None:
    drawn = re.findall(r"^[├└]── (\w+)", errors.__doc__ or "", re.MULTILINE)
    real = [c.__name__ for c in errors.PressError.__subclasses__() if c.__module__ == errors.__name__]
    assert drawn == real


def test_one_version_everywhere() -> None:
    assert re.search(r"^## \[([\d.]+)\]", read("CHANGELOG.md"), re.MULTILINE)[1] == generator.__version__  # type: ignore[index]
    assert yaml.safe_load(read("CITATION.cff"))["version"] == generator.__version__


def test_every_dependency_has_its_reason_and_licence() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    extras = project["optional-dependencies"]
    named = {re.split(r"[<>=\[ ]", d)[0] for d in [*project["dependencies"], *(d for e in extras.values() for d in e)]}
    rows = table(read("CHANGELOG.md"), "| package |")
    assert {row[0] for row in rows} == named - {"prior-art-press"}
    assert all(row[1] and row[2] for row in rows)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_files_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        name, _, anchor = target.partition("#")
        assert path.parent == ROOT or not name.startswith(".."), f"{path.name}: the site has no {target}"
        other = (path.parent / name) if name else path
        assert other.exists(), f"{path.name} links to {target}"
        if anchor and other.suffix == ".md":
            headings = re.findall(r"^#+ (.+)$", other.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}
            assert anchor in slugs, f"{path.name} links to {target}"


def test_the_licence_is_the_whole_text() -> None:
    text = read("LICENSE")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_make_says_what_the_readme_says() -> None:
    targets = re.findall(r"^([\w-]+):", read("Makefile"), re.MULTILINE)
    assert {"demo", "test"} <= set(targets)
    assert re.findall(r"^    make (\w+)", read("README.md"), re.MULTILINE) == ["demo", "test"]


def sentences(text: str) -> list[str]:
    """Of the prose alone: no code, tables, headings; a link counts as its words."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    text = re.sub(r"(?m)^(?: {4}|\||#).*$", "", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    blocks = re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )", text)
    return [found for block in blocks for found in re.split(r"(?<=[.!?:;])\s+", " ".join(block.split()))]


@pytest.mark.parametrize("name", PLAIN)
def test_sentences_are_short(name: str) -> None:
    assert [found for found in sentences(read(name)) if len(found.split()) > MOST_WORDS] == []


def test_a_long_sentence_is_found() -> None:
    long = "word " * MOST_WORDS + "end."
    assert sentences(f"# A\n\nShort.\n{long} Short again.\n\n    {long}\n") == ["", "Short.", long, "Short again.", ""]
