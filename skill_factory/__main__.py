"""`python -m skill_factory`: the command line."""

import sys

try:
    from skill_factory.cli.main import run
except KeyboardInterrupt:  # Ctrl-C before anything began
    sys.exit(130)

if __name__ == "__main__":
    run()
