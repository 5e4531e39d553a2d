"""Text from strangers, made safe for a terminal and for a line of comment."""


def printable(text: str) -> str:
    """Controls, line breaks and marks that turn the direction of writing, shown as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
