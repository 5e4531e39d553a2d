"""Not every domain is compared with every other: none that comparing all with all finds may be missing for it."""

import re
from itertools import product
from pathlib import Path
from random import Random

import pytest

from analysis.questions import ask
from tests.support.names import Row, make_names, resolution

OFTEN, TIMES, LEAST_LENGTH = 4, 2, 5
Seen = dict[str, tuple[int, int]]  # domain: how often it was asked for, and from when on


def slipped(random: Random, label: str) -> str:
    """With one thing wrong, somewhere."""
    at = random.randrange(len(label) - 1)
    before, one, other, behind = label[:at], label[at], label[at + 1], label[at + 2 :]
    letter = random.choice("abcxyz0159-_")
    return random.choice(
        (
            before + other + one + behind,
            before + other + behind,
            before + one + letter + other + behind,
            before + letter + other + behind,
            label.replace("o", "0"),
            label.replace("m", "rn"),
            f"xn--{label}-4ve",
        )
    )


def some_domains(random: Random) -> Seen:
    """A few in use, and slips of these, and slips of the slips."""
    labels = ["".join(random.choices("abmno0rt-", k=random.randint(4, 11))).strip("-") + "w" for _ in range(12)]
    labels += [slipped(random, random.choice(labels)) for _ in range(120)]
    domains = sorted({f"{label}.{random.choice(('com', 'com', 'co.uk'))}" for label in labels})
    return {domain: (random.choice((1, 1, 2, 4, 9)), random.randrange(100)) for domain in domains}


def resolutions(seen: Seen) -> list[Row]:
    every = ((domain, first + step) for domain, (times, first) in seen.items() for step in range(times))
    return [resolution(number, domain, registered_domain=domain) for domain, number in every]


def distance(one: str, other: str) -> int:
    """Levenshtein's."""
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, 1):
        above, row = row, [number]
        for place, against in enumerate(other):
            row.append(min(above[place + 1] + 1, row[place] + 1, above[place] + (letter != against)))
    return row[-1]


def spelling(label: str) -> str:
    return re.sub("-[^-]*$", "", label[4:]) if re.fullmatch("xn--.*-.*", label) else label


def folded(label: str) -> str:
    return label.translate(str.maketrans("015", "ols")).replace("rn", "m").replace("vv", "w")


def resembles(rare: str, often: str, seen: Seen) -> bool:
    (label, _, suffix), (other, _, of_other) = rare.partition("."), often.partition(".")
    (times, first), (others, since) = seen[rare], seen[often]
    if suffix != of_other or len(other) < LEAST_LENGTH or others * 4 < OFTEN or times * TIMES > others * 10:
        return False
    if folded(label) == folded(other):
        return True
    if re.sub("[0-9]", "", label) == re.sub("[0-9]", "", other):
        return False
    if others < OFTEN or times * TIMES > others or first <= since:
        return False
    one, two = spelling(label), spelling(other)
    same_letters = set(one) == set(two) and len(one) == len(two) and len(other) >= 8
    return distance(one, two) == 1 or (distance(one, two) == 2 and same_letters)


@pytest.mark.parametrize("seed", range(4))
def test_it_is_as_if_all_were_compared_with_all(tmp_path: Path, seed: int) -> None:
    seen = some_domains(Random(seed))
    lake = make_names(tmp_path / "lake", resolutions=resolutions(seen))
    found = ask(lake, "detect/typosquat", {"often": OFTEN, "times": TIMES, "least_length": LEAST_LENGTH}).table
    wanted = {(rare, often) for rare, often in product(seen, seen) if resembles(rare, often, seen)}
    assert {kind for kind, of_kind in kinds(wanted) if of_kind} == {"folded", "one edit", "two edits"}
    pairs = list(zip(*(found.column(name).to_pylist() for name in ("registered_domain", "resembles")), strict=True))
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == wanted


def kinds(pairs: set[tuple[str, str]]) -> list[tuple[str, bool]]:
    """Of each kind there has to be one, or nothing is said of it."""
    labels = [(rare.partition(".")[0], often.partition(".")[0]) for rare, often in pairs if rare != often]
    apart = [(one, two) for one, two in labels if folded(one) != folded(two)]
    edits = {distance(spelling(one), spelling(two)) for one, two in apart}
    return [("folded", len(apart) < len(labels)), ("one edit", 1 in edits), ("two edits", 2 in edits)]
