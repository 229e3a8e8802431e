"""`python -m bowerbird` is the `bowerbird` command."""

from bowerbird.cli import main

main()
