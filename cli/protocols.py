"""Names of IP protocols on the command line."""

from contract.errors import UsageError

NUMBERS = {"icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "icmpv6": 58, "sctp": 132}
NAMES = {number: name for name, number in NUMBERS.items()}


def protocol_number(text: str | None) -> int | None:
    if text is None:
        return None
    if text.lower() in NUMBERS:
        return NUMBERS[text.lower()]
    if text.isascii() and text.isdigit() and int(text) < 256:
        return int(text)
    raise UsageError(f"--protocol: {text!r} is none of {', '.join(NUMBERS)}, and no number below 256")


def service(protocol: int, port: int | None) -> str:
    name = NAMES.get(protocol, str(protocol))
    return name if port is None else f"{name} {port}"
