"""A stream of bytes as lines, none of them longer than a bound."""

from collections.abc import Iterable, Iterator

# Objects of etcd have 1.5 MB at most; as JSON, with everything escaped, a few times as much.
MOST_LINE_BYTES = 16 << 20


def lines(chunks: Iterable[bytes]) -> Iterator[bytes | None]:
    """None stands for a line that was too long; what comes after the last line end is cut off and left out."""
    held = bytearray()
    is_too_long = False
    for chunk in chunks:
        parts = chunk.split(b"\n")
        for part in parts[:-1]:
            held += part
            yield None if is_too_long or len(held) > MOST_LINE_BYTES else bytes(held)
            held.clear()
            is_too_long = False
        held += parts[-1]
        if len(held) > MOST_LINE_BYTES:
            held.clear()
            is_too_long = True
