"""Everything that can go wrong for a user, as one tree.

PressError                    message = what and where; hint = what to do; exit code 2
├── ConfigError               settings, profiles, recipes
├── ModelError                weights, tokenizer, hub, number format
├── CorpusError               training or reference text
├── RecordError               bytes that are not a canonical record
├── LogError                  the log on disk is damaged, locked or signed by another key
├── KeyUnusable               a signing or verification key that cannot be read
├── ContributionError         what a contributor sent is not taken (exit code 1, not 2)
├── ToolError                 a program that this one starts: mkdocs, pagefind, git
└── VerificationError         a step of `verify` that does not hold (exit code 1, not 2)

A bad draft is no error: it is a Rejected value, because a small model writes many.
"""


class PressError(Exception):
    """Base of all errors that are shown without a traceback."""

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ConfigError(PressError):
    pass


class ModelError(PressError):
    pass


class CorpusError(PressError):
    pass


class RecordError(PressError):
    pass


class LogError(PressError):
    pass


class KeyUnusable(PressError):
    pass


class ContributionError(PressError):
    exit_code = 1


class ToolError(PressError):
    pass


class VerificationError(PressError):
    exit_code = 1


def not_installed(error: ImportError) -> ModelError:
    """What to say when a package that models need cannot be imported."""
    return ModelError(
        f"The package {error.name} is not installed, and models need it",
        hint="Run: pip install 'prior-art-press[model]'",
    )
