"""A report for people: lines wrapped at words below their own beginning, coloured where the terminal has colours."""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from analysis.printable import printable

# Longer lines are hard to read; what is no terminal gets this.
WIDEST = 100

# Each part of a line with its style.
Part = tuple[str, str]

HEADING = "bold"
QUIET = "dim"
COMMAND = "cyan"
BAD = "bold red"
DOUBTFUL = "yellow"
GOOD = "green"
INFO = "blue"


class Page:
    """Text of strangers is made harmless here, and never read as markup."""

    def __init__(self) -> None:
        self.console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False, soft_wrap=True)
        self.width = min(self.console.width, WIDEST) if self.console.is_terminal else WIDEST

    def blank(self) -> None:
        self.console.print()

    def line(self, *parts: str | Part, indent: int = 0) -> None:
        """As it stands, however long: what is to be copied is not broken."""
        self.console.print(Text(" " * indent) + _text(parts))

    def paragraph(self, *parts: str | Part, indent: int = 0, hang: int = 0, label: Part = ("", "")) -> None:
        """``hang``: how much further all lines but the first are indented; a ``label`` stands in that room."""
        first = Text(" " * indent) + Text(label[0].ljust(hang) if label[0] else "", label[1])
        room = self.width - indent - hang
        for number, line in enumerate(_text(parts).wrap(self.console, room)):
            line.rstrip()
            self.console.print((Text(" " * (indent + hang)) if number else first) + line)


def _text(parts: Sequence[str | Part]) -> Text:
    pairs = [(part, "") if isinstance(part, str) else part for part in parts]
    return Text.assemble(*[(printable(text), style) for text, style in pairs])
