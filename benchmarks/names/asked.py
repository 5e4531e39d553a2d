"""One resolver call of a made-up workload, and what its names are made of."""

import base64
from random import Random
from typing import NamedTuple

DAY_S = 86_400

HEX = "0123456789abcdef"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
LETTERS_AND_DIGITS = LETTERS + "0123456789"


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


WORDS = _listed(
    """
    account action agent alpine amber anchor apple arrow asset atlas autumn bakery bamboo banner basket beacon
    berry blue board border bottle branch breeze bridge bright bronze bucket button cabin cable camera candle
    canyon carbon castle cedar center cherry circle city clean clever cloud coast cobalt coffee copper coral
    cotton crane credit crystal daily dance data delta desert design digital direct dragon dream eagle early
    earth east echo edge ember energy engine estate event falcon family farm fast feather field finance fire
    first flower forest forward fountain fox fresh garden gate gentle giant glass global golden grain grand
    green grid group harbor harvest health heritage hill home honey horizon house hunter ice idea image island
    ivory jade journal journey jungle kernel kitchen lake lantern leader leaf legal lemon level liberty light
    lily lion local logic lotus lunar magic mango maple marble market meadow media mercury metal mirror modern
    moment monitor moon mountain music native nature network noble north nova oak ocean office olive open orange
    orbit orchard origin owl pacific palace paper park partner pearl pepper phoenix pilot pine planet player
    plaza pocket polar portal power prairie prime print quality quick quiet radio rain rapid raven river robin
    rocket rose royal ruby safe saga sail salt sand school scout season secret shadow signal silver simple sky
    smart snow social solar sound south spark spring star station stone store storm story stream street studio
    summer summit sun swift table team tech temple terra tiger timber tower trade trail travel tree tribe trust
    tulip union unity valley vector velvet venture village violet vision vista voice water wave west whale wheel
    wild wind window winter wolf wonder wood world yellow
    """
)

# What people register: shortened words, initials and brands among them, which have fewer vowels than words.
BRANDS = _listed(
    """
    github gitlab docker npmjs pypi debian ubuntu alpinelinux cloudflare fastly akamai datadoghq newrelic sentry
    grafana pagerduty slack zoom twilio sendgrid mailgun stripe paypal braintreegateway adyen klarna hubspot
    salesforce zendesk atlassian bitbucket jfrog quay hashicorp elastic mongodb snowflakecomputing databricks
    okta auth0 duosecurity letsencrypt digicert msftconnecttest gvt1 gstatic ggpht ytimg fbcdn twimg licdn
    cdninstagram wp jsdelivr unpkg cdnjs bootstrapcdn
    """
)
SUFFIXES = ("com",) * 12 + ("net", "org", "io", "de", "co.uk", "fr", "info", "eu", "dev", "app", "shop")


class Asked(NamedTuple):
    """``at`` is seconds of the day; ``addresses`` are what it was answered."""

    at: float
    name: str
    qtypes: str = "A,AAAA"
    outcome: str = "answered"
    addresses: tuple[str, ...] = ()
    ttl: int = 300
    connections: int = 1


def text(dice: Random, alphabet: str, length: int) -> str:
    return "".join(dice.choices(alphabet, k=length))


def base32(dice: Random, octets: int) -> str:
    return base64.b32encode(dice.randbytes(octets)).decode().rstrip("=").lower()


def labels(joined: str, most: int = 63) -> str:
    """Parted by dots, as no label is longer than 63 octets (RFC 1035 §2.3.4)."""
    return ".".join(joined[start : start + most] for start in range(0, len(joined), most))


def a_domain(dice: Random) -> str:
    """One of a company: a word or two, initials, a brand."""
    form = dice.random()
    if form < 0.35:
        label = dice.choice(WORDS) + dice.choice(WORDS)
    elif form < 0.6:
        label = f"{dice.choice(WORDS)}-{dice.choice(WORDS)}"
    elif form < 0.8:
        label = dice.choice(WORDS) + text(dice, LETTERS, dice.randint(1, 3))
    elif form < 0.93:
        label = dice.choice(BRANDS) + dice.choice(("", "cdn", "api", "static", "-eu"))
    else:
        label = text(dice, LETTERS, dice.randint(3, 5))
    return f"{label}.{dice.choice(SUFFIXES)}"


def public_address(dice: Random) -> str:
    """Of a home somewhere: any first octet that is given out to providers."""
    first = dice.choice([octet for octet in range(1, 223) if octet not in (10, 100, 127, 169, 172, 192)])
    return f"{first}.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(1, 255)}"


def times(dice: Random, count: int) -> list[float]:
    return sorted(dice.uniform(0, DAY_S) for _ in range(count))
