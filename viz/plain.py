"""Text from the wire, shown as what it is: never as Markdown, HTML, or an invisible character."""

import unicodedata

UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
LONGEST = 300


def visible(text: str) -> str:
    """Controls and characters that turn or hide text as ``\\u{202e}``; very long text is cut."""
    shown = "".join(f"\\u{{{ord(c):x}}}" if unicodedata.category(c) in UNSEEN else c for c in text[:LONGEST])
    return shown + ("…" if len(text) > LONGEST else "")


def code(text: str) -> str:
    """A Markdown code span: the only place where Streamlit interprets nothing (no links, emoji, colours, formulas).

    The fence is longer than any run of backticks inside (CommonMark 0.31 §6.1).
    """
    shown = visible(text)
    fence = "`"
    while fence in shown:
        fence += "`"
    return f"{fence} {shown} {fence}" if shown.strip(" ") else f"{fence}{shown or ' '}{fence}"
