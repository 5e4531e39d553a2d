"""Everything that can be wrong, in one family.

TailraceError
├── InputError      a file or a stream is not what it should be: says where and what to do
├── ContractError   a batch does not keep the contract (a fault of ours)
├── LakeError       a lake cannot be opened, read or written
│   └── OvertakenError  somebody else has written meanwhile what was to be written
├── QuestionError   a question, its parameters or its SQL are refused
├── UsageError      the command line asks for what cannot be
├── ProofError      a recommendation does not do what it must (a fault of ours), and is not printed
├── MachineError    the system does not let Tailrace do what it must
├── TransportError  Kafka is not reached, or refuses what is asked of it
└── WireError       a message from Kafka cannot be taken, with the reason
"""

from enum import StrEnum


class TailraceError(Exception):
    """Shown to the user as one line."""


class InputError(TailraceError):
    """``where`` is a file, with an offset or a key inside it."""

    def __init__(self, where: str, what: str, do: str = "") -> None:
        super().__init__(f"{where}: {what}" + (f"; {do}" if do else ""))


class ContractError(TailraceError):
    """A batch has other columns, types or NULLs than its table declares."""


class LakeError(TailraceError):
    """The lake is absent, not ours, not readable, not writable or full."""


class OvertakenError(LakeError):
    """What was to be rewritten stands in other files by now, or what was to be added is there; it may be tried again."""


class QuestionError(TailraceError):
    """No such question, a wrong parameter, SQL that is not one read-only statement, or time ran out."""


class UsageError(TailraceError):
    """Wrong usage of a verb."""


class ProofError(TailraceError):
    """What was recommended would deny what it was learned from, or does not read back as it was meant."""


class MachineError(TailraceError):
    """What the system refuses, and which setting of it does."""


class TransportError(TailraceError):
    """``where`` is a server or a topic of Kafka."""

    def __init__(self, where: str, what: str, do: str = "") -> None:
        super().__init__(f"{where}: {what}" + (f"; {do}" if do else ""))


class Refused(StrEnum):
    """Why a message is no batch of ours."""

    NO_TABLE = "no_table"
    UNKNOWN_TABLE = "unknown_table"
    UNKNOWN_VERSION = "unknown_version"
    BAD_HEADER = "bad_header"
    TOO_LARGE = "too_large"
    NOT_ARROW = "not_arrow"
    OTHER_SCHEMA = "other_schema"
    BAD_ROWS = "bad_rows"


class WireError(TailraceError):
    """A message that is not what its headers or the contract say."""

    def __init__(self, reason: Refused, what: str) -> None:
        super().__init__(what)
        self.reason = reason


class Discard(StrEnum):
    """Why a packet is in no flow. The order is the code the kernels use."""

    UNKNOWN_LINK_TYPE = "unknown_link_type"
    CUT_LINK_HEADER = "cut_link_header"
    NOT_IP = "not_ip"
    BAD_IP_HEADER = "bad_ip_header"
    CUT_IP_HEADER = "cut_ip_header"
    CUT_TRANSPORT_HEADER = "cut_transport_header"
    BAD_TRANSPORT_HEADER = "bad_transport_header"
    ORPHAN_FRAGMENT = "orphan_fragment"
