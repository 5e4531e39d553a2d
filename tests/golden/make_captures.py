"""Write the captures of the golden cases: ``python -m tests.golden.make_captures [CASE]...``; the same bytes every time.

The records beside them are blessed by ``make bless``, after somebody has checked each.
"""

import sys
from pathlib import Path

from tests.golden.captures import dns, links, tcp, tls, tunnels
from tests.support.frames import pcap

FOLDER = Path(__file__).parent / "collector"
CAPTURES = dns.CAPTURES | tls.CAPTURES | tcp.CAPTURES | tunnels.CAPTURES | links.CAPTURES


def capture_of(case: str) -> bytes:
    made = CAPTURES[case]()
    return made if isinstance(made, bytes) else pcap(made)


def main(cases: list[str]) -> None:
    for case in cases or CAPTURES:
        (FOLDER / case).mkdir(exist_ok=True)
        (FOLDER / case / "capture.pcap").write_bytes(capture_of(case))


if __name__ == "__main__":
    main(sys.argv[1:])
