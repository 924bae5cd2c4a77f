"""The command ``kcore``, also as ``python -m kcore``: everything is in ``kcore.cli``."""

import sys

from kcore.cli import main as run


def main() -> None:
    """Run the command line and end the process with its status."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
