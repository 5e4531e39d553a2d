"""Configuration of the name servers and web servers outside: bind, knot, knot-resolver, nginx."""

from pathlib import Path

from samples.cluster.daemons import nginx, written
from samples.resolvers import plan, zones


def provider(directory: Path) -> list[str]:
    """bind as the provider's resolver: recursion from a root of our own, and a log of who asked what."""
    root = written(directory / "root.zone", zones.root_zone())
    text = f"""options {{
  directory "{directory}";
  listen-on {{ {plan.PROVIDER_IP}; }};
  listen-on-v6 {{ none; }};
  query-source address {plan.PROVIDER_IP};
  recursion yes;
  allow-query {{ any; }};
  allow-recursion {{ any; }};
  dnssec-validation no;
  qname-minimization off;
  empty-zones-enable no;
  notify no;
  pid-file none;
  session-keyfile none;
}};
controls {{ }};
logging {{
  channel queries {{ file "{directory}/queries.log"; print-time iso8601; }};
  category queries {{ queries; }};
}};
zone "." {{ type primary; file "{root}"; }};
"""
    return ["named", "-4", "-f", "-n", "1", "-c", written(directory / "named.conf", text)]


def authority(directory: Path) -> list[str]:
    """knot, for every zone but the slow one and the company's; its zones can be changed while it runs."""
    entries = ""
    for zone, text in zones.knot_zones().items():
        entries += f'  - domain: "{zone}"\n    file: "{written(directory / f"{zone}.zone", text)}"\n'
    text = f"""server:
  listen: {plan.AUTHORITY_IP}@53
  rundir: "{directory}"
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
control:
  listen: "{directory}/knot.sock"
database:
  storage: "{directory}/db"
log:
  - target: stderr
    any: warning
template:
  - id: default
    storage: "{directory}"
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
    semantic-checks: off
zone:
{entries}"""
    return ["knotd", "-c", written(directory / "knot.conf", text)]


def public_resolver(directory: Path) -> list[str]:
    """knot-resolver, over UDP, TCP, TLS and HTTPS, with a certificate of its own making."""
    text = f"""net.listen('{plan.PUBLIC_IP}', 53, {{ kind = 'dns' }})
net.listen('{plan.PUBLIC_IP}', 853, {{ kind = 'tls' }})
net.listen('{plan.PUBLIC_IP}', 443, {{ kind = 'doh2' }})
net.ipv6 = false
trust_anchors.remove('.')
cache.open(10 * MB, 'lmdb://{directory}/cache')
policy.add(policy.all(policy.STUB({{ '{plan.PROVIDER_IP}' }})))
"""
    return ["kresd", "-n", "-c", written(directory / "kresd.conf", text), str(directory)]


def web(directory: Path) -> list[str]:
    """Whoever is asked outside answers, by plain HTTP: partners, CDNs and those with worse intentions."""
    return nginx(directory, f'  server {{ listen 80; location / {{ return 200 "{"w" * 200}"; }} }}')
