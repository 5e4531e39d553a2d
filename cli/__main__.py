"""``python -m cli``: the command ``tailrace`` where it is not on the path."""

from cli.main import run

run()
