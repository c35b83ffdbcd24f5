"""`python -m generator` is `prior-art`."""

from generator.commands.cli import main

main()
