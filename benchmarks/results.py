"""The figures as Markdown, for the screen and for RESULTS.md."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

HEAD = """# Results of the benchmarks

Written by `python -m benchmarks.collector --write`; `benchmarks/README.md` says what the columns mean.

"""


class Row(NamedTuple):
    """One program on one trace; ``packets`` are those it was given."""

    name: str
    packets: int
    wall: float
    cpu: float | None
    peak: str
    writes: str
    cut: bool = False  # it was given the first packets only
    stopped: bool = False  # at its time limit, before it was done


def comparison(title: str, rows: Sequence[Row], notes: Iterable[str]) -> str:
    """A table for one trace; the first row is what the others are measured against, packet by packet."""
    ours = rows[0].wall / rows[0].packets
    lines = [
        f"## {title}",
        "",
        "| program | M packets/s | wall s | CPU s | peak MB | time per packet / Tailrace's | writes |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        ratio = row.wall / row.packets / ours
        less, more = ("< ", "> ") if row.stopped else ("", "")
        cells = [
            row.name + (f" ({row.packets:,} packets)" if row.cut else ""),
            f"{less}{row.packets / row.wall / 1e6:.2f}",
            f"{more}{row.wall:.2f}",
            "" if row.cpu is None else f"{row.cpu:.2f}",
            row.peak,
            f"{more}{ratio:.2f} ×",
            row.writes,
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *notes, ""])


def stages(title: str, packets: int, prefixes: dict[str, tuple[float, float]]) -> str:
    """What each stage adds to those before it."""
    lines = [
        f"## Where the time goes: {title}",
        "",
        "| stage | wall s | CPU s | CPU ns/packet | wall s so far |",
        "|---|---:|---:|---:|---:|",
    ]
    before = (0.0, 0.0)
    for name, (wall, cpu) in prefixes.items():
        spent = cpu - before[1]
        lines.append(f"| {name} | {wall - before[0]:.2f} | {spent:.2f} | {spent / packets * 1e9:.0f} | {wall:.2f} |")
        before = (wall, cpu)
    return "\n".join([*lines, ""])
