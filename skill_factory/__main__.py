"""`python -m skill_factory`: the command line."""

from skill_factory.cli import run

if __name__ == "__main__":
    run()
