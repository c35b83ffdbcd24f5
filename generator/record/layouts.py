"""The two text layouts that models are trained on, and that drafts are parsed from.

Source: model card of alea-institute/kl3m-002-170m-patent ("How it Works"). Both are exact: a prompt must
end where a token of the training text ended.
"""

from collections.abc import Sequence
from typing import Literal

Direction = Literal["top-down", "bottom-up"]
DIRECTIONS: tuple[Direction, ...] = ("top-down", "bottom-up")

HEAD = "# Patent"
TITLE, ABSTRACT, CLAIMS = "## Title", "## Abstract", "## Claims"
ORDER: dict[Direction, tuple[str, ...]] = {
    "top-down": (TITLE, ABSTRACT, CLAIMS),
    "bottom-up": (CLAIMS, ABSTRACT, TITLE),
}
PROMPTS: dict[Direction, str] = {
    "top-down": f"{HEAD}\n\n{TITLE}\n",
    "bottom-up": f"{HEAD}\n\n{CLAIMS}",
}


def write_layout(direction: Direction, title: str, abstract: str, claims: Sequence[str]) -> str:
    """The text of one patent in the layout of `direction`, without an end-of-text token."""
    numbered = "\n\n".join(f"{n}. {text}" for n, text in enumerate(claims, 1))
    body = {TITLE: f"\n{title}", ABSTRACT: f"\n{abstract}", CLAIMS: f"\n\n{numbered}"}
    return "\n\n".join([HEAD, *(heading + body[heading] for heading in ORDER[direction])])
