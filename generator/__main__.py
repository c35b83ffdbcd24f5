"""`python -m generator` is `prior-art`."""

from generator.cli import main

main()
