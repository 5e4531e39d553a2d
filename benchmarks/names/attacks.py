"""What a compromised workload asks for, by published recipes, at several rates."""

from collections.abc import Callable, Iterator, Mapping
from hashlib import md5
from random import Random

from benchmarks.names.asked import DAY_S, HEX, LETTERS, WORDS, Asked, base32, labels, public_address, text, times
from benchmarks.names.benign import PUBLIC

Attack = Callable[[Random], Iterator[Asked]]

ZONE = "updates-sync.com"


def dnscat2(dice: Random) -> Iterator[Asked]:
    """A file over dnscat2: hexadecimal, TXT, CNAME and MX by turns, five minutes."""
    for at in _burst(dice, 300, 1):
        yield Asked(at, f"{labels(text(dice, HEX, 110), 60)}.{ZONE}", dice.choice(("TXT", "CNAME", "MX")))


def dnscat2_idle(dice: Random) -> Iterator[Asked]:
    """The same with nothing to say: every second its eighteen digits, a quarter of an hour."""
    session = text(dice, HEX, 8)
    for at in _burst(dice, 900, 1):
        yield Asked(at, f"{session}{text(dice, HEX, 10)}.{ZONE}", dice.choice(("TXT", "CNAME", "MX")))


def iodine_base32(dice: Random) -> Iterator[Asked]:
    """IP over DNS: a minute of 20 packets a second, NULL."""
    for at in _burst(dice, 1200, 0.05):
        yield Asked(at, f"{labels('0abc' + base32(dice, 70))}.t.{ZONE}", "NULL")


def iodine_base128(dice: Random) -> Iterator[Asked]:
    """The same in octets that are no letters, as the lake writes them (``\\DDD``)."""
    for at in _burst(dice, 600, 0.05):
        octets = "".join(f"\\{octet:03d}" if octet > 126 else chr(octet) for octet in dice.choices(_BASE128, k=60))
        yield Asked(at, f"{octets}.t.{ZONE}", "NULL")


def one_a_minute(dice: Random) -> Iterator[Asked]:
    """A patient one: twenty octets a minute, all day, as addresses."""
    for at in _burst(dice, 1440, 60):
        yield Asked(at, f"{base32(dice, 20)}.{ZONE}", "A", addresses=PUBLIC)


def one_in_ten_minutes(dice: Random) -> Iterator[Asked]:
    for at in _burst(dice, 144, 600):
        yield Asked(at, f"{base32(dice, 20)}.{ZONE}", "A", addresses=PUBLIC)


def fifty_records(dice: Random) -> Iterator[Asked]:
    """Fifty stolen records, a name each, nobody answers (FrameworkPOS and its like)."""
    for at in _burst(dice, 50, 5):
        yield Asked(at, f"{text(dice, HEX, 58)}.{text(dice, HEX, 6)}.{ZONE}", "A", "nxdomain")


def beacon(dice: Random) -> Iterator[Asked]:
    """A beacon every quarter of an hour, eight digits: 0.4 kB a day."""
    for at in _burst(dice, 96, 900):
        yield Asked(at, f"{text(dice, HEX, 8)}.{ZONE}", "A", addresses=PUBLIC)


def random_letters(dice: Random) -> Iterator[Asked]:
    """Twelve to twenty-four letters, seven suffixes, two hundred and fifty a day (as CryptoLocker, Necurs)."""
    suffixes = ("com", "net", "biz", "ru", "org", "co.uk", "info")
    names = [f"{text(dice, LETTERS, dice.randint(12, 24))}.{dice.choice(suffixes)}" for _ in range(250)]
    yield from _looked_for(dice, names, 1)


def date_seeded(dice: Random) -> Iterator[Asked]:
    """Five to eleven letters by a linear congruential generator that begins with the date (as Conficker, Ramnit)."""
    state, names = dice.randrange(1, 2**31), []
    for _ in range(100):
        letters = ""
        for _ in range(5 + state % 7):
            state = (state * 1103515245 + 12345) % 2**31
            letters += LETTERS[(state >> 16) % 26]
        names.append(f"{letters}.{('com', 'net', 'org', 'info')[state % 4]}")
    yield from _looked_for(dice, names, 2)


def digests(dice: Random) -> Iterator[Asked]:
    """MD5 of the date and a number, sixteen digits, thirty a day (as Bamital)."""
    day = dice.randrange(20_000)
    names = [f"{md5(f'{day}-{number}'.encode()).hexdigest()[:16]}.info" for number in range(30)]
    yield from _looked_for(dice, names, 10)


def word_list(dice: Random) -> Iterator[Asked]:
    """Two words, one suffix, eighty-five a day (as Suppobox)."""
    names = [f"{dice.choice(WORDS)}{dice.choice(WORDS)}.net" for _ in range(85)]
    yield from _looked_for(dice, names, 5)


def syllables(dice: Random) -> Iterator[Asked]:
    """Names that can be spoken: consonant and vowel by turns, sixty a day (as Symmi)."""

    def name() -> str:
        return "".join(dice.choice("bcdfglmnprstvz") + dice.choice("aeiou") for _ in range(dice.randint(4, 7)))

    yield from _looked_for(dice, [f"{name()}.ddns.net" for _ in range(60)], 5)


def few_random(dice: Random) -> Iterator[Asked]:
    """Random letters again, only sixteen a day, an hour and a half apart."""
    names = [f"{text(dice, LETTERS, 12)}.top" for _ in range(16)]
    yield from _looked_for(dice, names, 5000)


def flux(dice: Random) -> Iterator[Asked]:
    """Five of three hundred hijacked machines in an answer, TTL 180."""
    machines = [public_address(dice) for _ in range(300)]
    for at in times(dice, 60):
        yield Asked(at, "login.secure-wallet.com", addresses=tuple(dice.sample(machines, 5)), ttl=180)


def slow_flux(dice: Random) -> Iterator[Asked]:
    """One machine at a time, another every hour."""
    for at in _burst(dice, 24, 3600):
        yield Asked(at, "cdn.secure-wallet.com", addresses=(public_address(dice),), ttl=600)


def rebound(dice: Random) -> Iterator[Asked]:
    """Checked outside, used inside: the service that hands out credentials."""
    at = dice.uniform(0, DAY_S - 60)
    yield Asked(at, "7f.rebind-host.com", "A", addresses=("198.51.100.7",), ttl=0)
    yield Asked(at + 2, "7f.rebind-host.com", "A", addresses=("169.254.169.254",), ttl=0)


def rebound_at_once(dice: Random) -> Iterator[Asked]:
    """Both addresses in one answer."""
    yield Asked(dice.uniform(0, DAY_S), "files.both-ways.com", "A", addresses=("198.51.100.7", "10.96.0.1"), ttl=5)


def only_inside(dice: Random) -> Iterator[Asked]:
    """A URL that somebody hands in: its name leads nowhere but inside."""
    yield Asked(dice.uniform(0, DAY_S), "files.inner-host.com", "A", addresses=("127.0.0.1",), ttl=5)


def one_edit(dice: Random) -> Iterator[Asked]:
    yield from _mistaken(dice, "api.meadowlogistic.com")


def two_edits(dice: Random) -> Iterator[Asked]:
    yield from _mistaken(dice, "payments.habrorpartner.com")


def look_alike(dice: Random) -> Iterator[Asked]:
    yield from _mistaken(dice, "payments.harb0rpartner.com" if dice.random() < 0.5 else "login.rnicrosoftonline.com")


def other_script(dice: Random) -> Iterator[Asked]:
    """A Cyrillic letter among Latin ones, in Punycode."""
    label = "h\N{CYRILLIC SMALL LETTER A}rborpartner".encode("idna").decode()
    yield from _mistaken(dice, f"payments.{label}.com")


def other_suffix(dice: Random) -> Iterator[Asked]:
    yield from _mistaken(dice, "api.stripe.cm")


def _burst(dice: Random, count: int, apart_s: float) -> Iterator[float]:
    start = dice.uniform(0, max(DAY_S - count * apart_s, 1))
    for number in range(count):
        yield min(start + (number + dice.random()) * apart_s, DAY_S - 1)


def _looked_for(dice: Random, names: list[str], apart_s: float) -> Iterator[Asked]:
    """One in sixty exists."""
    for at, name in zip(_burst(dice, len(names), apart_s), names, strict=True):
        found = dice.random() < 1 / 60
        yield Asked(at, name, outcome="answered" if found else "nxdomain", addresses=PUBLIC if found else ())


def _mistaken(dice: Random, name: str) -> Iterator[Asked]:
    for at in sorted(dice.uniform(DAY_S / 2, DAY_S) for _ in range(2)):
        yield Asked(at, name, addresses=("198.51.100.99",))


# iodine's: letters, digits, and octets from 188 on. Capitals are kept as small letters.
_BASE128 = [*range(97, 123), *range(97, 123), *range(48, 58), *range(188, 254)]

ATTACKS: Mapping[str, Mapping[str, Attack]] = {
    "tunnelling": {
        attack.__name__: attack
        for attack in (
            dnscat2,
            dnscat2_idle,
            iodine_base32,
            iodine_base128,
            one_a_minute,
            one_in_ten_minutes,
            fifty_records,
            beacon,
        )
    },
    "dga": {
        attack.__name__: attack for attack in (random_letters, date_seeded, digests, word_list, syllables, few_random)
    },
    "fast_flux": {attack.__name__: attack for attack in (flux, slow_flux)},
    "rebinding": {attack.__name__: attack for attack in (rebound, rebound_at_once, only_inside)},
    "typosquat": {attack.__name__: attack for attack in (one_edit, two_edits, look_alike, other_script, other_suffix)},
}
