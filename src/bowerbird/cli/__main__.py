"""`python -m bowerbird.cli`."""

from bowerbird.cli import main

if __name__ == "__main__":
    main()
