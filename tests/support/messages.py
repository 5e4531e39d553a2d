"""DNS messages as short as tests want them, beside those that dnspython builds."""

import struct


def question(name: str, kind: int = 1) -> bytes:
    labels = b"".join(bytes([len(label)]) + label for label in name.encode().split(b"."))
    return labels + struct.pack(">BHH", 0, kind, 1)


def query(number: int, name: str = "a.example") -> bytes:
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + question(name)


def response(number: int, name: str = "a.example", text: int = 0) -> bytes:
    """With one TXT record of so many strings of 255 octets."""
    head = struct.pack(">HHHHHH", number, 0x8180, 1, 1 if text else 0, 0, 0) + question(name)
    data = (b"\xff" + b"x" * 255) * text
    return head + (struct.pack(">HHHIH", 0xC00C, 16, 1, 60, len(data)) + data if text else b"")


def over_tcp(*messages: bytes) -> bytes:
    return b"".join(struct.pack(">H", len(message)) + message for message in messages)
