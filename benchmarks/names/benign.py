"""What workloads ask for on a day on which nothing is wrong, what looks like an attack among it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random

from benchmarks.names.asked import (
    DAY_S,
    HEX,
    LETTERS_AND_DIGITS,
    WORDS,
    Asked,
    a_domain,
    public_address,
    text,
    times,
)

Kind = Callable[[Random], Iterator[Asked]]

# First octets of the addresses of one large cloud.
CLOUD_OCTETS = (3, 13, 15, 16, 18, 34, 35, 44, 50, 52, 54, 63, 98, 99, 107)
REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "ap-southeast-2")
CLOUD_APIS = tuple(
    f"{service}.{region}.amazonaws.com"
    for service in ("sqs", "sns", "sts", "kms", "dynamodb", "ec2", "logs", "monitoring", "secretsmanager")
    for region in REGIONS[:2]
)
PUBLIC = ("203.0.113.10",)

# The names that everybody in the cluster goes on asking for.
EVERYDAY = tuple(
    f"{host}.{domain}"
    for host, domain in (
        ("api", "github.com"),
        ("registry-1", "docker.io"),
        ("api", "stripe.com"),
        ("hooks", "slack.com"),
        ("intake", "datadoghq.eu"),
        ("storage", "googleapis.com"),
        ("login", "microsoftonline.com"),
        ("deb", "debian.org"),
        ("pypi", "python.org"),
        ("registry", "npmjs.org"),
        ("payments", "harborpartner.com"),
        ("api", "meadowlogistics.com"),
    )
)


def services(dice: Random) -> Iterator[Asked]:
    """Names of the cluster, of headless Services too, and some that do not exist."""
    for at in times(dice, 60):
        yield Asked(at, f"{dice.choice(WORDS)}.{dice.choice(WORDS[:6])}.svc.cluster.local", addresses=("10.96.3.7",))
    for at in times(dice, 20):
        pods = tuple(f"10.244.{dice.randrange(8)}.{dice.randrange(250)}" for _ in range(12))
        yield Asked(at, f"db-{dice.randrange(12)}.db.data.svc.cluster.local", addresses=pods, ttl=5)
    for at in times(dice, 8):
        yield Asked(at, f"{dice.choice(WORDS)}.{dice.choice(WORDS[:6])}", outcome="nxdomain")


def everyday(dice: Random) -> Iterator[Asked]:
    for at in times(dice, 60):
        yield Asked(at, dice.choice(EVERYDAY), addresses=PUBLIC)
    for at in times(dice, 4):
        yield Asked(at, a_domain(dice), addresses=PUBLIC)


def cloud_apis(dice: Random) -> Iterator[Asked]:
    for at in times(dice, 80):
        yield Asked(at, dice.choice(CLOUD_APIS), addresses=(_cloud_address(dice),), ttl=60)


def buckets(dice: Random) -> Iterator[Asked]:
    """Object stores, each bucket a name of its own."""
    for at in times(dice, 40):
        bucket = f"{dice.choice(WORDS)}-{dice.choice(WORDS)}-{text(dice, HEX, 8)}"
        yield Asked(at, f"{bucket}.s3.{dice.choice(REGIONS)}.amazonaws.com", addresses=(_cloud_address(dice),), ttl=5)
    for at in times(dice, 15):
        store = f"{dice.choice(WORDS)}{text(dice, HEX, 10)}"
        yield Asked(at, f"{store}.blob.core.windows.net", addresses=PUBLIC, ttl=60)


def hashed_hosts(dice: Random) -> Iterator[Asked]:
    """Of a CDN, by customer, and of a page's assets, by content: a few of them, again and again."""
    hosts = [f"d{text(dice, LETTERS_AND_DIGITS, 13)}.cloudfront.net" for _ in range(8)]
    hosts += [f"{text(dice, HEX, 10)}.assets.{dice.choice(WORDS)}cdn.com" for _ in range(20)]
    hosts += [f"e{dice.randrange(9999)}.dsc{dice.choice(HEX)}.akamaiedge.net" for _ in range(12)]
    for at in times(dice, 160):
        network = dice.choice(("13.224", "18.64", "52.84"))
        found = tuple(f"{network}.{dice.randrange(4)}.{dice.randrange(250)}" for _ in range(4))
        yield Asked(at, dice.choice(hosts), addresses=found, ttl=60)


def video(dice: Random) -> Iterator[Asked]:
    for at in times(dice, 30):
        yield Asked(
            at, f"rr{dice.randint(1, 6)}---sn-{text(dice, LETTERS_AND_DIGITS, 8)}.googlevideo.com", addresses=PUBLIC
        )


def telemetry(dice: Random) -> Iterator[Asked]:
    """A long name for each start of a program: a dozen a day."""
    for at in times(dice, 12):
        yield Asked(
            at, f"{text(dice, HEX, 32)}.{dice.choice(REGIONS)}.ingest.telemetry-{WORDS[7]}.com", addresses=PUBLIC
        )


def page_beacons(dice: Random) -> Iterator[Asked]:
    """Advertisers' beacons: a name never asked before for every page that a browser of ours shows."""
    for at in times(dice, 60):
        yield Asked(at, f"{text(dice, LETTERS_AND_DIGITS, 16)}.beacon.adtech-{WORDS[9]}.com", addresses=PUBLIC)


def tenants(dice: Random) -> Iterator[Asked]:
    """Webhooks to the customers of a software house: a host each."""
    for at in times(dice, 300):
        yield Asked(at, f"{dice.choice(WORDS)}-{dice.choice(WORDS)}.mycustomers.com", addresses=PUBLIC)


def known_hash_lookups(dice: Random) -> Iterator[Asked]:
    """Antivirus and blocklists that ask in names, by vendors that the product knows."""
    for at in times(dice, 120):
        zone = dice.choice(("avqs.mcafee.com", "p1.sophosxl.net", "hash.cymru.com"))
        yield Asked(at, f"{text(dice, HEX, 40)}.{zone}", "A", addresses=("127.0.0.2",), connections=0)


def unknown_hash_lookups(dice: Random) -> Iterator[Asked]:
    """The same by a vendor that it does not know."""
    for at in times(dice, 120):
        found = dice.random() < 0.3
        yield Asked(
            at,
            f"{text(dice, HEX, 40)}.files.reputation-{WORDS[11]}.com",
            "A",
            "answered" if found else "nxdomain",
            ("127.0.0.2",) if found else (),
            connections=0,
        )


def address_lists(dice: Random) -> Iterator[Asked]:
    """A mail server that asks two lists about every client, by address; the product knows one of them."""
    for at in times(dice, 400):
        address = ".".join(str(dice.randrange(256)) for _ in range(4))
        zone = dice.choice(("zen.spamhaus.org", "bl.mail-harbor.net"))
        listed = dice.random() < 0.2
        outcome, codes = ("answered", ("127.0.0.4",)) if listed else ("nxdomain", ())
        yield Asked(at, f"{address}.{zone}", "A", outcome, codes, connections=0)


def senders(dice: Random) -> Iterator[Asked]:
    """A mail server that asks whether the senders' domains exist: one in six does not."""
    for at in times(dice, 250):
        domain = a_domain(dice)
        lost = dice.random() < 0.16
        yield Asked(at, domain, "MX", "nxdomain" if lost else "answered", connections=0)
        yield Asked(
            at + 0.1, f"_dmarc.{domain}", "TXT", "nxdomain" if dice.random() < 0.5 else "answered", connections=0
        )
        yield Asked(at + 0.2, f"s{dice.randint(1, 3)}._domainkey.{domain}", "TXT", "answered", connections=0)


def pages(dice: Random) -> Iterator[Asked]:
    """A crawler or a checker of links: many domains, one in twelve gone."""
    for at in times(dice, 400):
        gone = dice.random() < 0.08
        addresses = () if gone else (public_address(dice),)
        name = f"{dice.choice(('www.', 'www.', '', 'blog.'))}{a_domain(dice)}"
        yield Asked(at, name, outcome="nxdomain" if gone else "answered", addresses=addresses)


def dead_links(dice: Random) -> Iterator[Asked]:
    """A checker of old lists: three in four of a hundred domains are gone."""
    for at in times(dice, 100):
        gone = dice.random() < 0.75
        yield Asked(at, a_domain(dice), outcome="nxdomain" if gone else "answered", addresses=() if gone else PUBLIC)


def reverse(dice: Random) -> Iterator[Asked]:
    """Logs that are given names: of addresses, of both families."""
    for at in times(dice, 200):
        octets = [str(dice.randrange(1, 255)) for _ in range(4)]
        name = (
            f"{'.'.join(octets)}.in-addr.arpa" if dice.random() < 0.7 else f"{'.'.join(text(dice, HEX, 32))}.ip6.arpa"
        )
        yield Asked(at, name, "PTR", dice.choice(("answered", "nxdomain")), connections=0)


def time_pool(dice: Random) -> Iterator[Asked]:
    for at in times(dice, 40):
        found = tuple(public_address(dice) for _ in range(4))
        yield Asked(at, f"{dice.randrange(4)}.debian.pool.ntp.org", addresses=found, ttl=130)


def balancer(dice: Random) -> Iterator[Asked]:
    """A partner's large load balancer in a cloud: eight of sixty addresses at a time."""
    pool = Random("balancer")
    addresses = [_cloud_address(pool) for _ in range(60)]
    for at in times(dice, 60):
        found = tuple(dice.sample(addresses, 8))
        yield Asked(at, "api.large-partner.com", addresses=found, ttl=60)


def intranet(dice: Random) -> Iterator[Asked]:
    """The company's own zone, a database of the cloud that is reached inside, tools of developers."""
    for at in times(dice, 20):
        yield Asked(at, f"{dice.choice(('wiki', 'ldap', 'git'))}.corp.oakvale.com", addresses=("10.20.0.5",))
    for at in times(dice, 10):
        yield Asked(at, "orders.cx2kq1.eu-west-1.rds.amazonaws.com", addresses=("10.30.1.9",), ttl=5)


def developers(dice: Random) -> Iterator[Asked]:
    """Names that lead to the machine itself: one that all use, and one that is used now and then."""
    for at in times(dice, 5):
        yield Asked(at, f"app-{dice.randrange(9)}.127.0.0.1.nip.io", addresses=("127.0.0.1",), connections=0)
    if dice.random() < 0.05:
        yield Asked(dice.uniform(0, DAY_S), "app.localtest.me", addresses=("127.0.0.1",), connections=0)


def filtered(dice: Random) -> Iterator[Asked]:
    """A filter in the network's resolver that answers 0.0.0.0 for advertisers."""
    for at in times(dice, 15):
        yield Asked(at, f"ads.{a_domain(dice)}", addresses=("0.0.0.0",), connections=0)


def _cloud_address(dice: Random) -> str:
    return f"{dice.choice(CLOUD_OCTETS)}.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(1, 255)}"


COMMON: Sequence[Kind] = (services, everyday)

# What a workload of each role asks for beside what all ask for.
ROLES: Mapping[str, Sequence[Kind]] = {
    "service": (cloud_apis, telemetry),
    "uploader": (cloud_apis, buckets, intranet),
    "gateway": (balancer, intranet, tenants),
    "renderer": (hashed_hosts, video, page_beacons, pages, filtered),
    "crawler": (pages, hashed_hosts, time_pool),
    "link-checker": (dead_links,),
    "mail": (senders, address_lists, reverse),
    "mail-known": (known_hash_lookups, address_lists, reverse),
    "antivirus": (unknown_hash_lookups, telemetry),
    "build": (hashed_hosts, developers, buckets),
    "node": (time_pool, cloud_apis),
}


def a_day(role: str, seed: str) -> list[Asked]:
    dice = Random(seed)
    asked = [asked for kind in (*COMMON, *ROLES[role]) for asked in kind(dice)]
    return [one for one in asked if one.at < DAY_S]
