"""`python -m cli` is `trader`."""

from cli.main import run

run()
