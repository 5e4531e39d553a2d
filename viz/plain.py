"""Text from the wire, shown as what it is: never as Markdown, HTML, or an invisible character."""

import unicodedata

UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
LONGEST = 300


def visible(text: str) -> str:
    """Controls and characters that turn or hide text as ``\\u{202e}``; very long text is cut."""
    return "".join(map(_seen, text[:LONGEST])) + ("…" if len(text) > LONGEST else "")


def lines(text: str) -> str:
    """The same of a text of several lines, and nothing is cut."""
    return "".join(c if c in "\n\t" else _seen(c) for c in text)


def _seen(character: str) -> str:
    return f"\\u{{{ord(character):x}}}" if unicodedata.category(character) in UNSEEN else character


def code(text: str) -> str:
    """A Markdown code span: the only place where Streamlit interprets nothing (no links, emoji, colours, formulas).

    The fence is longer than any run of backticks inside (CommonMark 0.31 §6.1).
    """
    shown = visible(text)
    fence = "`"
    while fence in shown:
        fence += "`"
    return f"{fence} {shown} {fence}" if shown.strip(" ") else f"{fence}{shown or ' '}{fence}"
